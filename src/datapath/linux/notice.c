#include "datapath/linux/notice.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "datapath/linux/facts.h"
#include "datapath/linux/instance.h"

// Notices the user deals with at once: each costs him some KiB. Further ones wait.
#define NOTICES_MAX 1024

// What is told again at the flow's end: the facts are gone by then.
struct wall_notice {
    struct wall_flow flow;  // its texts are below
    bool established_told;
    bool is_being_told;  // that it is established
    bool is_over;        // and has ended meanwhile
    char process_name[WALL_COMM_BYTES];
    char path[];
};

struct wall_notice_waiting {
    struct wall_notice_waiting *next;
    uint64_t handle;
    bool is_over;
};

static struct wall_notice *notice_new(const struct wall_flow_facts *facts)
{
    const char *path = facts->path + facts->path_start;
    size_t size = strlen(path) + 1;
    struct wall_notice *notice = calloc(1, sizeof(*notice) + size);
    if (!notice)
        return NULL;
    wall_facts_describe(facts, &notice->flow);
    notice->flow.handle = facts->flow_id;
    memcpy(notice->path, path, size);
    memcpy(notice->process_name, facts->process_name, sizeof(notice->process_name));
    notice->flow.executable_path = notice->path;
    notice->flow.process_name = notice->process_name;
    return notice;
}

static bool is_told_at(const struct wall_datapath *datapath, enum wall_layer v4)
{
    return datapath->layers & WALL_LAYERS(v4) && datapath->events.flow_noticed;
}

// Tells it at a layer, if the policy has filters there.
static void tell(struct wall_datapath *datapath, struct wall_notice *notice, enum wall_layer v4)
{
    if (!is_told_at(datapath, v4))
        return;
    notice->flow.layer_id = wall_kernel_policy_layer_id(v4 + (notice->flow.family == AF_INET6));
    datapath->notices.owed++;
    datapath->events.flow_noticed(datapath->events.context, &notice->flow);
}

static void begin(struct wall_datapath *datapath, const struct wall_flow_facts *facts)
{
    struct wall_held *live = wall_held_add(&datapath->live, facts);
    if (!live)
        return;
    wall_held_set_state(&datapath->live, live, WALL_FLOW_PERMITTED);
    live->notice = notice_new(facts);
    if (!live->notice) {
        wall_held_remove(&datapath->live, live);
        return;
    }
    live->ns = wall_namespace_get(&datapath->namespaces, facts->netns_cookie, facts->process_id, facts->thread_id);
    bool is_told = is_told_at(datapath, WALL_LAYER_ESTABLISHED_V4);
    live->notice->established_told = live->notice->is_being_told = is_told;
    tell(datapath, live->notice, WALL_LAYER_ESTABLISHED_V4);
}

static void fetch(struct wall_datapath *datapath, uint64_t handle)
{
    struct wall_flow_facts *facts = datapath->facts;
    if (!wall_facts_read(datapath, datapath->hooks.told_fd, handle))
        return;
    bpf_map_delete_elem(datapath->hooks.told_fd, &handle);
    if (wall_layer_pair(facts->layer) == WALL_LAYER_ESTABLISHED_V4) {
        begin(datapath, facts);
        return;
    }
    struct wall_notice *notice = notice_new(facts);
    if (!notice)
        return;
    notice->flow.handle = 0;
    tell(datapath, notice, wall_layer_pair(facts->layer));
    free(notice);
}

static void end(struct wall_datapath *datapath, struct wall_held *live)
{
    uint64_t handle = live->flow_id;
    live->notice->is_over = true;
    if (live->notice->is_being_told)
        return;
    bool established_told = live->notice->established_told;
    tell(datapath, live->notice, WALL_LAYER_CLOSURE_V4);
    wall_namespace_unref(&datapath->namespaces, live->ns);
    wall_held_remove(&datapath->live, live);
    if (established_told && datapath->events.flow_ended)
        datapath->events.flow_ended(datapath->events.context, handle);
}

// --- What waits ---

void wall_notices_init(struct wall_datapath *datapath)
{
    static const uint64_t seed[2] = { 0x6e6f7469, 0x63657321 };  // the handles are ours
    datapath->notices = (struct wall_notice_queue){ 0 };
    wall_map_init(&datapath->notices.by_handle, seed);
}

// Returns false when memory is short.
static bool wait_in_queue(struct wall_notice_queue *queue, uint64_t handle)
{
    struct wall_notice_waiting *waiting = calloc(1, sizeof(*waiting));
    if (!waiting)
        return false;
    waiting->handle = handle;
    if (wall_map_put(&queue->by_handle, &waiting->handle, sizeof(waiting->handle), waiting) < 0) {
        free(waiting);
        return false;
    }
    if (queue->last)
        queue->last->next = waiting;
    else
        queue->first = waiting;
    queue->last = waiting;
    return true;
}

