#include "datapath/linux/redirect.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/error.h"
#include "datapath/linux/address.h"
#include "datapath/linux/facts.h"
#include "datapath/linux/instance.h"
#include "ringwall/redirect.h"
#include "wire/redirect.bpf.h"

_Static_assert(WALL_CONTEXT_BYTES == WALL_REDIRECT_CONTEXT_MAX, "what the header promises");

// No packet for so long, and no socket: the connection is over, and its peer sends nothing again either.
#define IDLE_NS (60ull * 1000000000)
// The same for one whose namespace cannot be found any more to ask for the socket.
#define LOST_NS (3600ull * 1000000000)

// --- Translations ---

static struct wall_endpoints swapped(const struct wall_endpoints *ends)
{
    struct wall_endpoints other = { .source_port = ends->destination_port, .destination_port = ends->source_port };
    memcpy(other.source, ends->destination, sizeof(other.source));
    memcpy(other.destination, ends->source, sizeof(other.destination));
    return other;
}

// The translations of one connection. `deliver.value.action` is 0 where packets find their socket by themselves.
struct translations {
    struct {
        struct wall_translation_key key;
        struct wall_translation value;
    } go, back, deliver;
};

static bool is_loopback(const uint8_t *address)
{
    static const uint8_t one[16] = { [15] = 1 };
    return wall_address_is_mapped(address) ? address[12] == 127 : !memcmp(address, one, sizeof(one));
}

static enum wall_translation_action action_of(const struct wall_datapath *datapath, const struct wall_held *held,
                                              const uint8_t *address)
{
    if (held->route.interface_index == WALL_INTERFACE_LOOPBACK)
        return WALL_TRANSLATION_REWRITE;
    return wall_namespace_has_address(&datapath->namespaces, held->ns, address) ? WALL_TRANSLATION_RETURN
                                                                                : WALL_TRANSLATION_FORWARD;
}

static struct wall_translation_key key_of(const struct wall_held *held)
{
    struct wall_translation_key key = {
        .netns_cookie = held->ns->cookie,
        .ends = { .source_port = held->name.local_port, .destination_port = held->name.remote_port },
        .protocol = held->name.protocol,
    };
    memcpy(key.ends.source, held->name.local_address, 16);
    memcpy(key.ends.destination, held->name.remote_address, 16);
    return key;
}

// The way back, from the way there.
static void set_back(struct translations *of)
{
    of->back.key = of->go.key;
    of->back.key.ends = swapped(&of->go.value.ends);
    of->back.value = of->go.value;
    of->back.value.ends = swapped(&of->go.key.ends);
    of->back.value.is_begun_here = 0;
    if (of->go.value.action != WALL_TRANSLATION_FORWARD)
        return;
    of->back.key.inbound = 1;
    of->back.value.action = WALL_TRANSLATION_REWRITE;
}

static void translate(const struct wall_held *held, uint32_t process_id, const struct wall_endpoints *to,
                      enum wall_translation_action action, struct translations *ret_of)
{
    struct translations of = { .go.key = key_of(held) };
    const struct wall_endpoints *wanted = &of.go.key.ends;
    bool returns = action == WALL_TRANSLATION_RETURN;
    bool needs_delivery = returns && is_loopback(to->destination);
    of.go.value = (struct wall_translation){
        .ends = *to,
        .action = action,
        .is_begun_here = 1,
        .family = held->name.family,
        .process_id = process_id,
        .interface_index = held->route.interface_index,
        .socket_cookie = held->name.cookie,
        .last_used_ns = wall_boot_time_ns(),
    };
    memcpy(of.go.value.address, to->destination, 16);
    if (returns) {  // turned round, it comes from where it was to go
        memcpy(of.go.value.ends.source, wanted->destination, 16);
        of.go.value.ends.source_port = wanted->source_port;
    }
    if (needs_delivery)  // no packet for a loopback address may come in from outside
        memcpy(of.go.value.ends.destination, wanted->source, 16);
    set_back(&of);
    if (needs_delivery) {
        of.deliver.key = of.go.key;
        of.deliver.key.ends = of.go.value.ends;
        of.deliver.key.inbound = 1;
        of.deliver.value = of.go.value;
        of.deliver.value.is_begun_here = 0;
        of.deliver.value.action = WALL_TRANSLATION_DELIVER;
        memcpy(of.deliver.value.ends.destination, to->destination, 16);
    }
    *ret_of = of;
}

// Deletes what belongs to the translation of what the program sends, which goes last: as long as it is there, nothing
// of the connection leaves as it was.
static void remove_all(const struct wall_datapath *datapath, const struct wall_translation_key *key,
                       const struct wall_translation *value)
{
    int fd = datapath->hooks.redirects_fd;
    struct wall_translation_key other = *key;
    other.ends = swapped(&value->ends);
    other.inbound = value->action == WALL_TRANSLATION_FORWARD;
    bpf_map_delete_elem(fd, &other);
    other.ends = value->ends;
    other.inbound = 1;
    bpf_map_delete_elem(fd, &other);
    bpf_map_delete_elem(datapath->hooks.contexts_fd, &value->socket_cookie);
    bpf_map_delete_elem(fd, key);
}

