// The datapath: where connections are seen, held, permitted and blocked. One interface, several bodies.
//
// The body tells its user of flows that need a decision; the user answers each by flow id, whenever it likes. A flow
// without an answer stays held: no byte of it leaves. Single-threaded: all calls and callbacks on the caller's thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wall_policy;
struct wall_compiled;
struct wall_error;
struct wall_filter;
struct wall_datapath;

// One flow at one layer, as the kernel saw it. Addresses in network byte order (IPv4 in the first 4 bytes), ports in
// host byte order. Borrowed: valid during the callback.
struct wall_flow {
    uint64_t id;            // of this question: unique for the life of the datapath and across its restarts
    uint64_t handle;        // of the connection, the same at all its layers; 0 before there is one (bind, listen)
    uint16_t layer_id;      // FWPS_LAYER_ALE_AUTH_CONNECT_V4 …
    bool inbound;           // direction of the flow's first packet
    bool redirected;        // `remote_*` is not where its program wanted to go; and is authorized to
    bool rebound;           // `local_*` is not where its program, or the kernel for it, bound the socket
    uint32_t reauthorize_reason;  // FWP_CONDITION_REAUTHORIZE_REASON_*; 0: the first authorization
    uint8_t family;         // AF_INET or AF_INET6
    uint8_t protocol;       // IPPROTO_TCP, UDP, ICMP, ICMPV6
    uint8_t irql;           // 0 PASSIVE_LEVEL, 2 DISPATCH_LEVEL: the context the hook ran in
    bool adopted;           // held since before this datapath was opened (a restart of the service)
    uint32_t process_id;    // thread group id in the initial pid namespace
    uint32_t thread_id;
    uint32_t user_id, group_id;
    uint64_t cgroup_id;
    uint64_t socket_cookie;  // 0 in flow_decided()
    uint64_t parent_cookie;  // of the listening socket, when this one was accepted from it; else 0
    uint64_t netns_cookie;
    uint64_t executable_inode;
    uint32_t executable_device;  // kernel encoding (MKDEV)
    // Absolute, as the kernel walked it at the socket call, up to the root of the mount namespace; NUL-terminated.
    // "[kernel]" for the kernel itself. A file that is in no directory any more has the path it had last.
    const char *executable_path;
    bool executable_path_truncated;  // longer than PATH_MAX: the last part, after "..."
    uint32_t mount_namespace;        // inode number of the namespace the path is in: containers have their own
    const char *process_name;    // comm
    uint8_t local_address[16], remote_address[16];
    uint16_t local_port, remote_port;  // ICMP: type and code
    uint32_t interface_index;
    uint64_t time_ns;       // CLOCK_BOOTTIME at the socket call
    uint64_t repeats;       // flow_decided(): decisions like this one before it that were counted but not told
    // Of one that is `redirected`: what the callout tells whoever it goes to.
    const uint8_t *redirect_context;
    size_t redirect_context_bytes;
    const uint8_t *packet;  // the held first packet, from the IP header on; NULL when there is none yet
    size_t packet_bytes;
};

enum wall_flow_decision { WALL_FLOW_PERMIT, WALL_FLOW_BLOCK };

struct wall_datapath_events {
    void *context;
    // A flow needs a decision. Called once per flow and layer.
    void (*flow_held)(void *context, const struct wall_flow *flow);
    // A held flow is gone without a decision (the program closed the socket or died).
    void (*flow_gone)(void *context, uint64_t flow_id);
    // The kernel decided a flow by itself (a static filter). For the log; may be incomplete under load (see stats).
    void (*flow_decided)(void *context, const struct wall_flow *flow, enum wall_flow_decision decision,
                         uint64_t filter_id);
    // At a layer that only tells: FLOW_ESTABLISHED, ENDPOINT_CLOSURE, RESOURCE_RELEASE. Only while the policy has
    // filters there. Nothing is held; to end the flow call wall_datapath_abort(). For each call wall_datapath_noticed()
    // is owed, during it or later: meanwhile the flow's end is not told, and of others only so many.
    void (*flow_noticed)(void *context, const struct wall_flow *flow);
    // The true end of a flow of which flow_noticed() told FLOW_ESTABLISHED; once, after its ENDPOINT_CLOSURE.
    void (*flow_ended)(void *context, uint64_t handle);
    // Whether a callout is registered now; the filters of one that is not are decided in the kernel. NULL: all are.
    bool (*callout_registered)(void *context, uint32_t callout_id);
};

// One packet of a driver's, from the IP header on.
struct wall_injection {
    uint64_t netns_cookie;  // where
    bool receive;           // false: sent as if from this host; true: received as if it had arrived
    uint32_t interface_index;  // 0: by the routes
    const uint8_t *packet;
    size_t packet_bytes;
};

