// Layouts of redirected connections, shared by the BPF programs and the datapath. Addresses and ports as in
// wire/flow.bpf.h: 16 bytes, IPv4 mapped; host byte order.
//
// A redirected connection has a translation for each direction, and one more where its packets come in anew. The
// translation of what the program sends is the connection's own; from it the others follow. What a proxy at a loopback
// address answers to datagrams that were for another machine has two more: where it is sent, and at the loopback
// interface.
//
// A socket whose binding was changed is in the map `rebound`, and has a translation for what leaves from the address it
// took, and one for what arrives at the address it got. Their keys leave out the other end.
#pragma once

#include <stdint.h>

struct wall_endpoints {
    uint8_t source[16], destination[16];
    uint16_t source_port, destination_port;
};

enum wall_translation_place {
    WALL_TRANSLATION_OUT,      // where it goes out
    WALL_TRANSLATION_IN,       // where it comes in
    WALL_TRANSLATION_IN_CALL,  // at sendto(), of a proxy
};

// Key of the map `redirects`: a packet as it is before it is translated.
struct wall_translation_key {
    uint64_t netns_cookie;
    struct wall_endpoints ends;
    uint8_t protocol;
    uint8_t inbound;  // enum wall_translation_place
    uint16_t reserved;  // zero
};

enum wall_translation_action {
    WALL_TRANSLATION_REWRITE = 1,  // it goes on the way it goes
    WALL_TRANSLATION_RETURN,       // it comes in where it would have gone out
    WALL_TRANSLATION_FORWARD,      // it goes to another machine than it was to go to, or from another address
    WALL_TRANSLATION_DELIVER,      // not rewritten: it is for the listening socket at `ends`' destination
    WALL_TRANSLATION_CALL,     // it is sent to `ends`' destination instead, to get its translation there
    // Leaving: it gets the source of `ends`. Arriving: not rewritten, it is for the socket at `ends`' destination.
    WALL_TRANSLATION_BOUND,
    WALL_TRANSLATION_DROP,  // leaving from the socket: of a family that the address it got is not of
};

struct wall_translation {
    struct wall_endpoints ends;  // of the packet afterwards
    uint8_t action;              // enum wall_translation_action
    uint8_t is_begun_here;       // of the packets of the program that was redirected
    uint8_t family;              // of its socket
    uint8_t reserved[1];
    uint32_t process_id;         // its process, in whose network namespace all this is
    uint32_t interface_index;
    uint8_t address[16];         // where the connection was authorized to go; the port is that of `ends`
    uint64_t socket_cookie;      // its socket
    uint64_t flow_id;            // by which it was held
    uint64_t last_used_ns;       // CLOCK_BOOTTIME
    uint32_t to_interface;       // that of the new source, by which it leaves instead; 0: the one it leaves by
    uint32_t reserved_end;
};

#define WALL_CONTEXT_BYTES 1024  // a power of 2; WALL_REDIRECT_CONTEXT_MAX

// Value of the map `contexts`, by the id that the flow was held by: what the callout tells whoever it is redirected
// to.
struct wall_redirect_context {
    uint32_t size;
    uint8_t data[WALL_CONTEXT_BYTES];
};

// Value of the map `rebound`, by the cookie of a socket: a callout at ALE_BIND_REDIRECT has been asked about it. An
// address of zeros stands for all addresses of its family.
struct wall_rebinding {
    uint64_t netns_cookie;
    uint8_t from[16], to[16];
    uint8_t used[16];  // what the kernel chose last to send from, where `from` leaves it open
    uint16_t from_port, to_port;
    uint8_t family, protocol;
    uint8_t is_changed;  // 0: it stays where it is
    uint8_t is_closed;   // by its program; TCP may still send
    uint32_t process_id;
    uint32_t to_interface;  // as in a translation
};

// Key of the map `interfaces`: those with programs that translate.
struct wall_interface_key {
    uint64_t netns_cookie;
    uint32_t interface_index;
    uint32_t reserved;  // zero
};

struct wall_interface {
    uint32_t header_bytes;  // of a packet, before its IP header
    uint32_t mtu;
};
