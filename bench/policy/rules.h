// Filters as people write them, and the special ones that the benchmark checks by. Made from a seed: the same every
// time. All but the last few never match what the load generator does on 127.0.0.1, so that its connections are the
// worst case: every filter is asked, the last decides.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <windows.h>

#include <fwpmu.h>

// Ports of 127.0.0.1 that the special filters are about.
#define RULES_PORT_MIXED 7900     // and the next two: swapped policies
#define RULES_PORT_INBOUND 7997   // blocked at the inbound layer
#define RULES_PORT_DENIED 7999    // blocked

struct rules {
    HANDLE engine;
    GUID sublayer;
    uint64_t seed;
    FWP_BYTE_BLOB *load_app;     // the load generator
    FWP_BYTE_BLOB **apps;        // programs of the filters; the first is the load generator
    uint32_t app_count;
};

// Opens the engine. `folder` gets `app_count` program files, so that the filters are about programs that exist.
DWORD rules_open(struct rules *rules, const char *load, const char *folder, uint32_t app_count);
void rules_close(struct rules *rules);
// Within a transaction: the sublayer of all filters below.
DWORD rules_add_sublayer(struct rules *rules);

// A filter nobody has written: program, network, port or range, protocol, each left out in one of four.
DWORD rules_add_random(struct rules *rules, uint64_t weight, UINT64 *ret_id);
// One on the remote port (0: any), of the load generator only or of everybody.
DWORD rules_add_port(struct rules *rules, const GUID *layer, bool only_load, uint16_t port, bool block, uint64_t weight,
                     UINT64 *ret_id);
// Of a list of `count` addresses, one filter; `first` is the number of the first address.
DWORD rules_add_addresses(struct rules *rules, uint32_t first, uint32_t count, uint64_t weight);