bool wall_redirects_find(const struct wall_datapath *datapath, const struct wall_held *held,
                         struct wall_endpoints *ret_ends)
{
    struct wall_translation value;
    if (!datapath->redirects.count || !held->ns || held->key.kind != WALL_FLOW_STREAM)
        return false;
    const struct wall_translation_key key = key_of(held);
    if (bpf_map_lookup_elem(datapath->hooks.redirects_fd, &key, &value) || value.socket_cookie != held->name.cookie)
        return false;
    *ret_ends = value.action == WALL_TRANSLATION_RETURN ? key.ends : value.ends;
    memcpy(ret_ends->destination, value.address, 16);
    ret_ends->destination_port = value.ends.destination_port;
    return true;
}

void wall_redirects_forget(struct wall_datapath *datapath, const struct wall_held *held)
{
    struct wall_translation value;
    if (!datapath->redirects.count || !held->ns || held->key.kind != WALL_FLOW_STREAM)
        return;
    struct wall_translation_key key = key_of(held);
    if (bpf_map_lookup_elem(datapath->hooks.redirects_fd, &key, &value))
        return;
    remove_all(datapath, &key, &value);
    datapath->redirects.count--;
}

static int insert(const struct wall_datapath *datapath, const struct translations *of)
{
    int fd = datapath->hooks.redirects_fd;
    bool good = !bpf_map_update_elem(fd, &of->back.key, &of->back.value, BPF_NOEXIST);
    if (good && of->deliver.value.action)
        good = !bpf_map_update_elem(fd, &of->deliver.key, &of->deliver.value, BPF_NOEXIST);
    good = good && !bpf_map_update_elem(fd, &of->go.key, &of->go.value, BPF_NOEXIST);
    return good ? 0 : -errno;
}

// What cannot work at all, whoever asks.
static const char *flaw(struct wall_datapath *datapath, const struct wall_held *held, const struct wall_endpoints *to,
                        const struct wall_flow *flow)
{
    const struct wall_namespaces *namespaces = &datapath->namespaces;
    const uint8_t *address = to->destination;
    if (held->key.kind != WALL_FLOW_STREAM || held->name.protocol != IPPROTO_TCP)
        return "only TCP connections can be redirected";
    if (!held->ns)
        return "its network namespace cannot be found any more";
    if (!held->route.interface_index)
        return "no packet of it has been seen";
    if (flow->redirect_context_bytes > WALL_REDIRECT_CONTEXT_MAX)
        return "its context has more bytes than WALL_REDIRECT_CONTEXT_MAX";
    if (wall_address_is_mapped(address) != wall_address_is_mapped(held->name.remote_address) ||
        wall_address_is_mapped(to->source) != wall_address_is_mapped(held->name.local_address))
        return "an IPv4 connection cannot become an IPv6 one, nor the other way round";
    if (!to->destination_port || wall_address_is_any(address))
        return "the new destination has no address or no port";
    if (!to->source_port || !wall_namespace_has_address(namespaces, held->ns, to->source))
        return "its new local address is not one of this host, or has no port";
    if (wall_namespace_has_address(namespaces, held->ns, address))
        return NULL;
    if (held->route.interface_index == WALL_INTERFACE_LOOPBACK)
        return "what stays on this host cannot go to another one";
    if (!wall_namespace_has_route(namespaces, held->ns, to->source, address))
        return "there is no route to its new destination";
    return NULL;
}

static bool has_other_source(const struct wall_held *held, const struct wall_endpoints *to)
{
    return memcmp(to->source, held->name.local_address, 16) != 0 || to->source_port != held->name.local_port;
}

// What the callout tells whoever it is redirected to.
static int put_context(const struct wall_datapath *datapath, uint64_t cookie, const struct wall_flow *flow)
{
    struct wall_redirect_context context = { .size = (uint32_t)flow->redirect_context_bytes };
    if (flow->redirect_context_bytes == 0)
        return 0;
    memcpy(context.data, flow->redirect_context, flow->redirect_context_bytes);
    return bpf_map_update_elem(datapath->hooks.contexts_fd, &cookie, &context, BPF_ANY) ? -errno : 0;
}

