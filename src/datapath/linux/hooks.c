#include "datapath/linux/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "datapath/linux/policy.h"
#include "datapath/linux/survey.h"
#include "datapath.skel.h"

#define CONNECT WALL_LAYERS(WALL_LAYER_CONNECT_V4)
#define ACCEPT WALL_LAYERS(WALL_LAYER_ACCEPT_V4)
#define LISTEN WALL_LAYERS(WALL_LAYER_LISTEN_V4)
#define ASSIGNMENT WALL_LAYERS(WALL_LAYER_ASSIGNMENT_V4)
#define REDIRECT WALL_LAYERS(WALL_LAYER_REDIRECT_V4)
#define BIND_REDIRECT WALL_LAYERS(WALL_LAYER_BIND_REDIRECT_V4)
#define TELLING                                                                           \
    (WALL_LAYERS(WALL_LAYER_ESTABLISHED_V4) | WALL_LAYERS(WALL_LAYER_CLOSURE_V4) |        \
     WALL_LAYERS(WALL_LAYER_RELEASE_V4))

#define ENDPOINTS (ACCEPT | LISTEN | ASSIGNMENT | BIND_REDIRECT | TELLING)
#define CALLS (CONNECT | REDIRECT | BIND_REDIRECT)
#define KEEP WALL_LAYERS_KEEP

// What each hook is called where it is pinned, and the layers that need it. A flow is never held before the hook that
// keeps its packets back, so those at packets are attached first and detached last.
static const struct {
    const char *pin;
    enum bpf_attach_type type;
    uint32_t layers;
    bool is_at_packets;
} hook_table[WALL_HOOK_COUNT_] = {
    [WALL_HOOK_RELEASE] = { "link_release", BPF_CGROUP_INET_SOCK_RELEASE, KEEP | ENDPOINTS, true },
    [WALL_HOOK_ENDPOINT_RELEASE] = { "link_endpoint_release", BPF_CGROUP_INET_SOCK_RELEASE, ENDPOINTS, true },
    [WALL_HOOK_EGRESS] = { "link_egress", BPF_CGROUP_INET_EGRESS,
                           KEEP | WALL_LAYERS_PACKETS | ACCEPT | ASSIGNMENT | BIND_REDIRECT | TELLING, true },
    [WALL_HOOK_ENDPOINTS] = { "link_endpoints", BPF_CGROUP_SOCK_OPS, ENDPOINTS, false },
    [WALL_HOOK_BIND4] = { "link_bind4", BPF_CGROUP_INET4_POST_BIND, ENDPOINTS, false },
    [WALL_HOOK_BIND6] = { "link_bind6", BPF_CGROUP_INET6_POST_BIND, ENDPOINTS, false },
    [WALL_HOOK_CREATE] = { "link_create", BPF_CGROUP_INET_SOCK_CREATE, ENDPOINTS, false },
    [WALL_HOOK_INGRESS] = { "link_ingress", BPF_CGROUP_INET_INGRESS, ENDPOINTS, true },
    [WALL_HOOK_CONNECT4] = { "link_connect4", BPF_CGROUP_INET4_CONNECT, CALLS, false },
    [WALL_HOOK_CONNECT6] = { "link_connect6", BPF_CGROUP_INET6_CONNECT, CALLS, false },
    [WALL_HOOK_SENDMSG4] = { "link_sendmsg4", BPF_CGROUP_UDP4_SENDMSG, CALLS | ACCEPT | TELLING, false },
    [WALL_HOOK_SENDMSG6] = { "link_sendmsg6", BPF_CGROUP_UDP6_SENDMSG, CALLS | ACCEPT | TELLING, false },
};

#define EXECUTABLES_MAX 8192u   // programs at once on a machine; 100 bytes each
#define DENIALS_MAX 4096u       // denied destinations told in the last second
#define LOG_BYTES (1u << 20)    // 5,700 decisions

#define FD(map) offsetof(struct wall_hooks, map##_fd)
#define NO_FD 0

