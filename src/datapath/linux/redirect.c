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

// Flows of one socket that are answered from one loopback address.
#define ANSWERS_MAX 64

// --- Translations ---

static struct wall_endpoints swapped(const struct wall_endpoints *ends)
{
    struct wall_endpoints other = { .source_port = ends->destination_port, .destination_port = ends->source_port };
    memcpy(other.source, ends->destination, sizeof(other.source));
    memcpy(other.destination, ends->source, sizeof(other.destination));
    return other;
}

struct translation {
    struct wall_translation_key key;
    struct wall_translation value;
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

static bool is_datagram(const struct translation *go)
{
    return go->key.protocol == IPPROTO_UDP;
}

static struct translation way_there(const struct wall_held *held, uint32_t process_id, const struct wall_endpoints *to,
                                    enum wall_translation_action action)
{
    struct translation go = { .key = key_of(held) };
    const struct wall_endpoints *wanted = &go.key.ends;
    go.value = (struct wall_translation){
        .ends = *to,
        .action = action,
        .is_begun_here = 1,
        .family = held->name.family,
        .process_id = process_id,
        .interface_index = held->route.interface_index,
        .socket_cookie = held->name.cookie,
        .flow_id = held->flow_id,
        .last_used_ns = wall_boot_time_ns(),
    };
    memcpy(go.value.address, to->destination, 16);
    if (action != WALL_TRANSLATION_RETURN)
        return go;
    // Turned round, it comes from where it was to go; no packet for a loopback address may come in from outside.
    memcpy(go.value.ends.source, wanted->destination, 16);
    go.value.ends.source_port = wanted->source_port;
    if (is_loopback(to->destination))
        memcpy(go.value.ends.destination, wanted->source, 16);
    return go;
}

// The way back, from the way there.
static struct translation way_back(const struct translation *go)
{
    struct translation back = *go;
    back.key.ends = swapped(&go->value.ends);
    back.value.ends = swapped(&go->key.ends);
    back.value.is_begun_here = 0;
    if (go->value.action != WALL_TRANSLATION_FORWARD)
        return back;
    back.key.inbound = WALL_TRANSLATION_IN;
    back.value.action = WALL_TRANSLATION_REWRITE;
    return back;
}

// Where packets that were turned round come in and do not find their socket by themselves. What nobody takes of
// datagrams is stopped there.
static bool is_delivered(const struct translation *go)
{
    return go->value.action == WALL_TRANSLATION_RETURN && (is_datagram(go) || is_loopback(go->value.address));
}

static struct translation delivery(const struct translation *go)
{
    struct translation deliver = *go;
    deliver.key.ends = go->value.ends;
    deliver.key.inbound = WALL_TRANSLATION_IN;
    deliver.value.is_begun_here = 0;
    deliver.value.action = WALL_TRANSLATION_DELIVER;
    memcpy(deliver.value.ends.destination, go->value.address, 16);
    return deliver;
}

// Whether a proxy could not answer from where it is.
static bool is_answered_here(const struct translation *go)
{
    return is_delivered(go) && is_datagram(go) && is_loopback(go->value.address);
}

// The call by which the proxy answers; `port`: of the address to which it sends instead.
static struct translation answering_call(const struct translation *go, uint16_t port)
{
    struct translation call = way_back(go);
    memcpy(call.key.ends.source, go->value.address, 16);
    call.key.inbound = WALL_TRANSLATION_IN_CALL;
    call.value.ends = call.key.ends;
    memcpy(call.value.ends.destination, go->key.ends.source, 16);
    call.value.ends.destination_port = port;
    call.value.action = WALL_TRANSLATION_CALL;
    return call;
}

// What the call has sent, at the loopback interface.
static struct translation answer_to(const struct translation *go, const struct translation *call)
{
    struct translation answer = way_back(go);
    answer.key.ends = call->value.ends;
    answer.value.action = WALL_TRANSLATION_REWRITE;
    return answer;
}

// Deletes what belongs to the translation of what the program sends, which goes last: as long as it is there, nothing
// of the connection leaves as it was.
static void remove_all(const struct wall_datapath *datapath, const struct translation *go)
{
    int fd = datapath->hooks.redirects_fd;
    struct translation other = way_back(go);
    bpf_map_delete_elem(fd, &other.key);
    other = delivery(go);
    if (is_delivered(go))
        bpf_map_delete_elem(fd, &other.key);
    other = answering_call(go, 0);
    if (is_answered_here(go) && !bpf_map_lookup_elem(fd, &other.key, &other.value)) {
        const struct translation answer = answer_to(go, &other);
        bpf_map_delete_elem(fd, &answer.key);
        bpf_map_delete_elem(fd, &other.key);
    }
    bpf_map_delete_elem(datapath->hooks.contexts_fd, &go->value.flow_id);
    bpf_map_delete_elem(fd, &go->key);
}

static bool is_redirectable(const struct wall_held *held)
{
    return (held->key.kind == WALL_FLOW_STREAM && held->name.protocol == IPPROTO_TCP) ||
           (held->key.kind == WALL_FLOW_DATAGRAM && held->name.protocol == IPPROTO_UDP);
}

static bool find(const struct wall_datapath *datapath, const struct wall_held *held, struct translation *ret_go)
{
    if (!datapath->redirects.count || !held->ns || !is_redirectable(held))
        return false;
    ret_go->key = key_of(held);
    return !bpf_map_lookup_elem(datapath->hooks.redirects_fd, &ret_go->key, &ret_go->value) &&
           ret_go->value.is_begun_here;
}

bool wall_redirects_find(const struct wall_datapath *datapath, const struct wall_held *held,
                         struct wall_endpoints *ret_ends)
{
    struct translation go;
    if (!find(datapath, held, &go) || go.value.socket_cookie != held->name.cookie)
        return false;
    *ret_ends = go.value.action == WALL_TRANSLATION_RETURN ? go.key.ends : go.value.ends;
    memcpy(ret_ends->destination, go.value.address, 16);
    ret_ends->destination_port = go.value.ends.destination_port;
    return true;
}

bool wall_redirects_find_answer(const struct wall_datapath *datapath, const struct wall_held *held,
                                struct wall_endpoints *ret_ends)
{
    struct wall_translation call;
    if (!datapath->redirects.count || !held->ns || held->key.kind != WALL_FLOW_DATAGRAM)
        return false;
    struct wall_translation_key key = key_of(held);
    key.inbound = WALL_TRANSLATION_IN_CALL;
    if (bpf_map_lookup_elem(datapath->hooks.redirects_fd, &key, &call))
        return false;
    *ret_ends = call.ends;
    return true;
}

static struct wall_flow_key flow_of(const struct translation *go)
{
    struct wall_flow_key key = {
        .number = go->value.socket_cookie, .port = go->key.ends.destination_port, .kind = WALL_FLOW_DATAGRAM,
    };
    memcpy(key.address, go->key.ends.destination, sizeof(key.address));
    return key;
}

void wall_redirects_forget(struct wall_datapath *datapath, const struct wall_held *held)
{
    struct translation go;
    if (!find(datapath, held, &go))
        return;
    if (is_datagram(&go) && go.value.socket_cookie != held->name.cookie) {  // that flow is asked about again
        const struct wall_flow_key key = flow_of(&go);
        bpf_map_delete_elem(datapath->hooks.flows_fd, &key);
    }
    remove_all(datapath, &go);
    datapath->redirects.count--;
}

// What an earlier judgement of the same flow has left: its packets may have come from another address then.
static void forget_earlier(struct wall_datapath *datapath, const struct wall_held *held)
{
    wall_redirects_forget(datapath, held);
    struct wall_held *other = wall_held_of_socket(&datapath->table, held->name.cookie);
    for (; other; other = other->next) {
        if (!other->is_redirected || other == held || memcmp(&other->key, &held->key, sizeof(held->key)) != 0)
            continue;
        struct wall_held earlier = *other;
        earlier.ns = held->ns;
        wall_redirects_forget(datapath, &earlier);
        other->is_redirected = false;
    }
}

static int put(const struct wall_datapath *datapath, const struct translation *of)
{
    return bpf_map_update_elem(datapath->hooks.redirects_fd, &of->key, &of->value, BPF_NOEXIST) ? -errno : 0;
}

// Several flows of one socket may be answered from one place: each answer is sent to another port.
static int put_answer(const struct wall_datapath *datapath, const struct translation *go)
{
    uint16_t port = go->key.ends.source_port;
    int r = -EEXIST;
    for (int i = 0; i < ANSWERS_MAX && r == -EEXIST; i++) {
        port = (uint16_t)(port + 1 ? port + 1 : 1);
        const struct translation call = answering_call(go, port), answer = answer_to(go, &call);
        r = put(datapath, &answer);
        r = r ? r : put(datapath, &call);
    }
    return r;
}

static int insert(const struct wall_datapath *datapath, const struct translation *go)
{
    const struct translation back = way_back(go), deliver = delivery(go);
    int r = put(datapath, &back);
    if (r == 0 && is_delivered(go))
        r = put(datapath, &deliver);
    if (r == 0 && is_answered_here(go))
        r = put_answer(datapath, go);
    return r ? r : put(datapath, go);
}

// What cannot work at all, whoever asks.
static const char *flaw(struct wall_datapath *datapath, const struct wall_held *held, const struct wall_endpoints *to,
                        const struct wall_flow *flow)
{
    const struct wall_namespaces *namespaces = &datapath->namespaces;
    const uint8_t *address = to->destination;
    struct wall_rebinding binding;
    if (!is_redirectable(held))
        return "only TCP connections and UDP datagrams can be redirected";
    if (held->key.kind == WALL_FLOW_DATAGRAM && wall_rebindings_find(datapath, held->name.cookie, &binding))
        return "its socket is bound elsewhere, where answers from another place do not arrive";
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
static int put_context(const struct wall_datapath *datapath, const struct wall_flow *flow)
{
    struct wall_redirect_context context = { .size = (uint32_t)flow->redirect_context_bytes };
    if (flow->redirect_context_bytes == 0)
        return 0;
    memcpy(context.data, flow->redirect_context, flow->redirect_context_bytes);
    return bpf_map_update_elem(datapath->hooks.contexts_fd, &flow->id, &context, BPF_ANY) ? -errno : 0;
}

// Puts the programs where its packets have to be seen.
static int attach(struct wall_datapath *datapath, const struct wall_held *held, const struct translation *go,
                  bool everywhere, struct wall_error *err)
{
    uint32_t interfaces = everywhere ? WALL_INTERFACES_ALL : held->route.interface_index;
    int r = wall_translators_attach(datapath, held->ns, interfaces, err);
    if (r >= 0 && is_answered_here(go))
        r = wall_translators_attach(datapath, held->ns, WALL_INTERFACE_LOOPBACK, err);
    return r;
}

int wall_redirects_add(struct wall_datapath *datapath, struct wall_held *held, const struct wall_endpoints *to,
                       const struct wall_flow *flow, struct wall_error *err)
{
    const char *wrong = flaw(datapath, held, to, flow);
    if (wrong)
        return wall_error_set(err, -EOPNOTSUPP, "the connection cannot be redirected: %s", wrong);
    if (!wall_facts_read(datapath, datapath->hooks.facts_fd, held->flow_id))
        return wall_error_set(err, -ENOENT, "the connection is over");
    struct translation go =
        way_there(held, datapath->facts->process_id, to, action_of(datapath, held, to->destination));
    bool everywhere = has_other_source(held, to);  // what comes back to it may come by any interface
    if (everywhere)
        go.value.to_interface = wall_namespace_interface_of(&datapath->namespaces, held->ns, to->source);
    int r = attach(datapath, held, &go, everywhere, err);
    if (r < 0)
        return r;
    forget_earlier(datapath, held);
    r = insert(datapath, &go);
    r = r ? r : put_context(datapath, flow);
    if (r == 0) {
        datapath->redirects.count++;
        held->is_redirected = held->key.kind == WALL_FLOW_DATAGRAM;
        return 0;
    }
    if (r != -EEXIST)  // else another connection's
        remove_all(datapath, &go);
    return wall_error_set(err, r, "the connection cannot be redirected: %s", r == -EEXIST ?
                          "there is one between the same ends" : strerror(-r));
}

// --- All of them ---

// A walk over the connections' in the map. What is at hand may be deleted.
struct walk {
    int fd, r;
    struct wall_translation_key next;
    struct translation at;
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
        walk->at.key = walk->next;
        walk->r = bpf_map_get_next_key(walk->fd, &walk->at.key, &walk->next);
        if (!bpf_map_lookup_elem(walk->fd, &walk->at.key, &walk->at.value) &&
            walk->at.value.action < WALL_TRANSLATION_BOUND)
            return true;
    }
    return false;
}

// --- Ending ---

static struct wall_socket_name name_of(const struct translation *go)
{
    struct wall_socket_name name = {
        .family = go->value.family, .protocol = go->key.protocol, .local_port = go->key.ends.source_port,
        .remote_port = go->key.ends.destination_port, .cookie = go->value.socket_cookie,
    };
    memcpy(name.local_address, go->key.ends.source, 16);
    memcpy(name.remote_address, go->key.ends.destination, 16);
    return name;
}

// Whether the translation to which this one belongs is there.
static bool has_owner(int fd, const struct translation *of)
{
    struct translation owner = *of;
    owner.key.inbound = WALL_TRANSLATION_OUT;
    if (of->value.action == WALL_TRANSLATION_CALL)
        owner.key.ends = of->value.ends;
    else
        owner.key.ends = swapped(of->value.action == WALL_TRANSLATION_DELIVER ? &of->key.ends : &of->value.ends);
    return !bpf_map_lookup_elem(fd, &owner.key, &owner.value) && owner.value.socket_cookie == of->value.socket_cookie;
}

static uint64_t last_used(int fd, const struct translation *of)
{
    struct wall_translation value;
    return bpf_map_lookup_elem(fd, &of->key, &value) ? 0 : value.last_used_ns;
}

static uint64_t latest(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

// When a packet has passed either way.
static uint64_t last_used_of_all(int fd, const struct translation *go)
{
    const struct translation back = way_back(go);
    uint64_t used = latest(go->value.last_used_ns, last_used(fd, &back));
    struct translation call = answering_call(go, 0);
    if (!is_answered_here(go) || bpf_map_lookup_elem(fd, &call.key, &call.value))
        return used;
    const struct translation answer = answer_to(go, &call);
    return latest(used, last_used(fd, &answer));
}

// Whether the flow of datagrams is not redirected any more: it has rested, its socket is closed, or it is judged again.
static bool is_flow_over(int fd, const struct translation *go)
{
    const struct wall_flow_key key = flow_of(go);
    struct wall_flow_entry entry;
    return bpf_map_lookup_elem(fd, &key, &entry) || !entry.is_redirected;
}

static bool is_over(struct wall_datapath *datapath, const struct translation *of)
{
    int fd = datapath->hooks.redirects_fd;
    if (!of->value.is_begun_here)
        return !has_owner(fd, of);
    uint64_t now = wall_boot_time_ns(), used = last_used_of_all(fd, of);
    if (now < used + IDLE_NS)
        return false;
    if (is_datagram(of))
        return is_flow_over(datapath->hooks.flows_fd, of);
    struct wall_namespace *ns = wall_namespace_get(&datapath->namespaces, of->key.netns_cookie, of->value.process_id,
                                                   of->value.process_id);
    if (!ns)
        return now >= used + LOST_NS;
    const struct wall_socket_name name = name_of(of);
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
        if (!is_over(datapath, &walk.at))
            redirects->count += walk.at.value.is_begun_here;
        else if (walk.at.value.is_begun_here)
            remove_all(datapath, &walk.at);
        else
            bpf_map_delete_elem(walk.fd, &walk.at.key);
    }
}

void wall_redirects_adopt(struct wall_datapath *datapath)
{
    for (struct walk walk = walk_begin(datapath); walk_next(&walk);)
        datapath->redirects.count += walk.at.value.is_begun_here;
}

void wall_redirects_abort_all(struct wall_datapath *datapath)
{
    for (struct walk walk = walk_begin(datapath); walk_next(&walk);) {
        if (!walk.at.value.is_begun_here || is_datagram(&walk.at))
            continue;
        struct wall_namespace *ns = wall_namespace_get(&datapath->namespaces, walk.at.key.netns_cookie,
                                                       walk.at.value.process_id, walk.at.value.process_id);
        const struct wall_socket_name name = name_of(&walk.at);
        if (ns)
            (void)wall_socket_destroy(ns, &name);
        wall_namespace_unref(&datapath->namespaces, ns);
    }
}
