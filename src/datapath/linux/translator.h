// The programs that translate the packets of redirected connections and of sockets whose binding was changed: at the
// interfaces of the network namespaces where there are any.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

struct wall_datapath;
struct wall_error;
struct wall_namespace;

struct wall_translators {
    struct wall_map by_cookie;  // of network namespaces: the programs loaded for them
    bool is_attached;           // somewhere, perhaps by an earlier instance
};

// An interface index that stands for all of them.
#define WALL_INTERFACES_ALL 0u
// That of the loopback interface in every namespace.
#define WALL_INTERFACE_LOOPBACK 1u

// Nothing is attached yet.
void wall_translators_init(struct wall_translators *translators);
// Lets go of the programs; those attached go on.
void wall_translators_done(struct wall_datapath *datapath);

// Attaches the programs to an interface of the namespace, or to all whose packets they can read, and from now on to
// those that come to be. Returns 0, or -errno with `err` telling why not: -EOPNOTSUPP for an interface whose packets
// begin with a header that is not known.
int wall_translators_attach(struct wall_datapath *datapath, const struct wall_namespace *ns, uint32_t interface_index,
                            struct wall_error *err);
// Attaches them to interfaces that are new. To be called from time to time.
void wall_translators_refresh(struct wall_datapath *datapath);
// Detaches everything: nothing is translated any more.
void wall_translators_detach(struct wall_datapath *datapath);
