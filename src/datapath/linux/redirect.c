#include "datapath/linux/redirect.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "datapath/linux/address.h"
#include "datapath/linux/instance.h"
#include "redirect.skel.h"
#include "wire/redirect.bpf.h"

#define LOOPBACK_INDEX 1u  // of the loopback interface in every namespace

// No packet for so long, and no socket: the connection is over, and its peer sends nothing again either.
#define IDLE_NS (60ull * 1000000000)
// The same for one whose namespace cannot be found any more to ask for the socket.
#define LOST_NS (3600ull * 1000000000)

// What the kernel's headers call BPF_TCX_INGRESS and BPF_TCX_EGRESS (Linux 6.6).
enum { ATTACH_INGRESS = 46, ATTACH_EGRESS = 47 };

// The programs of one namespace.
struct redirector {
    uint64_t cookie;
    struct redirect_bpf *programs;
    struct wall_namespace *ns;  // referenced: no task may be left to find it by
};

static const uint64_t map_seed[2];  // cookies come from the kernel: nobody can choose them

void wall_redirects_init(struct wall_redirects *redirects)
{
    *redirects = (struct wall_redirects){ 0 };
    wall_map_init(&redirects->by_cookie, map_seed);
}

static void drop_programs(struct wall_datapath *datapath)
{
    struct wall_redirects *redirects = &datapath->redirects;
    size_t cursor = 0;
    for (struct redirector *of; (of = wall_map_next(&redirects->by_cookie, &cursor));) {
        wall_map_remove(&redirects->by_cookie, &of->cookie, sizeof(of->cookie));
        redirect_bpf__destroy(of->programs);
        wall_namespace_unref(&datapath->namespaces, of->ns);
        free(of);
    }
}

void wall_redirects_done(struct wall_datapath *datapath)
{
    drop_programs(datapath);
    wall_map_done(&datapath->redirects.by_cookie);
}

// --- Programs ---

static struct redirect_bpf *load_programs(const struct wall_hooks *hooks, uint64_t cookie)
{
    struct redirect_bpf *programs = redirect_bpf__open();
    if (!programs)
        return NULL;
    programs->rodata->netns_cookie = cookie;
    int r = bpf_map__reuse_fd(programs->maps.redirects, hooks->redirects_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.injectors, hooks->injectors_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.state, hooks->state_fd);
    r = r ? r : redirect_bpf__load(programs);
    if (r == 0)
        return programs;
    redirect_bpf__destroy(programs);
    errno = -r;
    return NULL;
}

static struct redirector *redirector_get(struct wall_datapath *datapath, uint64_t cookie, struct wall_error *err)
{
    struct wall_map *map = &datapath->redirects.by_cookie;
    struct redirector *of = wall_map_get(map, &cookie, sizeof(cookie));
    if (of)
        return of;
    of = malloc(sizeof(*of));
    if (!of) {
        wall_error_set(err, -ENOMEM, "no memory to redirect a connection");
        return NULL;
    }
    *of = (struct redirector){ cookie, load_programs(&datapath->hooks, cookie), NULL };
    if (of->programs && wall_map_put(map, &of->cookie, sizeof(of->cookie), of) == 0) {
        of->ns = wall_namespace_find(&datapath->namespaces, cookie);
        return of;
    }
    wall_error_set(err, -errno, "the programs that redirect connections cannot be loaded: %s", strerror(errno));
    redirect_bpf__destroy(of->programs);
    free(of);
    return NULL;
}

// Whether a pinned link is still at its interface: it is left without one when the interface goes.
static bool is_attached(const char *path, uint32_t interface_index)
{
    // struct bpf_link_info of a link at an interface, which older headers do not describe.
    struct {
        uint32_t type, id, program_id, reserved;
        uint32_t interface_index, attach_type;
        uint8_t rest[64];
    } info = { 0 };
    uint32_t size = sizeof(info);
    int fd = bpf_obj_get(path);
    bool good = fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && info.interface_index == interface_index;
    if (fd >= 0)
        close(fd);
    if (!good)
        unlink(path);
    return good;
}

