// Where a held connection is to go, or its socket is to be bound: what its program asked for, and how callouts at
// ALE_CONNECT_REDIRECT and ALE_BIND_REDIRECT changed it, each knowing what those before it did.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "datapath/datapath.h"
#include "wire/messages.h"

// Versions of one connection; a callout beyond it changes nothing, and is told so.
#define WALL_REDIRECT_VERSIONS_MAX 16u

struct wall_redirect {
    struct wall_redirect_version *versions;  // the program's own first; each with a context of its own
    uint32_t count;                          // 0: not at a layer where it can be changed
    // What the kernel has chosen for a socket without bind(), of which callouts at ALE_BIND_REDIRECT know nothing.
    uint8_t chosen_address[16];
    uint16_t chosen_port;
};

// Begins with the program's own version; `flow` becomes what callouts at its layer know. Returns 0 or -ENOMEM.
int wall_redirect_begin(struct wall_redirect *redirect, struct wall_flow *flow);
// Adds a callout's. Returns 0, -ENOMEM, or -ENOSPC.
int wall_redirect_add(struct wall_redirect *redirect, const struct wall_redirect_version *version, uint64_t filter_id);
// The version that counts; NULL: the program's own.
const struct wall_redirect_version *wall_redirect_current(const struct wall_redirect *redirect);
void wall_redirect_done(struct wall_redirect *redirect);

// Makes `flow` what is asked about after this layer: of the next one, and with what callouts have left; it borrows the
// context of the version that counts. Returns 0 or -ENOMEM.
int wall_redirect_apply(struct wall_redirect *redirect, struct wall_flow *flow);
