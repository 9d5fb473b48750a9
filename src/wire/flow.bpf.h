// Layouts shared by the BPF programs and the datapath: flows, their facts, the ring's records, the common state.
//
// Addresses are 16 bytes in network byte order; IPv4 stands in its mapped form ::ffff:a.b.c.d, for sockets of both
// families, so that one rule compares them. Ports are in host byte order.
#pragma once

#include <stdint.h>

// Changes with every change of a layout below: maps pinned by another version are not adopted.
#define WALL_STATE_LAYOUT 0x52570009u

#define WALL_PATH_MAX 4096u  // PATH_MAX: no path given to execve() is longer
#define WALL_NAME_MAX 256u   // longer than any name of a directory entry (255)
#define WALL_COMM_BYTES 16u  // TASK_COMM_LEN

// The layers the kernel knows. Each number is that of the layer's tables in the bundle (tables.bpf.h) and the place of
// its mode in the policy word; the V6 layer follows its V4 twin.
enum wall_layer {
    WALL_LAYER_CONNECT_V4,
    WALL_LAYER_CONNECT_V6,
    WALL_LAYER_ACCEPT_V4,
    WALL_LAYER_ACCEPT_V6,
    WALL_LAYER_LISTEN_V4,
    WALL_LAYER_LISTEN_V6,
    WALL_LAYER_ASSIGNMENT_V4,
    WALL_LAYER_ASSIGNMENT_V6,
    WALL_LAYER_REDIRECT_V4,  // ALE_CONNECT_REDIRECT
    WALL_LAYER_REDIRECT_V6,
    WALL_LAYER_BIND_REDIRECT_V4,
    WALL_LAYER_BIND_REDIRECT_V6,
    WALL_LAYER_ESTABLISHED_V4,  // from here on layers that only tell
    WALL_LAYER_ESTABLISHED_V6,
    WALL_LAYER_CLOSURE_V4,
    WALL_LAYER_CLOSURE_V6,
    WALL_LAYER_RELEASE_V4,
    WALL_LAYER_RELEASE_V6,
    WALL_LAYER_COUNT_,
};

// A set of layers: bit per pair of V4 and V6.
#define WALL_LAYERS(layer) (1u << (layer) / 2)

// What a layer does with a connection before any filter is looked at in detail.
enum wall_layer_mode {
    WALL_MODE_PERMIT,  // no filter, or none that could do anything but permit
    WALL_MODE_TABLES,  // the compiled tables decide
};

// The committed policy in one word, so that one store switches it: the generation above the mode of each layer, a bit.
// The tables of generation g are in element g & 1 of the map `policy`.
#define WALL_POLICY_SHIFT 32u
#define WALL_POLICY_MODES(layer, mode) ((uint64_t)(mode) << (layer))
#define WALL_POLICY_MODE(word, layer) ((enum wall_layer_mode)((word) >> (layer) & 1))
#define WALL_POLICY_GENERATION(word) ((word) >> WALL_POLICY_SHIFT)

// Counted by each CPU for itself (cpu.bpf.h).
enum wall_counter {
    WALL_COUNTER_SEEN,         // flows held for user space
    WALL_COUNTER_PERMITTED,    // socket calls and packets permitted by the tables
    WALL_COUNTER_BLOCKED,      // socket calls refused and packets dropped by a decision of the kernel
    WALL_COUNTER_FAIL_CLOSED,  // … because a table, the ring or memory was full, or a packet could not be read
    WALL_COUNTER_OVERFLOW,     // packets of held flows dropped since a flow or the whole queue was full
    WALL_COUNTER_RING_FULL,    // records that found no place in the ring
    WALL_COUNTER_RELEASES,     // socket releases that had to go to the map `releases`, the ring being full
    WALL_COUNTER_LOG_LOST,     // decisions nobody will be told of, the log being full; they hold all the same
    WALL_COUNTER_UNNOTICED,    // established flows nobody was told of: no place for their facts, or in the ring
    WALL_COUNTER_COUNT_,
};

