#include "datapath/linux/translator.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "datapath/linux/instance.h"
#include "redirect.skel.h"
#include "wire/redirect.bpf.h"

// What the kernel's headers call BPF_TCX_INGRESS and BPF_TCX_EGRESS (Linux 6.6).
enum { ATTACH_INGRESS = 46, ATTACH_EGRESS = 47 };

// The programs of one namespace.
struct translator {
    uint64_t cookie;
    struct redirect_bpf *programs;
    struct wall_namespace *ns;  // referenced: no task may be left to find it by
    bool is_everywhere;
};

static const uint64_t map_seed[2];  // cookies come from the kernel: nobody can choose them

void wall_translators_init(struct wall_translators *translators)
{
    *translators = (struct wall_translators){ 0 };
    wall_map_init(&translators->by_cookie, map_seed);
}

static void drop_programs(struct wall_datapath *datapath)
{
    struct wall_map *map = &datapath->translators.by_cookie;
    size_t cursor = 0;
    for (struct translator *of; (of = wall_map_next(map, &cursor));) {
        wall_map_remove(map, &of->cookie, sizeof(of->cookie));
        redirect_bpf__destroy(of->programs);
        wall_namespace_unref(&datapath->namespaces, of->ns);
        free(of);
    }
}

void wall_translators_done(struct wall_datapath *datapath)
{
    drop_programs(datapath);
    wall_map_done(&datapath->translators.by_cookie);
}

void wall_translators_detach(struct wall_datapath *datapath)
{
    struct wall_interface_key key;
    wall_pins_clear(&datapath->pins, "redirect_");
    while (!bpf_map_get_next_key(datapath->hooks.interfaces_fd, NULL, &key) &&
           !bpf_map_delete_elem(datapath->hooks.interfaces_fd, &key))
        ;
    drop_programs(datapath);
    datapath->translators.is_attached = false;
}

// --- Loading ---

static struct redirect_bpf *load_programs(const struct wall_hooks *hooks, uint64_t cookie)
{
    struct redirect_bpf *programs = redirect_bpf__open();
    if (!programs)
        return NULL;
    programs->rodata->netns_cookie = cookie;
    int r = bpf_map__reuse_fd(programs->maps.redirects, hooks->redirects_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.flows, hooks->flows_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.rebound, hooks->rebound_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.bindings, hooks->bindings_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.interfaces, hooks->interfaces_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.contexts, hooks->contexts_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.injectors, hooks->injectors_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.state, hooks->state_fd);
    r = r ? r : bpf_map__reuse_fd(programs->maps.cpus, hooks->cpus_fd);
    r = r ? r : redirect_bpf__load(programs);
    if (r == 0)
        return programs;
    redirect_bpf__destroy(programs);
    errno = -r;
    return NULL;
}

static struct translator *translator_get(struct wall_datapath *datapath, uint64_t cookie, struct wall_error *err)
{
    struct wall_map *map = &datapath->translators.by_cookie;
    struct translator *of = wall_map_get(map, &cookie, sizeof(cookie));
    if (of)
        return of;
    of = malloc(sizeof(*of));
    if (!of) {
        wall_error_set(err, -ENOMEM, "no memory to redirect a connection");
        return NULL;
    }
    *of = (struct translator){ cookie, load_programs(&datapath->hooks, cookie), NULL, false };
    if (of->programs && wall_map_put(map, &of->cookie, sizeof(of->cookie), of) == 0) {
        of->ns = wall_namespace_find(&datapath->namespaces, cookie);
        return of;
    }
    wall_error_set(err, -errno, "the programs that redirect connections cannot be loaded: %s", strerror(errno));
    redirect_bpf__destroy(of->programs);
    free(of);
    return NULL;
}

// --- Attaching ---

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
static int attach(const struct wall_pins *pins, const struct translator *of, uint32_t interface_index, bool arriving)
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

