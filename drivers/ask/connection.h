// Connections: the callout functions, and what becomes of a connection when its question is answered.
#pragma once

#include "question.h"

// Registers the callouts. PASSIVE_LEVEL.
NTSTATUS ask_connections_start(DEVICE_OBJECT *device);
// New connections are blocked and not asked about; those that wait are answered with a block.
void ask_connections_close(void);
// Waits for what is under way and unregisters the callouts. PASSIVE_LEVEL.
void ask_connections_stop(void);

// Answers a question: completes its connection. Returns FALSE when somebody else has answered it. PASSIVE_LEVEL.
BOOLEAN ask_connection_answer(struct ask_item *item, UCHAR verdict);