int wall_redirects_add(struct wall_datapath *datapath, const struct wall_held *held, const struct wall_endpoints *to,
                       const struct wall_flow *flow, struct wall_error *err)
{
    const char *wrong = flaw(datapath, held, to, flow);
    if (wrong)
        return wall_error_set(err, -EOPNOTSUPP, "the connection cannot be redirected: %s", wrong);
    if (!wall_facts_read(datapath, datapath->hooks.facts_fd, held->flow_id))
        return wall_error_set(err, -ENOENT, "the connection is over");
    bool everywhere = has_other_source(held, to);  // what comes back to it may come by any interface
    uint32_t interfaces = everywhere ? WALL_INTERFACES_ALL : held->route.interface_index;
    int r = wall_translators_attach(datapath, held->ns, interfaces, err);
    if (r < 0)
        return r;
    wall_redirects_forget(datapath, held);
    struct translations of;
    translate(held, datapath->facts->process_id, to, action_of(datapath, held, to->destination), &of);
    if (everywhere)
        of.go.value.to_interface = wall_namespace_interface_of(&datapath->namespaces, held->ns, to->source);
    r = insert(datapath, &of);
    r = r ? r : put_context(datapath, held->name.cookie, flow);
    if (r == 0) {
        datapath->redirects.count++;
        return 0;
    }
    if (r != -EEXIST)  // else another connection's
        remove_all(datapath, &of.go.key, &of.go.value);
    return wall_error_set(err, r, "the connection cannot be redirected: %s", r == -EEXIST ?
                          "there is one between the same ends" : strerror(-r));
}

// --- All of them ---

// A walk over the connections' in the map. What is at hand may be deleted.
struct walk {
    int fd, r;
    struct wall_translation_key key, next;
    struct wall_translation value;
};

static struct walk walk_begin(const struct wall_datapath *datapath)
{
    struct walk walk = { .fd = datapath->hooks.redirects_fd };
    walk.r = bpf_map_get_next_key(walk.fd, NULL, &walk.next);
    return walk;
}

static bool walk_next(struct walk *walk)
{
    while (walk->r == 0) {
        walk->key = walk->next;
        walk->r = bpf_map_get_next_key(walk->fd, &walk->key, &walk->next);
        if (!bpf_map_lookup_elem(walk->fd, &walk->key, &walk->value) && walk->value.action < WALL_TRANSLATION_BOUND)
            return true;
    }
    return false;
}

// --- Ending ---

static struct wall_socket_name name_of(const struct wall_translation_key *key, const struct wall_translation *value)
{
    struct wall_socket_name name = {
        .family = value->family, .protocol = key->protocol, .local_port = key->ends.source_port,
        .remote_port = key->ends.destination_port, .cookie = value->socket_cookie,
    };
    memcpy(name.local_address, key->ends.source, 16);
    memcpy(name.remote_address, key->ends.destination, 16);
    return name;
}

// Whether the translation of what the program sends is there, to which this one belongs.
static bool has_owner(int fd, const struct wall_translation_key *key, const struct wall_translation *value)
{
    struct wall_translation found;
    struct wall_translation_key owner = *key;
    owner.inbound = 0;
    owner.ends = value->action == WALL_TRANSLATION_DELIVER ? swapped(&key->ends) : swapped(&value->ends);
    return !bpf_map_lookup_elem(fd, &owner, &found) && found.socket_cookie == value->socket_cookie;
}

static bool is_over(struct wall_datapath *datapath, const struct wall_translation_key *key,
                    const struct wall_translation *value)
{
    uint64_t now = wall_boot_time_ns(), used = value->last_used_ns;
    if (!value->is_begun_here)
        return !has_owner(datapath->hooks.redirects_fd, key, value);
    if (now < used + IDLE_NS)
        return false;
    struct wall_namespace *ns = wall_namespace_get(&datapath->namespaces, key->netns_cookie, value->process_id,
                                                   value->process_id);
    if (!ns)
        return now >= used + LOST_NS;
    const struct wall_socket_name name = name_of(key, value);
    bool over = wall_socket_exists(ns, &name) == -ENOENT;
    wall_namespace_unref(&datapath->namespaces, ns);
    return over;
}

void wall_redirects_expire(struct wall_datapath *datapath)
{
    struct wall_redirects *redirects = &datapath->redirects;
    if (!redirects->count)
        return;
    redirects->count = 0;
    for (struct walk walk = walk_begin(datapath); walk_next(&walk);) {
        if (!is_over(datapath, &walk.key, &walk.value))
            redirects->count += walk.value.is_begun_here;
        else if (walk.value.is_begun_here)
            remove_all(datapath, &walk.key, &walk.value);
        else
            bpf_map_delete_elem(walk.fd, &walk.key);
    }
}

void wall_redirects_adopt(struct wall_datapath *datapath)
{
    for (struct walk walk = walk_begin(datapath); walk_next(&walk);)
        datapath->redirects.count += walk.value.is_begun_here;
}

void wall_redirects_abort_all(struct wall_datapath *datapath)
{
    for (struct walk walk = walk_begin(datapath); walk_next(&walk);) {
        if (!walk.value.is_begun_here)
            continue;
        struct wall_namespace *ns = wall_namespace_get(&datapath->namespaces, walk.key.netns_cookie,
                                                       walk.value.process_id, walk.value.process_id);
        const struct wall_socket_name name = name_of(&walk.key, &walk.value);
        if (ns)
            (void)wall_socket_destroy(ns, &name);
        wall_namespace_unref(&datapath->namespaces, ns);
    }
}
