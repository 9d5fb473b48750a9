#include "datapath/linux/rebinding.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "datapath/linux/address.h"
#include "datapath/linux/facts.h"
#include "datapath/linux/instance.h"
#include "datapath/linux/translator.h"
#include "wire/redirect.bpf.h"

// No packet of a closed socket for so long: TCP has ended as well.
#define IDLE_NS (120ull * 1000000000)

// --- Translations ---

struct translation {
    struct wall_translation_key key;
    struct wall_translation value;
};

static struct translation translation_of(uint64_t cookie, const struct wall_rebinding *of)
{
    return (struct translation){
        .key = { .netns_cookie = of->netns_cookie, .protocol = of->protocol },
        .value = {
            .action = WALL_TRANSLATION_BOUND, .family = of->family, .process_id = of->process_id,
            .socket_cookie = cookie, .last_used_ns = wall_boot_time_ns(), .to_interface = of->to_interface,
        },
    };
}

static struct translation leaving(uint64_t cookie, const struct wall_rebinding *of)
{
    struct translation t = translation_of(cookie, of);
    memcpy(t.key.ends.source, of->from, 16);
    t.key.ends.source_port = of->from_port;
    memcpy(t.value.ends.source, of->to, 16);
    t.value.ends.source_port = of->to_port;
    t.value.is_begun_here = 1;
    return t;
}

static struct translation arriving(uint64_t cookie, const struct wall_rebinding *of)
{
    struct translation t = translation_of(cookie, of);
    t.key.inbound = WALL_TRANSLATION_IN;
    memcpy(t.key.ends.destination, of->to, 16);
    t.key.ends.destination_port = of->to_port;
    memcpy(t.value.ends.destination, of->from, 16);
    t.value.ends.destination_port = of->from_port;
    return t;
}

// What a socket of both families would send by the one its new address is not of.
static struct translation stray(uint64_t cookie, const struct wall_rebinding *of)
{
    struct translation t = leaving(cookie, of);
    wall_address_map(t.key.ends.source, (const uint8_t[4]){ 0 }, false);
    t.value.action = WALL_TRANSLATION_DROP;
    return t;
}

static bool is_of_both_families(const struct wall_rebinding *of)
{
    return of->family == AF_INET6 && !wall_address_is_mapped(of->from) && wall_address_is_any(of->from) &&
           !wall_address_is_any(of->to);
}

// Of the same socket, one that shares its place with it (SO_REUSEPORT), or one that is closed.
static bool may_replace(const struct wall_datapath *datapath, const struct translation *of,
                        const struct wall_translation *found)
{
    struct wall_rebinding other;
    return found->socket_cookie == of->value.socket_cookie ||
           !memcmp(&found->ends, &of->value.ends, sizeof(found->ends)) ||
           !wall_rebindings_find(datapath, found->socket_cookie, &other) || other.is_closed;
}

static int put(const struct wall_datapath *datapath, const struct translation *of)
{
    int fd = datapath->hooks.redirects_fd;
    struct wall_translation found;
    if (!bpf_map_lookup_elem(fd, &of->key, &found) && !may_replace(datapath, of, &found))
        return -EADDRINUSE;
    return bpf_map_update_elem(fd, &of->key, &of->value, BPF_ANY) ? -errno : 0;
}

static void take_back(const struct wall_datapath *datapath, const struct translation *of)
{
    int fd = datapath->hooks.redirects_fd;
    struct wall_translation found;
    if (!bpf_map_lookup_elem(fd, &of->key, &found) && found.socket_cookie == of->value.socket_cookie)
        bpf_map_delete_elem(fd, &of->key);
}

static void remove_translations(const struct wall_datapath *datapath, uint64_t cookie, const struct wall_rebinding *of)
{
    const struct translation all[] = { arriving(cookie, of), leaving(cookie, of), stray(cookie, of) };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        take_back(datapath, &all[i]);
}

// What leaves comes last: when it is there, the rest is.
static int put_translations(const struct wall_datapath *datapath, uint64_t cookie, const struct wall_rebinding *of)
{
    const struct translation in = arriving(cookie, of), out = leaving(cookie, of), other = stray(cookie, of);
    int r = is_of_both_families(of) ? put(datapath, &other) : 0;
    r = r ? r : put(datapath, &in);
    r = r ? r : put(datapath, &out);
    if (r < 0)
        remove_translations(datapath, cookie, of);
    return r;
}

// --- Binding ---

bool wall_rebindings_find(const struct wall_datapath *datapath, uint64_t cookie, struct wall_rebinding *ret_rebinding)
{
    return datapath->rebindings.changed &&
           !bpf_map_lookup_elem(datapath->hooks.rebound_fd, &cookie, ret_rebinding) && ret_rebinding->is_changed;
}

// A binding that a program made may be to all addresses; one that the kernel made is.
static struct wall_rebinding binding_of(const struct wall_held *held, uint32_t process_id)
{
    struct wall_rebinding of = {
        .netns_cookie = held->ns ? held->ns->cookie : 0, .from_port = held->name.local_port,
        .family = held->name.family, .protocol = held->name.protocol, .process_id = process_id,
    };
    if (held->key.kind == WALL_FLOW_BINDING)
        memcpy(of.from, held->name.local_address, 16);
    else if (held->name.family == AF_INET)
        wall_address_map(of.from, (const uint8_t[4]){ 0 }, false);
    return of;
}