static int pin(const struct wall_pins *pins, const char *name, int fd)
{
    char path[WALL_PIN_PATH_BYTES];
    if (fd < 0)
        return -errno;
    int r = bpf_obj_pin(fd, wall_pins_name(pins, name, path)) ? -errno : 0;
    close(fd);
    return r;
}

// In the namespace of the interface.
static int attach(const struct wall_pins *pins, const struct redirector *of, uint32_t interface_index, bool arriving)
{
    char name[64], path[WALL_PIN_PATH_BYTES];
    snprintf(name, sizeof(name), "redirect_%llx_%u_%s", (unsigned long long)of->cookie, interface_index,
             arriving ? "in" : "out");
    if (wall_pins_contain(pins, name) && is_attached(wall_pins_name(pins, name, path), interface_index))
        return 0;
    const struct bpf_program *program = arriving ? of->programs->progs.redirect_arriving
                                                 : of->programs->progs.redirect_leaving;
    int kind = arriving ? ATTACH_INGRESS : ATTACH_EGRESS;
    return pin(pins, name, bpf_link_create(bpf_program__fd(program), (int)interface_index, (enum bpf_attach_type)kind,
                                           NULL));
}

// The programs at the cgroup, once for all namespaces.
static int attach_to_cgroup(const struct wall_pins *pins, const struct bpf_program *program, const char *name,
                            int cgroup_fd)
{
    if (wall_pins_contain(pins, name))
        return 0;
    return pin(pins, name, bpf_link_create(bpf_program__fd(program), cgroup_fd,
                                           bpf_program__expected_attach_type(program), NULL));
}

static int attach_both(struct wall_datapath *datapath, const struct wall_held *held, struct wall_error *err)
{
    uint32_t interface_index = held->route.interface_index;
    const struct redirector *of = redirector_get(datapath, held->ns->cookie, err);
    if (!of)
        return -ENOMEM;
    const struct wall_pins *pins = &datapath->pins;
    int cgroup_fd = datapath->hooks.cgroup_fd;
    int r = attach_to_cgroup(pins, of->programs->progs.redirect_original, "redirect_original", cgroup_fd);
    r = r ? r : attach_to_cgroup(pins, of->programs->progs.redirect_guard, "redirect_guard", cgroup_fd);
    if (r < 0)
        return wall_error_set(err, r, "the programs that redirect connections cannot be attached to the cgroup: %s",
                              strerror(-r));
    r = wall_namespace_enter(held->ns);
    if (r == 0) {
        r = attach(pins, of, interface_index, false);
        if (r == 0 && interface_index != LOOPBACK_INDEX)
            r = attach(pins, of, interface_index, true);
        wall_namespace_leave(&datapath->namespaces, held->ns);
    }
    if (r == 0)
        return 0;
    return wall_error_set(err, r, "the programs that redirect connections cannot be attached to interface %u (that "
                          "needs Linux 6.6): %s", interface_index, strerror(-r));
}

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
    if (held->route.interface_index == LOOPBACK_INDEX)
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