// In the namespace of the interface, too. It counts as one that translates when both directions do.
static int attach_both(const struct wall_datapath *datapath, const struct translator *of, uint32_t interface_index)
{
    struct wall_interface_key key = { .netns_cookie = of->cookie, .interface_index = interface_index };
    struct wall_interface value;
    int r = wall_interface_read(interface_index, &value.header_bytes, &value.mtu);
    r = r ? r : attach(&datapath->pins, of, interface_index, false);
    r = r ? r : attach(&datapath->pins, of, interface_index, true);
    if (r == 0 && bpf_map_update_elem(datapath->hooks.interfaces_fd, &key, &value, BPF_ANY))
        r = -errno;
    return r;
}

// Those whose packets cannot be read are left out: the guard at the cgroup lets nothing leave there.
static int attach_all(const struct wall_datapath *datapath, const struct translator *of)
{
    struct if_nameindex *interfaces = if_nameindex();
    int r = interfaces ? 0 : -errno;
    for (const struct if_nameindex *at = interfaces; r == 0 && at && at->if_index; at++) {
        r = attach_both(datapath, of, at->if_index);
        if (r == -EOPNOTSUPP || r == -ENODEV)  // it may have gone
            r = 0;
    }
    if (interfaces)
        if_freenameindex(interfaces);
    return r;
}

// The programs at the cgroup, once for all namespaces.
static int attach_to_cgroup(const struct wall_pins *pins, const struct redirect_bpf *programs, int cgroup_fd)
{
    const struct bpf_program *all[] = { programs->progs.redirect_original, programs->progs.redirect_guard,
                                        programs->progs.redirect_answer4, programs->progs.redirect_answer6 };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(all) / sizeof(all[0]); i++)
        if (!wall_pins_contain(pins, bpf_program__name(all[i])))
            r = pin(pins, bpf_program__name(all[i]), bpf_link_create(bpf_program__fd(all[i]), cgroup_fd,
                                                                     bpf_program__expected_attach_type(all[i]), NULL));
    return r;
}

static int attach_in(struct wall_datapath *datapath, const struct translator *of, const struct wall_namespace *ns,
                     uint32_t interface_index)
{
    int r = wall_namespace_enter(ns);
    if (r < 0)
        return r;
    r = interface_index == WALL_INTERFACES_ALL ? attach_all(datapath, of) : attach_both(datapath, of, interface_index);
    wall_namespace_leave(&datapath->namespaces, ns);
    return r;
}

int wall_translators_attach(struct wall_datapath *datapath, const struct wall_namespace *ns, uint32_t interface_index,
                            struct wall_error *err)
{
    struct translator *of = translator_get(datapath, ns->cookie, err);
    if (!of)
        return -ENOMEM;
    datapath->translators.is_attached = true;
    int r = attach_to_cgroup(&datapath->pins, of->programs, datapath->hooks.cgroup_fd);
    if (r < 0)
        return wall_error_set(err, r, "the programs that redirect connections cannot be attached to the cgroup: %s",
                              strerror(-r));
    if (of->is_everywhere && interface_index == WALL_INTERFACES_ALL)
        return 0;  // those that are new since then come with the next refresh
    r = attach_in(datapath, of, ns, interface_index);
    of->is_everywhere = of->is_everywhere || (r == 0 && interface_index == WALL_INTERFACES_ALL);
    if (r == -EOPNOTSUPP)
        return wall_error_set(err, r, "packets of interface %u begin with a header that is not known",
                              interface_index);
    if (r < 0)
        return wall_error_set(err, r, "the programs that redirect connections cannot be attached to interface %u (that "
                              "needs Linux 6.6): %s", interface_index, strerror(-r));
    return 0;
}

void wall_translators_refresh(struct wall_datapath *datapath)
{
    size_t cursor = 0;
    for (struct translator *of; (of = wall_map_next(&datapath->translators.by_cookie, &cursor));)
        if (of->is_everywhere && of->ns)
            (void)attach_in(datapath, of, of->ns, WALL_INTERFACES_ALL);  // the guard refuses where they are missing
}