// What cannot work at all, whoever asks.
static const char *flaw(const struct wall_datapath *datapath, const struct wall_held *held,
                        const struct wall_rebinding *to)
{
    if (to->protocol != IPPROTO_TCP && to->protocol != IPPROTO_UDP)
        return "only TCP and UDP sockets can be bound elsewhere";
    if (!held->ns)
        return "its network namespace cannot be found any more";
    if (wall_address_is_mapped(to->from) != wall_address_is_mapped(to->to))
        return "an IPv4 address cannot become an IPv6 one, nor the other way round";
    if (!to->to_port)
        return "its port is not known";
    if (!wall_address_is_any(to->to) && !wall_namespace_has_address(&datapath->namespaces, held->ns, to->to))
        return "the new address is not one of this host";
    return NULL;
}

int wall_rebindings_add(struct wall_datapath *datapath, const struct wall_held *held, const uint8_t *address,
                        uint16_t port, struct wall_error *err)
{
    if (!wall_facts_read(datapath, datapath->hooks.facts_fd, held->flow_id))
        return wall_error_set(err, -ENOENT, "the socket is closed");
    uint64_t cookie = held->name.cookie;
    struct wall_rebinding earlier;
    if (!bpf_map_lookup_elem(datapath->hooks.rebound_fd, &cookie, &earlier))
        return 0;  // another first flow of the socket was answered before
    struct wall_rebinding to = binding_of(held, datapath->facts->process_id);
    memcpy(to.to, address, 16);
    to.to_port = port ? port : to.from_port;
    to.is_changed = 1;
    const char *wrong = flaw(datapath, held, &to);
    if (wrong)
        return wall_error_set(err, -EOPNOTSUPP, "the socket cannot be bound elsewhere: %s", wrong);
    int r = wall_translators_attach(datapath, held->ns, WALL_INTERFACES_ALL, err);
    if (r < 0)
        return r;
    to.to_interface = wall_namespace_interface_of(&datapath->namespaces, held->ns, to.to);
    r = bpf_map_update_elem(datapath->hooks.rebound_fd, &cookie, &to, BPF_NOEXIST) ? -errno : 0;
    r = r ? r : put_translations(datapath, cookie, &to);
    if (r < 0) {
        bpf_map_delete_elem(datapath->hooks.rebound_fd, &cookie);
        return wall_error_set(err, r, "the socket cannot be bound elsewhere: %s", strerror(-r));
    }
    datapath->rebindings.count++;
    datapath->rebindings.changed++;
    return 0;
}

int wall_rebindings_settle(struct wall_datapath *datapath, const struct wall_held *held)
{
    uint64_t cookie = held->name.cookie;
    const struct wall_rebinding same = binding_of(held, 0);
    if (bpf_map_update_elem(datapath->hooks.rebound_fd, &cookie, &same, BPF_NOEXIST))
        return errno == EEXIST ? 0 : -errno;
    datapath->rebindings.count++;
    return 0;
}

// --- Ending ---

static void forget(struct wall_datapath *datapath, uint64_t cookie, const struct wall_rebinding *of)
{
    if (of->is_changed)
        remove_translations(datapath, cookie, of);
    bpf_map_delete_elem(datapath->hooks.rebound_fd, &cookie);
    datapath->rebindings.count--;
    datapath->rebindings.changed -= of->is_changed;
}

void wall_rebindings_close(struct wall_datapath *datapath, uint64_t cookie, bool sends)
{
    int fd = datapath->hooks.rebound_fd;
    struct wall_rebinding of;
    if (!datapath->rebindings.count || bpf_map_lookup_elem(fd, &cookie, &of))
        return;
    if (!of.is_changed || (of.protocol == IPPROTO_UDP && !sends)) {
        forget(datapath, cookie, &of);
        return;
    }
    of.is_closed = 1;
    bpf_map_update_elem(fd, &cookie, &of, BPF_EXIST);
}

static bool is_over(const struct wall_datapath *datapath, uint64_t cookie, const struct wall_rebinding *of)
{
    const struct translation out = leaving(cookie, of);
    struct wall_translation found;
    return of->is_closed && (bpf_map_lookup_elem(datapath->hooks.redirects_fd, &out.key, &found) ||
                             found.socket_cookie != cookie || found.last_used_ns + IDLE_NS < wall_boot_time_ns());
}

void wall_rebindings_expire(struct wall_datapath *datapath)
{
    int fd = datapath->hooks.rebound_fd;
    uint64_t cookie, next;
    if (!datapath->rebindings.changed)
        return;
    for (int r = bpf_map_get_next_key(fd, NULL, &next); r == 0;) {
        struct wall_rebinding of;
        cookie = next;
        r = bpf_map_get_next_key(fd, &cookie, &next);
        if (!bpf_map_lookup_elem(fd, &cookie, &of) && is_over(datapath, cookie, &of))
            forget(datapath, cookie, &of);
    }
}

// The programs are loaded again, so that they can be attached to interfaces that come to be.
static void load_again(struct wall_datapath *datapath, const struct wall_rebinding *of)
{
    struct wall_namespace *ns = wall_namespace_get(&datapath->namespaces, of->netns_cookie, of->process_id,
                                                   of->process_id);
    if (ns)
        (void)wall_translators_attach(datapath, ns, WALL_INTERFACES_ALL, NULL);  // those that are attached go on
    wall_namespace_unref(&datapath->namespaces, ns);
}

void wall_rebindings_adopt(struct wall_datapath *datapath)
{
    int fd = datapath->hooks.rebound_fd;
    uint64_t cookie, next;
    for (int r = bpf_map_get_next_key(fd, NULL, &next); r == 0;) {
        struct wall_rebinding of;
        cookie = next;
        r = bpf_map_get_next_key(fd, &cookie, &next);
        if (bpf_map_lookup_elem(fd, &cookie, &of))
            continue;
        datapath->rebindings.count++;
        datapath->rebindings.changed += of.is_changed;
        if (of.is_changed)
            load_again(datapath, &of);
    }
}
