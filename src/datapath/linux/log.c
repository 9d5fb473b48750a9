#include "datapath/linux/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/linux/address.h"
#include "datapath/linux/policy.h"
#include "wire/question.bpf.h"

// Above what the kernel remembers (hooks.c): when there are so many, all are forgotten on both sides and told again.
#define EXECUTABLES_MAX 32768

// Ticks without a record until the log sleeps.
#define QUIET_TICKS 4
// Ticks between looks for denials that were only counted: longer than WALL_DENIAL_INTERVAL_NS.
#define DENIAL_TICKS 24

struct executable {
    uint64_t id, inode;
    uint32_t device, mount_namespace;
    char path[];
};

static void forget_executables(struct wall_log *log)
{
    size_t cursor = 0;
    for (struct executable *executable; (executable = wall_map_next(&log->executables, &cursor));) {
        (void)wall_map_remove(&log->executables, &executable->id, sizeof(executable->id));
        free(executable);
    }
    __atomic_fetch_add(&log->state->executables_forgotten, 1, __ATOMIC_SEQ_CST);
    struct wall_executable_key key;
    while (bpf_map_get_next_key(log->executables_fd, NULL, &key) == 0)
        if (bpf_map_delete_elem(log->executables_fd, &key) && errno != ENOENT)
            break;
}

static void learn_executable(struct wall_log *log, const struct wall_log_executable *record)
{
    if (log->executables.count >= EXECUTABLES_MAX)
        forget_executables(log);
    struct executable *executable = malloc(sizeof(*executable) + record->path_length + 1);
    if (!executable)
        return;
    executable->id = record->id;
    executable->inode = record->inode;
    executable->device = record->device;
    executable->mount_namespace = record->mount_namespace;
    memcpy(executable->path, record->path, record->path_length);
    executable->path[record->path_length] = '\0';
    if (wall_map_put(&log->executables, &executable->id, sizeof(executable->id), executable) < 0)
        free(executable);
}

// The path when the record of the executable was lost: what the process runs now, which is almost always the same.
static void read_path(uint32_t process_id, char *ret_path, size_t size)
{
    char link[64];
    (void)snprintf(link, sizeof(link), "/proc/%u/exe", process_id);
    ssize_t length = readlink(link, ret_path, size - 1);
    if (length < 0)
        length = snprintf(ret_path, size, "[process %u, which has ended]", process_id);
    ret_path[length] = '\0';
}

// How long the machine has been suspended: CLOCK_BOOTTIME, which flows are told by, counts it, and the programs' clock
// does not. Never more than it is.
static uint64_t suspended_ns(void)
{
    struct timespec boot, awake;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_MONOTONIC, &awake);
    int64_t difference = (int64_t)(boot.tv_sec - awake.tv_sec) * 1000000000 + (boot.tv_nsec - awake.tv_nsec);
    return difference > 0 ? (uint64_t)difference : 0;
}

static void tell(struct wall_log *log, const struct wall_log_decision *record)
{
    const struct executable *executable =
        wall_map_get(&log->executables, &record->executable_id, sizeof(record->executable_id));
    char path[WALL_PATH_MAX];
    char name[WALL_COMM_BYTES + 1] = { 0 };
    bool is_v6 = record->layer & 1;
    if (!log->events->flow_decided || record->layer >= WALL_LAYER_COUNT_)
        return;
    if (!executable)
        read_path(record->process_id, path, sizeof(path));
    memcpy(name, record->process_name, WALL_COMM_BYTES);
    struct wall_flow flow = {
        .layer_id = wall_kernel_policy_layer_id(record->layer),
        .inbound = record->layer == WALL_LAYER_ACCEPT_V4 || record->layer == WALL_LAYER_ACCEPT_V6,
        .family = is_v6 ? AF_INET6 : AF_INET,
        .protocol = record->protocol,
        .irql = record->irql,
        .process_id = record->process_id,
        .thread_id = record->thread_id,
        .user_id = record->user_id,
        .group_id = record->group_id,
        .cgroup_id = record->cgroup_id,
        .executable_inode = executable ? executable->inode : 0,
        .executable_device = executable ? executable->device : 0,
        .executable_path = executable ? executable->path : path,
        .mount_namespace = executable ? executable->mount_namespace : 0,
        .process_name = name,
        .local_port = record->local_port,
        .remote_port = record->remote_port,
        .interface_index = record->interface_index,
        .time_ns = record->time_ns + log->suspended_ns,
        .repeats = record->repeats,
    };
    wall_address_unmap(flow.local_address, record->local_address, is_v6);
    wall_address_unmap(flow.remote_address, record->remote_address, is_v6);
    log->denied = log->denied || record->verdict == WALL_VERDICT_BLOCK;
    log->events->flow_decided(log->events->context, &flow,
                              record->verdict == WALL_VERDICT_PERMIT ? WALL_FLOW_PERMIT : WALL_FLOW_BLOCK,
                              record->filter_id);
}