static void translate(const struct wall_held *held, uint32_t process_id, const uint8_t *address, uint16_t port,
                      enum wall_translation_action action, struct translations *ret_of)
{
    struct translations of = { .go.key = key_of(held) };
    const struct wall_endpoints *wanted = &of.go.key.ends;
    bool returns = action == WALL_TRANSLATION_RETURN;
    bool needs_delivery = returns && is_loopback(address);
    of.go.value = (struct wall_translation){
        .ends = { .source_port = wanted->source_port, .destination_port = port },
        .action = action,
        .is_begun_here = 1,
        .family = held->name.family,
        .process_id = process_id,
        .interface_index = held->route.interface_index,
        .socket_cookie = held->name.cookie,
        .last_used_ns = wall_boot_time_ns(),
    };
    memcpy(of.go.value.address, address, 16);
    // Turned round, it comes from where it was to go. No packet for a loopback address may come in from outside.
    memcpy(of.go.value.ends.source, returns ? wanted->destination : wanted->source, 16);
    memcpy(of.go.value.ends.destination, needs_delivery ? wanted->source : address, 16);
    set_back(&of);
    if (needs_delivery) {
        of.deliver.key = of.go.key;
        of.deliver.key.ends = of.go.value.ends;
        of.deliver.key.inbound = 1;
        of.deliver.value = of.go.value;
        of.deliver.value.is_begun_here = 0;
        of.deliver.value.action = WALL_TRANSLATION_DELIVER;
        memcpy(of.deliver.value.ends.destination, address, 16);
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
    bpf_map_delete_elem(fd, key);
}

bool wall_redirects_find(const struct wall_datapath *datapath, const struct wall_held *held, uint8_t *ret_address,
                         uint16_t *ret_port)
{
    struct wall_translation value;
    if (!datapath->redirects.count || !held->ns || held->key.kind != WALL_FLOW_STREAM)
        return false;
    const struct wall_translation_key key = key_of(held);
    if (bpf_map_lookup_elem(datapath->hooks.redirects_fd, &key, &value) || value.socket_cookie != held->name.cookie)
        return false;
    memcpy(ret_address, value.address, 16);
    *ret_port = value.ends.destination_port;
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
static const char *flaw(struct wall_datapath *datapath, const struct wall_held *held, const uint8_t *address,
                        uint16_t port)
{
    static const uint8_t any6[16];
    if (held->key.kind != WALL_FLOW_STREAM || held->name.protocol != IPPROTO_TCP)
        return "only TCP connections can be redirected";
    if (!held->ns)
        return "its network namespace cannot be found any more";
    if (!held->route.interface_index)
        return "no packet of it has been seen";
    if (!wall_namespace_has_ethernet(&datapath->namespaces, held->ns, held->route.interface_index))
        return "its interface has no Ethernet headers";
    if (wall_address_is_mapped(address) != wall_address_is_mapped(held->name.remote_address))
        return "an IPv4 connection cannot become an IPv6 one, nor the other way round";
    if (!port || !memcmp(address, any6, 16) || (wall_address_is_mapped(address) && !memcmp(address + 12, any6, 4)))
        return "the new destination has no address or no port";
    if (wall_namespace_has_address(&datapath->namespaces, held->ns, address))
        return NULL;
    if (held->route.interface_index == LOOPBACK_INDEX)
        return "what stays on this host cannot go to another one";
    if (!wall_namespace_has_route(&datapath->namespaces, held->ns, held->name.local_address, address))
        return "there is no route to its new destination";
    return NULL;
}

int wall_redirects_add(struct wall_datapath *datapath, const struct wall_held *held, const uint8_t *address,
                       uint16_t port, struct wall_error *err)
{
    const char *wrong = flaw(datapath, held, address, port);
    if (wrong)
        return wall_error_set(err, -EOPNOTSUPP, "the connection cannot be redirected: %s", wrong);
    if (!wall_flows_read(datapath, datapath->hooks.facts_fd, held->flow_id))
        return wall_error_set(err, -ENOENT, "the connection is over");
    int r = attach_both(datapath, held, err);
    if (r < 0)
        return r;
    wall_redirects_forget(datapath, held);
    struct translations of;
    translate(held, datapath->facts->process_id, address, port, action_of(datapath, held, address), &of);
    r = insert(datapath, &of);
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

// A walk over the map. What is at hand may be deleted.
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
        if (!bpf_map_lookup_elem(walk->fd, &walk->key, &walk->value))
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
    if (redirects->count)
        return;
    wall_pins_clear(&datapath->pins, "redirect_");
    drop_programs(datapath);
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
