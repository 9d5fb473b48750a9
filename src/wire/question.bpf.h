// Question and decision: what is known of a flow when one layer classifies it, and what its filters say. Shared by the
// BPF programs and user space.
//
// A fact is either known, known to be absent (FWP_EMPTY), or missing. A missing fact never makes a filter match or
// fail: when the outcome could depend on it, the flow is held and user space decides. An all-zero question knows
// nothing.
//
// Example: curl (app number 7) of user 1000 connects to 192.0.2.1:443 over TCP; the local address and port are not
// chosen yet, and nobody asked which control group it is in:
//   known = 1 << APP | 1 << USER | 1 << REMOTE_ADDRESS | 1 << REMOTE_PORT | 1 << PROTOCOL | 1 << FLAGS
//   app = 7, user = 1000, remote_address[0] = 0xc0000201, remote_port = 443, protocol = 6, flags_known = ~0
#pragma once

#include <stddef.h>
#include <stdint.h>

// The facts of a flow that filters can be decided by in the kernel. In a packed key (tables.bpf.h) three of them share
// a word: those that most filters ask for come first.
enum wall_dimension {
    WALL_DIMENSION_REMOTE_ADDRESS,
    WALL_DIMENSION_APP,
    WALL_DIMENSION_REMOTE_PORT,
    WALL_DIMENSION_PROTOCOL,
    WALL_DIMENSION_USER,
    WALL_DIMENSION_LOCAL_PORT,
    WALL_DIMENSION_LOCAL_ADDRESS,
    WALL_DIMENSION_FLAGS,
    WALL_DIMENSION_INTERFACE,
    WALL_DIMENSION_CGROUP,
    WALL_DIMENSION_LOCAL_ADDRESS_TYPE,
    WALL_DIMENSION_DESTINATION_ADDRESS_TYPE,
    WALL_DIMENSION_COUNT_,
};

// Facts that may not be known yet when a program calls connect() or sendto(), as a bit per dimension: what depends on
// them is decided with the first packet.
#define WALL_LATE_FACTS                                                                                      \
    (1u << WALL_DIMENSION_LOCAL_ADDRESS | 1u << WALL_DIMENSION_LOCAL_PORT | 1u << WALL_DIMENSION_INTERFACE | \
     1u << WALL_DIMENSION_LOCAL_ADDRESS_TYPE)

struct wall_question {
    uint32_t known;              // bit per dimension: a clear bit says that the fact is missing
    uint32_t empty;              // bit per dimension, with its known bit: the value is FWP_EMPTY
    uint32_t remote_address[4];  // most significant word first, each in host byte order; IPv4 in [0] alone
    uint32_t local_address[4];
    uint64_t cgroup;       // cgroup id
    uint32_t app;          // number of the executable's app id (compile/apps.h)
    uint32_t user;         // uid in the initial user namespace
    uint32_t flags;        // FWP_CONDITION_FLAG_*
    uint32_t flags_known;  // the bits of `flags` that are known; only those a filter asks for need to be
    uint32_t interface_index;
    uint16_t remote_port;  // host byte order; ICMP: code
    uint16_t local_port;   // host byte order; ICMP: type
    uint8_t protocol;
    uint8_t local_address_type;        // NL_ADDRESS_TYPE
    uint8_t destination_address_type;  // NL_ADDRESS_TYPE
    uint8_t reserved[5];               // zero
};

_Static_assert(sizeof(struct wall_question) == 80, "both sides agree on the question");
_Static_assert(offsetof(struct wall_question, cgroup) == 40, "both sides agree on the question");
_Static_assert(offsetof(struct wall_question, remote_port) == 68, "both sides agree on the question");

enum wall_verdict {
    WALL_VERDICT_PERMIT,
    WALL_VERDICT_BLOCK,
    WALL_VERDICT_HOLD,  // user space must run the reference classification
};

struct wall_decision {
    uint64_t filter_id;   // the filter whose action stands, as the reference reports it; with HOLD: who holds; 0: none
    uint32_t filter;      // its index in the image; WALL_FILTER_NONE
    uint32_t verdict;     // enum wall_verdict
    uint32_t missing;     // with HOLD: the missing facts (bits as a filter's `needs`); 0: a callout must be asked
    uint32_t generation;  // of the policy that was asked, its low 32 bits
};

_Static_assert(sizeof(struct wall_decision) == 24, "both sides agree on the decision");