static struct wall_notice_waiting *take_first(struct wall_notice_queue *queue)
{
    struct wall_notice_waiting *first = queue->first;
    (void)wall_map_remove(&queue->by_handle, &first->handle, sizeof(first->handle));
    queue->first = first->next;
    if (!queue->first)
        queue->last = NULL;
    return first;
}

// Not from within itself: the user may deal with what he is told at once.
static void drain(struct wall_datapath *datapath)
{
    struct wall_notice_queue *queue = &datapath->notices;
    if (queue->draining)
        return;
    queue->draining = true;
    while (queue->first && queue->owed < NOTICES_MAX) {
        struct wall_notice_waiting *waiting = take_first(queue);
        fetch(datapath, waiting->handle);
        if (waiting->is_over)
            (void)wall_notices_end(datapath, waiting->handle);
        free(waiting);
    }
    queue->draining = false;
}

void wall_notices_fetch(struct wall_datapath *datapath, uint64_t handle)
{
    struct wall_notice_queue *queue = &datapath->notices;
    if ((queue->first || queue->owed >= NOTICES_MAX) && wait_in_queue(queue, handle))
        return;
    fetch(datapath, handle);
}

void wall_datapath_noticed(struct wall_datapath *datapath, uint64_t handle)
{
    struct wall_held *live = wall_held_find(&datapath->live, handle);
    datapath->notices.owed--;
    if (live && live->notice->is_being_told) {
        live->notice->is_being_told = false;
        if (live->notice->is_over)
            end(datapath, live);
    }
    drain(datapath);
}

bool wall_notices_end(struct wall_datapath *datapath, uint64_t handle)
{
    struct wall_held *live = wall_held_find(&datapath->live, handle);
    struct wall_notice_waiting *waiting = wall_map_get(&datapath->notices.by_handle, &handle, sizeof(handle));
    if (live)
        end(datapath, live);
    else if (waiting)
        waiting->is_over = true;
    return live || waiting;
}

void wall_notices_end_socket(struct wall_datapath *datapath, uint64_t cookie)
{
    struct wall_held *next = wall_held_of_socket(&datapath->live, cookie);
    for (struct wall_held *live; (live = next);) {
        next = live->next;
        if (live->key.kind != WALL_FLOW_STREAM)  // a connection outlives its socket
            end(datapath, live);
    }
}

// Whether the kernel still has the conversation, and by this name.
static bool find_conversation(const struct wall_datapath *datapath, const struct wall_held *live, int *ret_fd,
                              struct wall_conversation *ret_conversation)
{
    int fd = live->notice->flow.inbound ? datapath->hooks.heard_fd : datapath->hooks.spoken_fd;
    *ret_fd = fd;
    return !bpf_map_lookup_elem(fd, &live->key, ret_conversation) && ret_conversation->handle == live->flow_id;
}

void wall_notices_expire(struct wall_datapath *datapath)
{
    int64_t now = (int64_t)wall_boot_time_ns();
    size_t cursor = 0;
    for (struct wall_held *live; (live = wall_map_next(&datapath->live.by_id, &cursor));) {
        struct wall_conversation conversation;
        int fd;
        if (live->key.kind == WALL_FLOW_STREAM)
            continue;
        bool is_known = find_conversation(datapath, live, &fd, &conversation);
        if (is_known && now - (int64_t)conversation.last_used_ns < (int64_t)datapath->hooks.state->idle_ns)
            continue;
        if (is_known)
            bpf_map_delete_elem(fd, &live->key);
        end(datapath, live);
    }
}

int wall_datapath_abort(struct wall_datapath *datapath, uint64_t handle)
{
    struct wall_held *live = wall_held_find(&datapath->live, handle);
    if (!live)
        return -ENOENT;
    if (live->key.kind == WALL_FLOW_STREAM)
        return live->ns ? wall_socket_destroy(live->ns, &live->name) : -ENOENT;
    struct wall_conversation conversation;
    int fd;
    if (!find_conversation(datapath, live, &fd, &conversation))
        return -ENOENT;
    conversation.is_aborted = 1;  // the socket may have other peers
    return bpf_map_update_elem(fd, &live->key, &conversation, BPF_EXIST) ? -errno : 0;
}

void wall_notices_done(struct wall_datapath *datapath)
{
    size_t cursor = 0;
    for (struct wall_held *live; (live = wall_map_next(&datapath->live.by_id, &cursor));)
        wall_namespace_unref(&datapath->namespaces, live->ns);
    wall_held_done(&datapath->live);
    while (datapath->notices.first)
        free(take_first(&datapath->notices));
    wall_map_done(&datapath->notices.by_handle);
}
