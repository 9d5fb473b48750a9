// The workers: a few threads that run callbacks of callouts, so that classifications run in parallel.
#pragma once

#include <stdint.h>

#include "wire/messages.h"

// Threads, started when they are needed. A driver whose classify functions wait uses them all up; what comes then
// waits for its turn, and the service ends the driver when it waits too long.
#define WALL_WORKERS_MAX 8u

// Requests waiting for a worker; further ones are answered with STATUS_INSUFFICIENT_RESOURCES at once: the service
// does not ask more than it can wait for.
#define WALL_WORKER_QUEUE_MAX 131072u

// Takes over a message of the channel: CLASSIFY, NOTIFY, FLOW_DELETE, or CLASSIFY_CANCEL, which takes a
// classification that has not begun out of the queue (it is answered with STATUS_CANCELLED).
void wall_worker_queue(uint64_t generation, enum wall_message_type type, uint32_t serial, void *object);
// Forgets what waits: the connection is gone.
void wall_worker_drop(void);
// Ends the workers; waits for the callbacks that run.
void wall_worker_stop(void);
