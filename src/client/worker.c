#include "client/worker.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "ntdef.h"
#include "ntstatus.h"

#include "client/channel.h"
#include "client/classify.h"
#include "client/device.h"
#include "client/link.h"
#include "client/operation.h"

struct job {
    struct job *next;
    uint64_t generation;
    enum wall_message_type type;
    uint32_t serial;
    void *object;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct job *first, **last = &first;
static uint32_t waiting;
static unsigned workers, idle;
static bool stopping;

static void free_job(struct job *job)
{
    free(job->object);
    free(job);
}

static struct job *take_first(void)
{
    struct job *job = first;
    first = job->next;
    if (!first)
        last = &first;
    waiting--;
    return job;
}

static void run(const struct job *job)
{
    if (job->type == WALL_MESSAGE_DEVICE_OPEN || job->type == WALL_MESSAGE_DEVICE_CONTROL)
        wall_device_run(job->generation, job->type, job->serial, job->object);
    else if (job->type == WALL_MESSAGE_DEVICE_CLOSE)
        wall_device_close(((const struct wall_device_close_notification *)job->object)->file_id);
    else
        wall_classify_run(job->generation, job->type, job->serial, job->object);
}

static void *work(void *argument)
{
    pthread_mutex_lock(&lock);
    while (!stopping) {
        if (!first) {
            idle++;
            pthread_cond_wait(&changed, &lock);
            idle--;
            continue;
        }
        struct job *job = take_first();
        pthread_mutex_unlock(&lock);
        run(job);
        free_job(job);
        pthread_mutex_lock(&lock);
    }
    workers--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

// With the lock held. Without a single worker nothing would ever be answered, so that is told.
static bool add_worker(void)
{
    pthread_t thread;
    if (workers == WALL_WORKERS_MAX || wall_thread_start(work, NULL, &thread) < 0)
        return workers > 0;
    pthread_detach(thread);
    workers++;
    return true;
}

// Takes a classification that has not begun out of the queue.
static struct job *take_classification(uint64_t classify_id)
{
    struct job *job = NULL;
    pthread_mutex_lock(&lock);
    for (struct job **at = &first; *at && !job; at = &(*at)->next) {
        if ((*at)->type != WALL_MESSAGE_CLASSIFY ||
            ((const struct wall_classify_request *)(*at)->object)->classify_id != classify_id)
            continue;
        job = *at;
        *at = job->next;
        if (last == &job->next)
            last = at;
        waiting--;
        break;
    }
    pthread_mutex_unlock(&lock);
    return job;
}

static void cancel(const struct wall_classify_cancel_notification *notification)
{
    struct job *job = take_classification(notification->classify_id);
    if (!job)
        return;
    wall_channel_refuse(job->generation, job->type, job->serial, (uint32_t)STATUS_CANCELLED);
    free_job(job);
}

void wall_worker_queue(uint64_t generation, enum wall_message_type type, uint32_t serial, void *object)
{
    if (type == WALL_MESSAGE_CLASSIFY_CANCEL)
        cancel(object);
    if (serial == 0 && type != WALL_MESSAGE_DEVICE_CLOSE) {
        free(object);
        return;
    }
    if (type == WALL_MESSAGE_CLASSIFY && wall_operation_route(generation, serial, object))
        return;

    struct job *job = malloc(sizeof(*job));
    bool queued = false;
    pthread_mutex_lock(&lock);
    if (job && waiting < WALL_WORKER_QUEUE_MAX && !stopping && (idle > waiting || add_worker())) {
        *job = (struct job){ .generation = generation, .type = type, .serial = serial, .object = object };
        *last = job;
        last = &job->next;
        waiting++;
        queued = true;
    }
    pthread_mutex_unlock(&lock);
    if (queued)
        pthread_cond_signal(&changed);
    if (!queued && serial == 0) {
        wall_device_close(((const struct wall_device_close_notification *)object)->file_id);
        free(object);
        free(job);
    } else if (!queued) {
        wall_channel_refuse(generation, type, serial, (uint32_t)STATUS_INSUFFICIENT_RESOURCES);
        free(object);
        free(job);
    }
}

void wall_worker_drop(void)
{
    pthread_mutex_lock(&lock);
    struct job *job = first;
    first = NULL;
    last = &first;
    waiting = 0;
    pthread_mutex_unlock(&lock);
    while (job) {
        struct job *next = job->next;
        free_job(job);
        job = next;
    }
}

void wall_worker_stop(void)
{
    wall_worker_drop();
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_broadcast(&changed);
    while (workers)
        pthread_cond_wait(&changed, &lock);
    stopping = false;
    pthread_mutex_unlock(&lock);
}
