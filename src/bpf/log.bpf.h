// The log: what the kernel decides by itself, told to user space at a bounded cost. Verdicts never depend on it.
#pragma once

#include "hold.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"
#include "wire/log.bpf.h"
#include "wire/question.bpf.h"

// Whether a record wakes the reader: only the first one after it went to sleep.
static __always_inline uint64_t log_wakeup(struct wall_state *at)
{
    if (!*(volatile uint32_t *)&at->log_asleep)
        return BPF_RB_NO_WAKEUP;
    return __sync_lock_test_and_set(&at->log_asleep, 0) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

// Room for a record in the ring's own memory, to be submitted. Returns NULL, and counts the loss, when there is none.
static __always_inline struct wall_log_decision *log_reserve_decision(void)
{
    struct wall_log_decision *decision = bpf_ringbuf_reserve(&log, sizeof(*decision), 0);
    if (!decision)
        count(WALL_COUNTER_LOG_LOST);
    return decision;
}

#define LOG_EXECUTABLE(name, room)                                                                                \
    static __always_inline bool name(struct wall_state *at, const struct wall_flow_facts *of, uint64_t id)        \
    {                                                                                                             \
        struct wall_log_executable *record = bpf_ringbuf_reserve(&log, sizeof(*record) + (room), 0);              \
        if (!record) {                                                                                            \
            count(WALL_COUNTER_LOG_LOST);                                                                     \
            return false;                                                                                         \
        }                                                                                                         \
        uint32_t length = WALL_PATH_MAX - of->path_start;                                                         \
        *record = (struct wall_log_executable){                                                                   \
            .kind = WALL_LOG_EXECUTABLE,                                                                          \
            .device = of->executable_device,                                                                      \
            .id = id,                                                                                             \
            .inode = of->executable_inode,                                                                        \
            .mount_namespace = of->mount_namespace,                                                               \
            .path_length = length,                                                                                \
        };                                                                                                        \
        forget(length);                                                                                           \
        if (length == 0 || length > (room) ||                                                                     \
            bpf_probe_read_kernel(record->path, length, &of->path[of->path_start & (WALL_PATH_MAX - 1)])) {       \
            bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);                                                        \
            return false;                                                                                         \
        }                                                                                                         \
        bpf_ringbuf_submit(record, log_wakeup(at));                                                               \
        return true;                                                                                              \
    }

LOG_EXECUTABLE(log_executable_short, WALL_LOG_PATH_SHORT)
LOG_EXECUTABLE(log_executable_long, WALL_PATH_MAX)

// Tells the path of an executable. Returns false when the log has no place for it.
static __always_inline bool log_executable(struct wall_state *at, const struct wall_flow_facts *of, uint64_t id)
{
    if (WALL_PATH_MAX - of->path_start <= WALL_LOG_PATH_SHORT)
        return log_executable_short(at, of, id);
    return log_executable_long(at, of, id);
}

// What is told of one decision, besides who made the call and when.
struct logged {
    struct remote local, remote;
    uint64_t executable_id, filter_id;
    uint32_t interface_index;
    uint8_t layer, verdict, protocol, irql;
};

// Whether a denial is to be told `now`. Those of the last second are counted instead; the number is told with the next
// one, or by the reader of the log, who looks through the map.
static __always_inline bool denial_note(const struct wall_denial_key *key, uint64_t user, uint64_t now,
                                        uint64_t *ret_repeats)
{
    struct wall_denial *known = bpf_map_lookup_elem(&denials, key);
    if (!known) {
        struct wall_denial first = {
            .told_ns = now,
            .user_id = (uint32_t)user,
            .group_id = (uint32_t)(user >> 32),
        };
        bpf_map_update_elem(&denials, key, &first, BPF_ANY);  // without a place, every denial is told
        return true;
    }
    if ((int64_t)(now - known->told_ns) < (int64_t)WALL_DENIAL_INTERVAL_NS) {
        __sync_fetch_and_add(&known->untold, 1);
        return false;
    }
    *ret_repeats = known->untold;
    known->untold = 0;
    known->told_ns = now;
    return true;
}

// The same, for what the current task is refused.
static __noinline int denial_of_task(const struct logged *logged, uint64_t now, uint64_t *ret_repeats)
{
    if (!logged || !ret_repeats)
        return 0;
    const struct task_struct *task = bpf_get_current_task_btf();
    struct wall_denial_key key = {
        .executable_id = logged->executable_id,
        .filter_id = logged->filter_id,
        .remote_port = logged->remote.port,
        .layer = logged->layer,
        .protocol = logged->protocol,
        .process_id = process_of(task),
    };
    __builtin_memcpy(key.remote_address, logged->remote.address, sizeof(key.remote_address));
    uint64_t user = (uint64_t)group_of(task) << 32 | user_of(task);
    return denial_note(&key, user, now, ret_repeats);
}

static __always_inline void decision_put(struct wall_state *at, const struct logged *logged, uint64_t now,
                                         uint64_t repeats)
{
    struct wall_log_decision *decision = log_reserve_decision();
    if (!decision)
        return;
    const struct task_struct *task = bpf_get_current_task_btf();
    const uint64_t *name = (const uint64_t *)task->comm;
    *decision = (struct wall_log_decision){
        .kind = WALL_LOG_DECISION,
        .layer = logged->layer,
        .verdict = logged->verdict,
        .protocol = logged->protocol,
        .irql = logged->irql,
        .filter_id = logged->filter_id,
        .executable_id = logged->executable_id,
        .time_ns = now,
        .cgroup_id = cgroup_of(task),
        .repeats = repeats,
        .process_id = process_of(task),
        .thread_id = thread_of(task),
        .user_id = user_of(task),
        .group_id = group_of(task),
        .local_port = logged->local.port,
        .remote_port = logged->remote.port,
        .interface_index = logged->interface_index,
    };
    __builtin_memcpy(decision->local_address, logged->local.address, sizeof(decision->local_address));
    __builtin_memcpy(decision->remote_address, logged->remote.address, sizeof(decision->remote_address));
    uint64_t words[WALL_COMM_BYTES / 8] = { name[0], name[1] };
    __builtin_memcpy(decision->process_name, words, sizeof(words));
    bpf_ringbuf_submit(decision, log_wakeup(at));
}

// Tells a decision, when it is to be told. By the clock of the kernel's last tick: a closer one waits until all that is
// being read has come from memory, which costs a connection 50 ns.
static __always_inline void log_decision(struct wall_state *at, const struct logged *logged)
{
    uint64_t repeats = 0, now = bpf_ktime_get_coarse_ns();
    bool is_told = logged->verdict == WALL_VERDICT_BLOCK ? denial_of_task(logged, now, &repeats) : at->log_permits;
    if (is_told)
        decision_put(at, logged, now, repeats);
}