// The only element of the map `state`; mapped into user space, fields written with atomic operations.
struct wall_state {
    uint32_t layout;  // WALL_STATE_LAYOUT
    uint32_t queue_packets_max;  // captured packets of one held flow
    uint32_t queue_bytes_max;    // … and their bytes
    uint32_t captured_bytes_max; // captured bytes of all held flows
    uint64_t policy;             // WALL_POLICY_WORD
    uint64_t idle_ns;            // a decided datagram flow is forgotten after this time without a packet
    uint64_t path_seed[2];       // of wall_path_hash(); secret
    uint32_t apps_known;         // app ids in the map `apps`
    uint32_t can_hold;           // not 0: flows can be held, or their sockets stopped; else a hold is a refusal
    uint32_t log_permits;        // not 0: permitted flows are logged, too
    uint32_t log_asleep;         // not 0: whoever writes to the log next wakes its reader
    uint64_t last_flow_id;
    uint64_t last_executable_id;
    uint64_t captured_bytes;  // added by the programs, subtracted by user space when it lets go of a packet
    uint64_t scope_cgroup;    // id of the cgroup the programs are attached to
    uint32_t survey;          // what the survey is run for: enum wall_survey_purpose
    uint32_t pass_mark;       // packets with this mark were sent by user space: no layer judges them again
    // Flows that peers begin have a share of the table `flows`, so that a flood of them leaves room for the others.
    uint32_t inbound_flows;   // raised by the programs, put right by user space
    uint32_t inbound_flows_max;
    uint32_t executables_forgotten;  // times: what the programs remember of executables no longer counts
    uint32_t bindings_begun;  // not 0: a socket may have a mark in the map `bindings`; never 0 again
};

enum wall_flow_kind {
    WALL_FLOW_STREAM = 1,  // TCP: one flow for each connect(); `number` is the flow id
    WALL_FLOW_DATAGRAM,    // UDP: socket and remote end; `number` is the socket cookie
    WALL_FLOW_PACKET,      // ping and raw sockets: as DATAGRAM, with the protocol; `port` is type << 8 | code for ICMP
    WALL_FLOW_ACCEPT,      // begun by a peer: socket (TCP: the listening one), remote end and protocol
    WALL_FLOW_LISTENER,    // a listening socket itself
    WALL_FLOW_BINDING,     // a socket with a local address and port
};

struct wall_flow_key {
    uint64_t number;
    uint8_t address[16];  // remote; zero for STREAM
    uint16_t port;
    uint8_t kind;      // enum wall_flow_kind
    uint8_t protocol;  // PACKET and ACCEPT only
    uint32_t reserved;  // zero
};

enum wall_flow_state { WALL_FLOW_HELD = 1, WALL_FLOW_PERMITTED, WALL_FLOW_BLOCKED };

// Value of the map `flows`. The programs insert it; after that only user space changes flow_id, generation, state and
// is_redirected.
struct wall_flow_entry {
    uint64_t flow_id;
    uint64_t generation;  // of the policy under which it was held or decided
    uint64_t last_used_ns;  // CLOCK_BOOTTIME; DATAGRAM and PACKET only
    uint32_t state;         // enum wall_flow_state
    uint32_t captured_packets, captured_bytes;  // while held; 0 packets: user space has not heard of the flow
    uint32_t is_redirected;  // DATAGRAM only: it goes elsewhere, by its translation (redirect.bpf.h)
};

// Value of the maps `spoken` and `heard`: a datagram flow that was permitted. Its packets pass in both directions.
struct wall_conversation {
    uint64_t generation;  // of the policy
    uint64_t last_used_ns;
    uint64_t handle;      // 0: nobody was told of it
    uint64_t is_aborted;  // by user space
};

enum wall_facts_flag {
    WALL_FACTS_PATH_TRUNCATED = 1,  // too long or too deep: `path` holds the last part, after "..."
    WALL_FACTS_KERNEL_THREAD = 2,   // no program: the kernel itself; `path` is "[kernel]"
    WALL_FACTS_LOCAL_KNOWN = 4,     // a packet was seen: local address, port and interface are filled in
};