static int handle(void *context, void *data, size_t size)
{
    struct wall_log *log = context;
    const struct wall_log_executable *executable = data;
    uint32_t kind;
    if (size < sizeof(kind))
        return 0;
    memcpy(&kind, data, sizeof(kind));
    if (kind == WALL_LOG_DECISION && size >= sizeof(struct wall_log_decision))
        tell(log, data);
    else if (kind == WALL_LOG_EXECUTABLE && size >= sizeof(*executable) &&
             executable->path_length <= size - sizeof(*executable))
        learn_executable(log, executable);
    log->told++;
    return --log->budget ? 0 : -EAGAIN;
}

void wall_log_init(struct wall_log *log, struct wall_state *state, int executables_fd, int denials_fd,
                   const struct wall_datapath_events *events)
{
    static const uint64_t seed[2];  // ids come from the kernel
    *log = (struct wall_log){
        .state = state,
        .executables_fd = executables_fd,
        .denials_fd = denials_fd,
        .events = events,
    };
    wall_map_init(&log->executables, seed);
    forget_executables(log);
}

int wall_log_open(struct wall_log *log, int log_fd)
{
    if (log->ring)
        return 0;
    log->ring = ring_buffer__new(log_fd, handle, log, NULL);
    if (!log->ring)
        return -errno;
    __atomic_store_n(&log->state->log_asleep, 1, __ATOMIC_RELEASE);
    return 0;
}

void wall_log_close(struct wall_log *log)
{
    ring_buffer__free(log->ring);
    log->ring = NULL;
    log->awake = false;
}

void wall_log_done(struct wall_log *log)
{
    if (!log->state)
        return;
    size_t cursor = 0;
    for (struct executable *executable; (executable = wall_map_next(&log->executables, &cursor));)
        free(executable);
    wall_map_done(&log->executables);
    log->state = NULL;
}

int wall_log_fd(const struct wall_log *log)
{
    return ring_buffer__epoll_fd(log->ring);
}

bool wall_log_read(struct wall_log *log, uint32_t budget)
{
    uint64_t before = log->told;
    if (!log->ring)
        return false;
    log->budget = budget;
    log->suspended_ns = suspended_ns();
    (void)ring_buffer__consume(log->ring);
    if (log->told != before) {
        log->awake = true;
        log->quiet_ticks = 0;
    }
    return log->awake;
}

static void tell_denials(struct wall_log *log, const struct wall_denial_key *key, const struct wall_denial *denial)
{
    struct wall_log_decision record = {
        .kind = WALL_LOG_DECISION,
        .layer = key->layer,
        .verdict = WALL_VERDICT_BLOCK,
        .protocol = key->protocol,
        .filter_id = key->filter_id,
        .executable_id = key->executable_id,
        .time_ns = denial->told_ns,
        .repeats = denial->untold - 1,
        .process_id = key->process_id,
        .thread_id = key->process_id,
        .user_id = denial->user_id,
        .group_id = denial->group_id,
        .remote_port = key->remote_port,
    };
    memcpy(record.remote_address, key->remote_address, sizeof(record.remote_address));
    tell(log, &record);
}

// Tells the denials that were only counted, and forgets them all.
static void sweep_denials(struct wall_log *log)
{
    struct wall_denial_key key;
    struct wall_denial denial;
    while (bpf_map_get_next_key(log->denials_fd, NULL, &key) == 0) {
        if (bpf_map_lookup_and_delete_elem(log->denials_fd, &key, &denial))
            break;
        if (denial.untold)
            tell_denials(log, &key, &denial);
    }
    log->denied = false;
}

bool wall_log_tick(struct wall_log *log, uint32_t budget)
{
    log->quiet_ticks++;
    wall_log_read(log, budget);
    if (log->denied && ++log->ticks >= DENIAL_TICKS) {
        log->ticks = 0;
        sweep_denials(log);
    }
    if (log->quiet_ticks < QUIET_TICKS || log->denied)
        return true;
    __atomic_store_n(&log->state->log_asleep, 1, __ATOMIC_SEQ_CST);
    log->awake = false;
    return wall_log_read(log, budget);  // what came before it was asleep woke nobody
}