struct wall_datapath_config {
    const char *cgroup_path;  // absolute path of the cgroup to attach to
    const char *pin_path;     // absolute path of a directory; pins live below it (a bpffs is mounted there if needed)
    struct wall_datapath_events events;
    // All 0 or NULL: the defaults.
    uint32_t flows_max;       // held flows, and decided ones of datagram sockets; full: new ones are refused (ENOBUFS)
    uint32_t held_max;        // held flows only
    uint32_t ring_bytes;      // of the ring that brings packets here: a power of two, and whole pages
    uint32_t captured_bytes;  // captured packets of all held flows; what comes above is dropped
    uint32_t idle_ms;         // a decided UDP or ping flow without a packet for so long is forgotten
    const char *btf_path;     // the kernel's type information, where it is not at its usual place
};

struct wall_datapath_stats {
    uint64_t flows_seen, flows_held_now, flows_permitted, flows_blocked, flows_gone;
    uint64_t events_lost;      // log events dropped (verdicts are never lost)
    uint64_t table_bytes;      // of the compiled policy in the kernel
    uint64_t compile_us, load_us;  // how long its last commit took
    uint64_t fail_closed;      // flows refused because a table or buffer was full
    uint64_t packets_dropped;  // of held flows, above the limits of the queue
};

// Loads and attaches, or adopts what an earlier instance left pinned. With no filters attached nothing is held.
// Returns 0, or -EPERM, -ENOENT (no BTF, no cgroup v2, no such cgroup), -EBUSY (another live instance holds the pins),
// -ESTALE (pinned by another version), -ENOTSUP (what this kernel lacks) with `err` telling what, where and what to do.
int wall_datapath_open(const struct wall_datapath_config *config, struct wall_datapath **ret_datapath,
                       struct wall_error *err);
// Leaves everything pinned: static verdicts go on, held flows stay held.
void wall_datapath_close(struct wall_datapath *datapath);
// Detaches and unpins everything this datapath ever created; held flows are refused first. Also frees it.
int wall_datapath_remove(struct wall_datapath *datapath, struct wall_error *err);
// Removes what a dead instance left at `pin_path`, whatever version of Ringwall made it (wall_datapath_open() refuses
// another version's with -ESTALE). What it held is let go, not refused. Returns 0, also when there is nothing;
// -EBUSY when the instance lives.
int wall_datapath_discard(const char *pin_path, struct wall_error *err);

int wall_datapath_fd(const struct wall_datapath *datapath);  // readable when wall_datapath_dispatch() has work
// Runs callbacks, which may call wall_datapath_decide() but not close or remove. Returns 0 or -errno.
int wall_datapath_dispatch(struct wall_datapath *datapath);

// Enforces a new policy, atomically for every connection. `policy` is borrowed; the datapath takes references.
// To be called, too, when a callout has been registered or unregistered. On failure the old policy stays in force.
int wall_datapath_set_policy(struct wall_datapath *datapath, struct wall_policy *policy, struct wall_error *err);
// A filter that the next policy may have: what can be done for it is done now, so that the commit is short. Borrowed.
void wall_datapath_expect(struct wall_datapath *datapath, uint16_t layer_id, const struct wall_filter *filter);
// Whether flow_decided() is told of permitted flows as well, also at ALE_AUTH_CONNECT without any filter.
// Blocked ones are always told. Returns as wall_datapath_set_policy().
int wall_datapath_log_permits(struct wall_datapath *datapath, bool log_permits, struct wall_error *err);

// How one layer's filters were compiled, for people. Borrowed until the next wall_datapath_set_policy(); NULL: the
// layer has no tables.
const struct wall_compiled *wall_datapath_compiled(const struct wall_datapath *datapath, uint16_t layer_id);

// Answers a held flow, once. Returns 0, or -ENOENT when the flow is unknown or gone.
int wall_datapath_decide(struct wall_datapath *datapath, uint64_t flow_id, enum wall_flow_decision decision);

// Answers the held flow `flow->id` with a permit that changes it to what `flow` says: a TCP connection that is
// `redirected` goes to `remote_*`, one that is `rebound` comes from `local_*`; a binding, or a socket that sends
// datagrams without bind(), is bound to `local_*` (zeros: to all addresses; port 0: the port it has). Its program goes
// on believing in the addresses it asked for. Returns 0; or -errno with `err` telling why it cannot be, and the flow is
// still held.
int wall_datapath_redirect(struct wall_datapath *datapath, const struct wall_flow *flow, struct wall_error *err);

// What flow_noticed() told has been dealt with. `handle`: of its flow.
void wall_datapath_noticed(struct wall_datapath *datapath, uint64_t handle);
// Cuts a live flow: its socket gets ECONNABORTED. Returns 0, or -ENOENT when there is no such flow (any more).
int wall_datapath_abort(struct wall_datapath *datapath, uint64_t handle);

// Sends or receives a packet that no layer judges again. Returns 0, -EINVAL (no IP packet), -ENOENT (no flow is or was
// lately held in that namespace), or -errno of the socket.
int wall_datapath_inject(struct wall_datapath *datapath, const struct wall_injection *injection);

// A snapshot of the counters since the datapath was first opened.
void wall_datapath_get_stats(struct wall_datapath *datapath, struct wall_datapath_stats *ret_stats);