// Value of the map `facts`, by flow id: the owner as it was at the socket call. Present while the flow is held.
struct wall_flow_facts {
    struct wall_flow_key key;
    uint64_t flow_id;
    uint64_t time_ns;  // CLOCK_BOOTTIME
    uint64_t socket_cookie;
    uint64_t parent_cookie;  // of the listening socket, for a connection made from it; else 0
    uint64_t netns_cookie;
    uint64_t cgroup_id;
    uint64_t executable_inode;
    uint32_t executable_device;
    uint32_t mount_namespace;  // inode number of the mount namespace the executable was found in; 0: in none
    uint32_t process_id, thread_id;
    uint32_t user_id, group_id;
    uint32_t flags;  // enum wall_facts_flag
    uint32_t interface_index;
    uint32_t bound_interface;  // SO_BINDTODEVICE; 0: not bound
    uint32_t mark;             // SO_MARK
    uint8_t local_address[16], remote_address[16];
    uint16_t local_port, remote_port;  // ICMP: type, code
    uint8_t family, protocol;
    uint8_t irql;
    uint8_t layer;  // enum wall_layer
    uint32_t reauthorize_reason;  // FWP_CONDITION_REAUTHORIZE_REASON_*
    uint32_t inbound;             // 1: the flow's first packet came from its peer
    uint64_t executable_id;  // by which the log knows the executable
    uint32_t app;            // number of its app id, as in struct wall_executable …
    uint32_t apps_known;     // … when this many were known
    char process_name[WALL_COMM_BYTES];
    uint32_t path_start;  // where in `path` the text begins; it ends with the NUL at path[WALL_PATH_MAX]
    char path[WALL_PATH_MAX + WALL_NAME_MAX];  // the tail is room for one name, which the verifier asks for
    uint32_t reserved_end;
};

enum wall_survey_purpose {
    WALL_SURVEY_OWNERS = 1,  // learn who owns the sockets that were there before the hooks
    WALL_SURVEY_FLOWS = 2,   // judge live flows again
};

// What the survey writes: a socket whose flow the present policy blocks. Addresses and ports as in the facts.
struct wall_survey_socket {
    uint64_t cookie;
    uint64_t netns_cookie;
    uint32_t process_id, thread_id;  // a task that has it open
    uint32_t bound_interface;
    uint16_t local_port, remote_port;
    uint8_t local_address[16], remote_address[16];
    uint8_t family, protocol;
    uint8_t reserved[6];
};

enum wall_record_kind {
    WALL_RECORD_PACKET = 1,  // a packet of a held flow; the first one announces the flow
    WALL_RECORD_RELEASED,    // a socket is closed: its datagram flows, or its stream flow `flow_id`, are over
    WALL_RECORD_HELD,        // a flow is held and has no packet
    WALL_RECORD_CUT,         // the kernel has decided that the socket of this flow is blocked: it is to be destroyed
    WALL_RECORD_TOLD,        // something has happened; what, is in the map `told`, to be fetched and deleted
};

enum wall_record_flag {
    WALL_RECORD_SENDER_TOLD = 1,  // the call that sent this packet failed (ENOBUFS): it must not be sent again
};

// What the ring carries. A PACKET is followed by `length` bytes from the IP header on.
struct wall_record {
    uint32_t kind;  // enum wall_record_kind
    uint32_t length;
    uint64_t flow_id;  // RELEASED: 0 for a socket of datagrams
    uint64_t socket_cookie;
    uint32_t segment_bytes;  // payload of each datagram when the packet is several in one (UDP_SEGMENT); else 0
    uint32_t flags;          // enum wall_record_flag
    uint8_t data[];
};

// --- Executables ---

// What tells one executable at one place from another: a rename, another file of the same name, or another mount all
// change it. `place` mixes the hash of each name on the way up, and the id of each mount: that tells the device, too.
struct wall_executable_key {
    uint64_t inode;
    uint64_t place[2];
    uint64_t deleted;  // in no directory any more
};

// Value of the map `executables`.
struct wall_executable {
    uint64_t id;          // told in the log with its path
    uint32_t app;         // number of its app id; WALL_APP_OTHER: none that a filter names
    uint32_t apps_known;  // as in the state, when it was looked up
};

// Above every number that an app id can get.
#define WALL_APP_OTHER 0xffffffffu

// Key of the map `apps`: the hash of a path (path_hash.bpf.h). The value is the app's number.
struct wall_path_hash {
    uint64_t words[2];
};

// Places reserved in the ring for a packet: the smallest that fits is taken.
#define WALL_PACKET_SMALL 256u
#define WALL_PACKET_MEDIUM 2048u
#define WALL_PACKET_LARGE 65600u  // the longest IPv6 packet has 65,575 bytes