// Maps that outlive an instance, and where the descriptors of those are that user space reads or writes.
static const struct {
    const char *name;
    size_t fd;
} map_table[] = {
    { "state", FD(state) },         { "cpus", FD(cpus) },
    { "flows", FD(flows) },         { "facts", FD(facts) },
    { "events", FD(events) },       { "releases", FD(releases) }, { "injectors", FD(injectors) },
    { "policy", FD(policy) },       { "apps", FD(apps) },         { "executables", FD(executables) },
    { "log", FD(log) },             { "denials", FD(denials) },   { "owners", FD(owners) },
    { "spoken", FD(spoken) },       { "heard", FD(heard) },       { "told", FD(told) },
    { "redirects", FD(redirects) }, { "rebound", FD(rebound) },   { "bindings", FD(bindings) },
    { "interfaces", FD(interfaces) }, { "contexts", FD(contexts) }, { "marks", NO_FD },
    { "tracks", NO_FD },            { "arrivals", NO_FD },
};
#define MAP_COUNT (sizeof(map_table) / sizeof(map_table[0]))
#define FDS_MAX (MAP_COUNT + 1 + 2 * WALL_HOOK_COUNT_)

// The end of what libbpf says while loading: the verifier's reasons stand there.
static char load_log[4096];
static size_t load_log_length;

static int keep_log(enum libbpf_print_level level, const char *format, va_list arguments)
{
    char *text = NULL;
    if (level == LIBBPF_DEBUG || vasprintf(&text, format, arguments) < 0)
        return 0;
    const char *end = text;  // the verifier's log comes as one text; what does not fit is cut off its beginning
    size_t size = strlen(text);
    if (size >= sizeof(load_log)) {
        end += size - sizeof(load_log) + 1;
        size = sizeof(load_log) - 1;
    }
    size_t drop = load_log_length + size >= sizeof(load_log) ? load_log_length + size - sizeof(load_log) + 1 : 0;
    load_log_length -= drop;
    memmove(load_log, load_log + drop, load_log_length);
    memcpy(load_log + load_log_length, end, size + 1);
    load_log_length += size;
    free(text);
    return 0;
}

// Cuts off what follows the verifier's words: its statistics, and libbpf's summary.
static void cut_statistics(char *log)
{
    static const char *const statistics[] = { "\nverification time ", "\nstack depth ", "\nprocessed " };
    for (size_t i = 0; i < sizeof(statistics) / sizeof(statistics[0]); i++) {
        char *at = strstr(log, statistics[i]);
        if (at)
            *at = '\0';
    }
}

// The last lines of what the verifier said, or else of the whole log, on one line.
static void summarize_log(char *ret_text, size_t size)
{
    cut_statistics(load_log);
    size_t length = strlen(load_log);
    const char *from = length > 250 ? load_log + length - 250 : load_log;
    const char *line = strchr(from, '\n');
    if (from != load_log && line && line[1])
        from = line + 1;
    snprintf(ret_text, size, "%.300s", from);
    for (char *at = ret_text; *at; at++)
        if (*at == '\n')
            *at = at[1] ? '|' : '\0';
}

static struct bpf_program *program_of(const struct wall_hooks *hooks, enum wall_hook hook)
{
    struct bpf_program *programs[WALL_HOOK_COUNT_] = {
        [WALL_HOOK_RELEASE] = hooks->programs->progs.release_announce,
        [WALL_HOOK_ENDPOINT_RELEASE] = hooks->programs->progs.endpoint_release,
        [WALL_HOOK_EGRESS] = hooks->programs->progs.egress_hold,
        [WALL_HOOK_ENDPOINTS] = hooks->programs->progs.endpoint_watch,
        [WALL_HOOK_BIND4] = hooks->programs->progs.bind4_authorize,
        [WALL_HOOK_BIND6] = hooks->programs->progs.bind6_authorize,
        [WALL_HOOK_CREATE] = hooks->programs->progs.create_authorize,
        [WALL_HOOK_INGRESS] = hooks->programs->progs.ingress_accept,
        [WALL_HOOK_CONNECT4] = hooks->programs->progs.connect4_authorize,
        [WALL_HOOK_CONNECT6] = hooks->programs->progs.connect6_authorize,
        [WALL_HOOK_SENDMSG4] = hooks->programs->progs.sendmsg4_authorize,
        [WALL_HOOK_SENDMSG6] = hooks->programs->progs.sendmsg6_authorize,
    };
    return programs[hook];
}

