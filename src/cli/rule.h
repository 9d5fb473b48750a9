// The rules of `ringwall block` and `permit`: from selectors to filters at ALE_AUTH_CONNECT, and back to text.
//
// One rule is one filter for IPv4 and one for IPv6 with the same 16 bytes of provider data, by which `list` and
// `remove` know that they belong together. What is said of IPv4 networks is said in both: sockets of IPv6 that use IPv4
// (::ffff:192.0.2.1) are judged at the layers of IPv6.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwpmtypes.h"

#include "cli/selector.h"

// The provider and the sublayer of these rules: persistent, made when missing.
extern const GUID wall_rule_provider, wall_rule_sublayer;
// Between the built-in UNIVERSAL sublayer (0x8000) and the callout drivers, which take the places at the top.
#define WALL_RULE_SUBLAYER_WEIGHT 0x8400

// Adds the provider and the sublayer when they are missing. Not in a dynamic session: they would go with it.
// Returns a status of the API.
uint32_t wall_rule_ensure_provider(HANDLE engine);

// Of each kind of selector at most this many; the command line is refused beyond.
#define WALL_RULE_SELECTORS_MAX 64

struct wall_rule {
    bool block;
    bool persistent;
    int weight;  // 0..15; -1: by how specific the rule is
    const WCHAR *name;
    FWP_BYTE_BLOB *apps[WALL_RULE_SELECTORS_MAX];  // app ids, borrowed
    struct wall_network networks[WALL_RULE_SELECTORS_MAX];
    struct wall_port_range ports[WALL_RULE_SELECTORS_MAX];
    uint8_t protocols[WALL_RULE_SELECTORS_MAX];
    size_t app_count, network_count, port_count, protocol_count;
};

#define WALL_RULE_CONDITIONS_MAX (4 * WALL_RULE_SELECTORS_MAX)

// A filter and what it points to. Must not be copied.
struct wall_rule_filter {
    FWPM_FILTER0 filter;
    GUID key;  // the rule's: its provider data
    size_t count;
    FWPM_FILTER_CONDITION0 conditions[WALL_RULE_CONDITIONS_MAX];
    union {
        FWP_V4_ADDR_AND_MASK v4;
        FWP_V6_ADDR_AND_MASK v6;
        FWP_BYTE_ARRAY16 address;
        FWP_RANGE0 range;
    } values[WALL_RULE_CONDITIONS_MAX];
};

// Makes the rule's filter for one family. Ports without a protocol mean TCP and UDP: in WFP a port condition alone
// would also look at the code of ICMP messages.
// Returns false when the rule does not concern this family: it names networks, none of them of it.
bool wall_rule_build(const struct wall_rule *rule, const GUID *rule_key, bool is_v6,
                     struct wall_rule_filter *ret_filter);

// The rule a filter belongs to. False: it is none of these filters.
bool wall_rule_key_of(const FWPM_FILTER0 *filter, GUID *ret_key);

struct wall_texts {
    char **items;
    size_t count;
};

// "a,b"; "any" for an empty list. For free(); NULL when memory is short.
char *wall_texts_join(const struct wall_texts *texts);

// Whether the filter of a block list says of IPv4 addresses, in their IPv6 form, what another one says at the layer of
// IPv4.
bool wall_rule_is_of_mapped(const FWPM_FILTER0 *filter);

// What a filter's conditions say, as people write it.
struct wall_rule_text {
    struct wall_texts apps, remotes, ports, protocols;
    struct wall_texts others;  // the fields of conditions that are none of these
};
// Appends what `filter`, any filter, says to `text`, which begins zeroed; what is there already is left out.
// Returns 0 or -ENOMEM.
int wall_rule_describe(const FWPM_FILTER0 *filter, struct wall_rule_text *text);
void wall_rule_text_done(struct wall_rule_text *text);
