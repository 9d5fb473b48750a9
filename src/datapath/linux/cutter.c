#include "datapath/linux/cutter.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/linux/diagnosis.h"
#include "datapath/linux/namespace.h"
#include "datapath/linux/survey.h"

// As many as the survey is ahead at most: then its thread helps.
#define BATCHES 16u
// Fewer sockets are sooner done than a thread is there.
#define HELPED_FROM 64u

enum batch_state { BATCH_FREE, BATCH_WAITS, BATCH_RUNS };

struct batch {
    enum batch_state state;
    uint32_t count;
    struct wall_namespace *ns;  // kept until the batch is used again: namespaces belong to the caller's thread
    struct wall_socket_name names[WALL_SURVEY_SOCKETS_MAX];
};

struct wall_cutter {
    struct wall_namespaces *namespaces;
    pthread_mutex_t lock;     // of what follows
    pthread_cond_t changed;   // for the helper: a batch waits, or there will be no more
    pthread_t helper;
    bool has_helper, is_complete;
    uint32_t added, destroyed;  // sockets so far
    struct batch batches[BATCHES];
};

struct wall_cutter *wall_cutter_new(struct wall_namespaces *namespaces)
{
    struct wall_cutter *cutter = malloc(sizeof(*cutter));
    if (!cutter)
        return NULL;
    memset(cutter, 0, offsetof(struct wall_cutter, batches));
    for (uint32_t i = 0; i < BATCHES; i++) {
        cutter->batches[i].state = BATCH_FREE;
        cutter->batches[i].ns = NULL;
    }
    cutter->namespaces = namespaces;
    pthread_mutex_init(&cutter->lock, NULL);
    pthread_cond_init(&cutter->changed, NULL);
    return cutter;
}

// With the lock held. Returns NULL when no batch is in that state.
static struct batch *find(struct wall_cutter *cutter, enum batch_state state)
{
    for (uint32_t i = 0; i < BATCHES; i++)
        if (cutter->batches[i].state == state)
            return &cutter->batches[i];
    return NULL;
}

// With the lock held, which is given back meanwhile. Returns false when no batch waits.
static bool run_one(struct wall_cutter *cutter)
{
    struct batch *batch = find(cutter, BATCH_WAITS);
    if (!batch)
        return false;
    batch->state = BATCH_RUNS;
    pthread_mutex_unlock(&cutter->lock);
    uint32_t destroyed = wall_sockets_destroy(batch->ns, batch->names, batch->count);
    pthread_mutex_lock(&cutter->lock);
    cutter->destroyed += destroyed;
    batch->state = BATCH_FREE;
    return true;
}

static void *help(void *argument)
{
    struct wall_cutter *cutter = argument;
    pthread_mutex_lock(&cutter->lock);
    for (;;) {
        if (run_one(cutter))
            continue;
        if (cutter->is_complete)
            break;
        pthread_cond_wait(&cutter->changed, &cutter->lock);
    }
    pthread_mutex_unlock(&cutter->lock);
    return NULL;
}

static struct wall_socket_name name_of(const struct wall_survey_socket *socket)
{
    struct wall_socket_name name = {
        .family = socket->family, .protocol = socket->protocol, .local_port = socket->local_port,
        .remote_port = socket->remote_port, .bound_interface = socket->bound_interface, .cookie = socket->cookie,
    };
    memcpy(name.local_address, socket->local_address, sizeof(name.local_address));
    memcpy(name.remote_address, socket->remote_address, sizeof(name.remote_address));
    return name;
}

// With the lock held.
static struct batch *free_batch(struct wall_cutter *cutter)
{
    struct batch *batch;
    while (!(batch = find(cutter, BATCH_FREE)))
        run_one(cutter);
    wall_namespace_unref(cutter->namespaces, batch->ns);
    return batch;
}

void wall_cutter_add(struct wall_cutter *cutter, const struct wall_survey_socket *sockets, uint32_t count)
{
    pthread_mutex_lock(&cutter->lock);
    struct batch *batch = free_batch(cutter);
    batch->ns = NULL;
    batch->count = count;
    for (uint32_t i = 0; i < count; i++) {
        batch->names[i] = name_of(&sockets[i]);
        if (!batch->ns)  // the task of another one may be gone
            batch->ns = wall_namespace_get(cutter->namespaces, sockets[i].netns_cookie, sockets[i].process_id,
                                           sockets[i].thread_id);
    }
    if (batch->ns)
        batch->state = BATCH_WAITS;
    cutter->added += count;
    if (cutter->added >= HELPED_FROM && !cutter->has_helper)
        cutter->has_helper = pthread_create(&cutter->helper, NULL, help, cutter) == 0;
    pthread_cond_signal(&cutter->changed);
    pthread_mutex_unlock(&cutter->lock);
}

uint32_t wall_cutter_finish(struct wall_cutter *cutter)
{
    pthread_mutex_lock(&cutter->lock);
    while (run_one(cutter))
        ;
    cutter->is_complete = true;
    pthread_cond_signal(&cutter->changed);
    pthread_mutex_unlock(&cutter->lock);
    if (cutter->has_helper)
        pthread_join(cutter->helper, NULL);
    uint32_t destroyed = cutter->destroyed;
    for (uint32_t i = 0; i < BATCHES; i++)
        wall_namespace_unref(cutter->namespaces, cutter->batches[i].ns);
    pthread_cond_destroy(&cutter->changed);
    pthread_mutex_destroy(&cutter->lock);
    free(cutter);
    return destroyed;
}