static const char *map_pin(const struct wall_hooks *hooks, const char *name, char ret_path[WALL_PIN_PATH_BYTES])
{
    char file[64];
    snprintf(file, sizeof(file), "map_%s", name);
    return wall_pins_name(hooks->pins, file, ret_path);
}

static bool all_maps_pinned(const struct wall_hooks *hooks)
{
    char path[WALL_PIN_PATH_BYTES];
    for (size_t i = 0; i < MAP_COUNT; i++)
        if (access(map_pin(hooks, map_table[i].name, path), F_OK))
            return false;
    return true;
}

// Uses the pinned map in place of a new one.
static int adopt_map(const struct wall_hooks *hooks, const char *name, struct wall_error *err)
{
    char path[WALL_PIN_PATH_BYTES];
    struct bpf_map *map = bpf_object__find_map_by_name(hooks->programs->obj, name);
    int fd = bpf_obj_get(map_pin(hooks, name, path));
    if (fd < 0)
        return wall_error_set(err, -errno, "%s: %s", path, strerror(errno));
    struct bpf_map_info info = { 0 };
    uint32_t size = sizeof(info);
    int r = bpf_obj_get_info_by_fd(fd, &info, &size);
    if (r == 0 && (info.type != bpf_map__type(map) || info.key_size != bpf_map__key_size(map) ||
                   info.value_size != bpf_map__value_size(map)))
        r = wall_error_set(err, -ESTALE, "%s was made by another version; remove it first", path);
    else if (r == 0)
        r = bpf_map__reuse_fd(map, fd);
    close(fd);
    return r;
}

static int adopt_maps(struct wall_hooks *hooks, struct wall_error *err)
{
    for (size_t i = 0; i < MAP_COUNT; i++) {
        int r = adopt_map(hooks, map_table[i].name, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int pin_maps(const struct wall_hooks *hooks, struct wall_error *err)
{
    char path[WALL_PIN_PATH_BYTES];
    for (size_t i = 0; i < MAP_COUNT; i++) {
        struct bpf_map *map = bpf_object__find_map_by_name(hooks->programs->obj, map_table[i].name);
        int r = bpf_map__pin(map, map_pin(hooks, map_table[i].name, path));
        if (r < 0)
            return wall_error_set(err, r, "%s cannot be pinned: %s", path, strerror(-r));
    }
    return 0;
}

static int size_maps(const struct wall_hooks *hooks, const struct wall_hooks_config *config)
{
    int cpus = libbpf_num_possible_cpus();
    if (cpus < 0)
        return cpus;
    int r = bpf_map__set_max_entries(hooks->programs->maps.cpus, (uint32_t)cpus);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.flows, config->flows_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.facts, config->facts_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.releases, config->flows_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.owners, config->facts_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.spoken, config->flows_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.heard, config->flows_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.told, config->facts_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.arrivals, config->flows_max);
    // Three translations for each redirected connection.
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.redirects, 3 * config->flows_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.rebound, config->flows_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.contexts, config->flows_max);
    // Namespaces with held flows, two sockets each.
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.injectors, 2 * config->facts_max);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.apps, WALL_KERNEL_APPS_MAX);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.executables, EXECUTABLES_MAX);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.denials, DENIALS_MAX);
    r = r ? r : bpf_map__set_max_entries(hooks->programs->maps.log, LOG_BYTES);
    return r ? r : bpf_map__set_max_entries(hooks->programs->maps.events, config->ring_bytes);
}

