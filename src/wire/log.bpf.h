// What the ring `log` carries: decisions of the kernel, and the paths of the executables they name.
//
// A reader that sleeps is woken by the first record (state.log_asleep); after that it looks by itself.
#pragma once

#include "wire/flow.bpf.h"

enum wall_log_kind {
    WALL_LOG_DECISION = 1,  // struct wall_log_decision
    WALL_LOG_EXECUTABLE,    // struct wall_log_executable
};

// Blocked flows that only repeat the last second are counted in the map `denials`, not told one by one.
#define WALL_DENIAL_INTERVAL_NS 1000000000ull

struct wall_log_decision {
    uint32_t kind;
    uint8_t layer;    // enum wall_layer
    uint8_t verdict;  // enum wall_verdict: PERMIT or BLOCK
    uint8_t protocol;
    uint8_t irql;
    uint64_t filter_id;
    uint64_t executable_id;  // 0: the kernel itself
    uint64_t time_ns;        // CLOCK_MONOTONIC, or a tick of the kernel behind it
    uint64_t cgroup_id;
    uint64_t repeats;  // denials like this one that were not told, since the one before
    uint32_t process_id, thread_id;
    uint32_t user_id, group_id;
    uint8_t local_address[16], remote_address[16];  // as in struct wall_flow_facts
    uint16_t local_port, remote_port;
    uint32_t interface_index;
    char process_name[WALL_COMM_BYTES];
};

_Static_assert(sizeof(struct wall_log_decision) + 8 == 128, "two cache lines, with what the ring puts before it");

struct wall_log_executable {
    uint32_t kind;
    uint32_t device;
    uint64_t id;
    uint64_t inode;
    uint32_t mount_namespace;
    uint32_t path_length;
    char path[];  // path_length bytes, no NUL
};

// Room reserved for the path of an executable: the smaller one that fits is taken.
#define WALL_LOG_PATH_SHORT 256u

// Key of the map `denials`.
struct wall_denial_key {
    uint64_t executable_id;
    uint64_t filter_id;
    uint8_t remote_address[16];
    uint16_t remote_port;
    uint8_t layer;
    uint8_t protocol;
    uint32_t process_id;
};

// Value of the map `denials`.
struct wall_denial {
    uint64_t told_ns;  // when the last one was told, as in struct wall_log_decision
    uint64_t untold;   // denials since then
    uint32_t user_id, group_id;
};