static int load(struct wall_hooks *hooks, struct wall_error *err)
{
    int r = datapath_bpf__load(hooks->programs);
    if (r == 0)
        return 0;
    char log[320];
    summarize_log(log, sizeof(log));
    if (r == -EPERM)
        return wall_error_set(err, r, "the kernel refuses to load BPF programs: %s", log);
    return wall_error_set(err, -ENOTSUP, "this kernel does not accept the BPF programs (%s): %s", strerror(-r), log);
}

static void *map_memory(int fd, size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int map_state(struct wall_hooks *hooks, struct wall_error *err)
{
    struct bpf_map_info info = { 0 };
    uint32_t size = sizeof(info);
    hooks->state = map_memory(hooks->state_fd, sizeof(*hooks->state));
    if (hooks->state && !bpf_obj_get_info_by_fd(hooks->cpus_fd, &info, &size)) {
        hooks->cpu_count = info.max_entries;
        hooks->cpus = map_memory(hooks->cpus_fd, hooks->cpu_count * sizeof(*hooks->cpus));
    }
    if (!hooks->state || !hooks->cpus)
        return wall_error_set(err, -errno, "the state map cannot be mapped: %s", strerror(errno));
    if (hooks->adopted && hooks->state->layout != WALL_STATE_LAYOUT)
        return wall_error_set(err, -ESTALE, "%s was made by another version; remove it first", hooks->pins->path);
    return 0;
}

// The id of a cgroup is the inode number of its directory. Returns 0 when that cannot be read.
static uint64_t cgroup_id(int cgroup_fd)
{
    struct stat cgroup;
    return fstat(cgroup_fd, &cgroup) ? 0 : cgroup.st_ino;
}

static bool is_for_cgroup(int link_fd, int cgroup_fd)
{
    struct bpf_link_info info = { 0 };
    uint32_t size = sizeof(info);
    return !bpf_obj_get_info_by_fd(link_fd, &info, &size) &&
           info.cgroup.cgroup_id == cgroup_id(cgroup_fd);
}

// Lets an earlier instance's link run the new program: at no time is there none.
static int adopt_link(struct wall_hooks *hooks, enum wall_hook hook, struct wall_error *err)
{
    char path[WALL_PIN_PATH_BYTES];
    if (!wall_pins_contain(hooks->pins, hook_table[hook].pin))
        return 0;
    int link = bpf_obj_get(wall_pins_name(hooks->pins, hook_table[hook].pin, path));
    if (link < 0)
        return wall_error_set(err, -errno, "%s: %s", path, strerror(errno));
    if (!is_for_cgroup(link, hooks->cgroup_fd)) {
        close(link);
        return wall_error_set(err, -EBUSY, "%s is attached to another cgroup; stop that instance first", path);
    }
    int r = bpf_link_update(link, hooks->program_fds[hook], NULL) ? -errno : 0;
    if (r < 0) {
        close(link);
        return wall_error_set(err, r, "%s cannot be taken over: %s", path, strerror(-r));
    }
    hooks->link_fds[hook] = link;
    return 0;
}

static int adopt_links(struct wall_hooks *hooks, struct wall_error *err)
{
    for (enum wall_hook hook = 0; hook < WALL_HOOK_COUNT_; hook++) {
        int r = adopt_link(hooks, hook, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int open_programs(const struct wall_hooks_config *config, struct wall_hooks *hooks, struct wall_error *err)
{
    LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = config->btf_path);
    hooks->programs = datapath_bpf__open_opts(&options);
    if (!hooks->programs)
        return wall_error_set(err, -errno, "the BPF programs cannot be opened: %s", strerror(errno));

    hooks->adopted = all_maps_pinned(hooks);
    int r = hooks->adopted ? 0 : wall_pins_clear(hooks->pins, "");  // what an interrupted start left
    r = r ? r : size_maps(hooks, config);
    if (r == 0 && hooks->adopted)
        r = adopt_maps(hooks, err);
    return r ? r : load(hooks, err);
}

// Of a map; NULL when nobody needs it.
static int *map_fd(struct wall_hooks *hooks, size_t map)
{
    return map_table[map].fd == NO_FD ? NULL : (int *)((char *)hooks + map_table[map].fd);
}

// All file descriptors that are ours. Returns how many.
static size_t list_fds(struct wall_hooks *hooks, int *ret_fds[FDS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < MAP_COUNT; i++)
        if (map_fd(hooks, i))
            ret_fds[count++] = map_fd(hooks, i);
    ret_fds[count++] = &hooks->survey_program_fd;
    for (enum wall_hook hook = 0; hook < WALL_HOOK_COUNT_; hook++) {
        ret_fds[count++] = &hooks->program_fds[hook];
        ret_fds[count++] = &hooks->link_fds[hook];
    }
    return count;
}

static void forget_fds(struct wall_hooks *hooks)
{
    int *fds[FDS_MAX];
    for (size_t i = list_fds(hooks, fds); i-- > 0;)
        *fds[i] = -1;
}

// A file descriptor of our own: libbpf closes its own when the programs are let go. `from` is not negative.
static int keep_fd(int from, int *ret_fd)
{
    *ret_fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
    return *ret_fd < 0 ? -errno : 0;
}

static int keep_fds(struct wall_hooks *hooks)
{
    int r = keep_fd(bpf_program__fd(hooks->programs->progs.survey_sockets), &hooks->survey_program_fd);
    for (size_t i = 0; r == 0 && i < MAP_COUNT; i++)
        if (map_fd(hooks, i))
            r = keep_fd(bpf_object__find_map_fd_by_name(hooks->programs->obj, map_table[i].name), map_fd(hooks, i));
    for (enum wall_hook hook = 0; r == 0 && hook < WALL_HOOK_COUNT_; hook++)
        r = keep_fd(bpf_program__fd(program_of(hooks, hook)), &hooks->program_fds[hook]);
    return r;
}

static int start(const struct wall_hooks_config *config, struct wall_hooks *hooks, struct wall_error *err)
{
    int r = open_programs(config, hooks, err);
    if (r < 0)
        return r;
    r = keep_fds(hooks);
    if (r < 0)
        return wall_error_set(err, r, "no file descriptors for the BPF programs and maps: %s", strerror(-r));
    r = map_state(hooks, err);
    if (r < 0)
        return r;
    hooks->state->scope_cgroup = cgroup_id(hooks->cgroup_fd);
    if (hooks->adopted)
        return adopt_links(hooks, err);
    hooks->state->layout = WALL_STATE_LAYOUT;
    return pin_maps(hooks, err);
}

// Lets go of what was only needed to load the programs: libbpf's memory, and the pages of the object they came from.
static void let_go(struct wall_hooks *hooks)
{
    size_t size = 0;
    uintptr_t bytes = (uintptr_t)datapath_bpf__elf_bytes(&size), page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (bytes + page - 1) & -page, end = (bytes + size) & -page;
    datapath_bpf__destroy(hooks->programs);
    hooks->programs = NULL;
    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED);  // of a file: they are read again when needed
    (void)malloc_trim(0);
}

int wall_hooks_open(const struct wall_hooks_config *config, const struct wall_pins *pins, struct wall_hooks *ret_hooks,
                    struct wall_error *err)
{
    struct wall_hooks hooks = { .pins = pins, .cgroup_fd = config->cgroup_fd };
    forget_fds(&hooks);
    load_log_length = 0;
    load_log[0] = '\0';
    libbpf_print_fn_t print = libbpf_set_print(keep_log);
    int r = start(config, &hooks, err);
    libbpf_set_print(print);
    let_go(&hooks);
    if (r < 0) {
        wall_hooks_close(&hooks);
        return r;
    }
    *ret_hooks = hooks;
    return 0;
}

void wall_hooks_close(struct wall_hooks *hooks)
{
    int *fds[FDS_MAX];
    if (!hooks->pins)
        return;
    if (hooks->state)
        munmap(hooks->state, sizeof(*hooks->state));
    if (hooks->cpus)
        munmap(hooks->cpus, hooks->cpu_count * sizeof(*hooks->cpus));
    for (size_t i = list_fds(hooks, fds); i-- > 0;)
        if (*fds[i] >= 0)
            close(*fds[i]);
    *hooks = (struct wall_hooks){ 0 };
}

static void detach(struct wall_hooks *hooks, enum wall_hook hook)
{
    char path[WALL_PIN_PATH_BYTES];
    if (hooks->link_fds[hook] < 0)
        return;
    unlink(wall_pins_name(hooks->pins, hook_table[hook].pin, path));
    close(hooks->link_fds[hook]);
    hooks->link_fds[hook] = -1;
}

static int attach(struct wall_hooks *hooks, enum wall_hook hook, struct wall_error *err)
{
    char path[WALL_PIN_PATH_BYTES];
    if (hooks->link_fds[hook] >= 0)
        return 0;
    int link = bpf_link_create(hooks->program_fds[hook], hooks->cgroup_fd, hook_table[hook].type, NULL);
    if (link < 0)
        return wall_error_set(err, -errno, "%s cannot be attached to the cgroup: %s", hook_table[hook].pin,
                              strerror(errno));
    int r = bpf_obj_pin(link, wall_pins_name(hooks->pins, hook_table[hook].pin, path)) ? -errno : 0;
    if (r < 0) {
        close(link);
        return wall_error_set(err, r, "%s cannot be pinned: %s", path, strerror(-r));
    }
    hooks->link_fds[hook] = link;
    return 0;
}

// Attaches what is missing among the hooks from `first` to `last` of these layers.
static int attach_range(struct wall_hooks *hooks, uint32_t layers, enum wall_hook first, enum wall_hook last,
                        struct wall_error *err)
{
    int r = 0;
    for (enum wall_hook hook = first; r == 0 && hook <= last; hook++)
        if (hook_table[hook].layers & layers)
            r = attach(hooks, hook, err);
    return r;
}

int wall_hooks_attach(struct wall_hooks *hooks, uint32_t layers, struct wall_error *err)
{
    int r = attach_range(hooks, layers, 0, WALL_HOOK_CREATE, err);
    if (r == 0 && layers & ENDPOINTS & ~hooks->layers)
        r = wall_survey_owners(hooks, err);
    r = r ? r : attach_range(hooks, layers, WALL_HOOK_CREATE + 1, WALL_HOOK_COUNT_ - 1, err);
    if (r < 0)
        return r;
    hooks->layers |= layers;
    if (layers & (KEEP | ENDPOINTS))
        __atomic_store_n(&hooks->state->can_hold, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static void detach_unneeded(struct wall_hooks *hooks, uint32_t layers, bool at_packets)
{
    for (enum wall_hook hook = 0; hook < WALL_HOOK_COUNT_; hook++)
        if (hook_table[hook].is_at_packets == at_packets && !(hook_table[hook].layers & layers))
            detach(hooks, hook);
}

void wall_hooks_detach_calls(struct wall_hooks *hooks, uint32_t layers)
{
    hooks->layers &= layers;
    detach_unneeded(hooks, layers, false);
}

void wall_hooks_detach_rest(struct wall_hooks *hooks, uint32_t layers)
{
    if (!(layers & (KEEP | ENDPOINTS)))
        __atomic_store_n(&hooks->state->can_hold, 0, __ATOMIC_SEQ_CST);
    detach_unneeded(hooks, layers, true);
}

bool wall_hooks_attached(const struct wall_hooks *hooks, uint32_t layers)
{
    for (int i = 0; i < WALL_HOOK_COUNT_; i++)
        if (hooks->link_fds[i] >= 0 && !(hook_table[i].layers & layers))
            return true;
    return false;
}

uint64_t wall_hooks_counter(const struct wall_hooks *hooks, enum wall_counter counter)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < hooks->cpu_count; i++)
        sum += __atomic_load_n(&hooks->cpus[i].counters[counter], __ATOMIC_ACQUIRE);
    return sum;
}
