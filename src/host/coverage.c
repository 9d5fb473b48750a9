#include "host/coverage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/vector.h"
#include "host/cgroup.h"
#include "host/packet_socket.h"
#include "host/proc.h"

#define PROCESSES_MAX (1u << 22)  // the kernel's own limit of process ids
#define NAMES_SIZE 192
#define HOOK(type) (UINT64_C(1) << (type))

struct probe {
    struct wall_coverage *coverage;
    uint64_t attached;   // hooks of this process on the scope, by enum bpf_attach_type
    uint64_t supported;  // hooks this kernel has
    char protocols[4096];  // the names of /proc/net/protocols, each between two spaces
    struct wall_vector processes;  // pid_t, of the scope
};

static void __attribute__((format(printf, 4, 5)))
add(struct probe *probe, const char *name, enum wall_coverage_state state, const char *format, ...)
{
    struct wall_coverage *coverage = probe->coverage;
    if (coverage->count == WALL_COVERAGE_ITEMS_MAX)
        return;
    struct wall_coverage_item *item = &coverage->items[coverage->count++];
    item->name = name;
    item->state = state;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(item->detail, sizeof(item->detail), format, arguments);
    va_end(arguments);
}

// --- Hooks ---

static const struct {
    uint32_t type;
    const char *name;
} hooks[] = {
    { BPF_CGROUP_INET4_CONNECT, "connect4" },  { BPF_CGROUP_INET6_CONNECT, "connect6" },
    { BPF_CGROUP_UDP4_SENDMSG, "sendmsg4" },   { BPF_CGROUP_UDP6_SENDMSG, "sendmsg6" },
    { BPF_CGROUP_INET_EGRESS, "egress" },      { BPF_CGROUP_INET_INGRESS, "ingress" },
    { BPF_CGROUP_INET_SOCK_RELEASE, "release" },
};

// A hook of this process, as the kernel describes the descriptor of its link. Returns 0: no such descriptor.
static uint64_t hook_of_descriptor(const char *number, uint64_t scope_id)
{
    char path[64], line[128];
    uint64_t cgroup_id = 0;
    unsigned type = UINT32_MAX;
    (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%.20s", number);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        if (!strncmp(line, "cgroup_id:", 10))
            cgroup_id = strtoull(line + 10, NULL, 10);
        else if (!strncmp(line, "attach_type:", 12))
            type = (unsigned)strtoul(line + 12, NULL, 10);
    }
    if (file)
        (void)fclose(file);
    return cgroup_id == scope_id && type < 64 ? HOOK(type) : 0;
}

static uint64_t attached_hooks(uint64_t scope_id)
{
    uint64_t found = 0;
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char link[64];
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, link, sizeof(link) - 1);
        link[size > 0 ? size : 0] = '\0';
        if (strstr(link, "bpf_link") || strstr(link, "bpf-link"))
            found |= hook_of_descriptor(entry->d_name, scope_id);
    }
    if (folder)
        closedir(folder);
    return found;
}

static uint64_t supported_hooks(int scope_fd)
{
    uint64_t found = 0;
    for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
        union bpf_attr attributes = { .query = { .target_fd = (uint32_t)scope_fd, .attach_type = hooks[i].type } };
        if (syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof(attributes)) == 0)
            found |= HOOK(hooks[i].type);
    }
    return found;
}

static void name_hooks(uint64_t set, char text[NAMES_SIZE])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
        if (set & HOOK(hooks[i].type))
            used += (size_t)snprintf(text + used, NAMES_SIZE - used, "%s%s", used ? ", " : "", hooks[i].name);
}

// Traffic that is judged while all of `needed` are attached.
static void add_hooked(struct probe *probe, const char *name, uint64_t needed, const char *how)
{
    char names[NAMES_SIZE];
    uint64_t calls = HOOK(BPF_CGROUP_INET4_CONNECT) | HOOK(BPF_CGROUP_INET6_CONNECT);
    if ((probe->attached & needed) == needed) {
        add(probe, name, WALL_COVERAGE_COVERED, "%s", how);
    } else if (needed & ~probe->supported) {
        name_hooks(needed & ~probe->supported, names);
        add(probe, name, WALL_COVERAGE_OPEN, "Not judged: this kernel has no hook %s.", names);
    } else if (!(probe->attached & (calls | needed))) {
        add(probe, name, WALL_COVERAGE_IDLE, "Everything is permitted: no rule needs the hooks, and none is attached.");
    } else {
        name_hooks(needed & ~probe->attached, names);
        add(probe, name, WALL_COVERAGE_OPEN, "Not judged now: not attached are %s.", names);
    }
}

static void probe_hooks(struct probe *probe)
{
    uint64_t connect = HOOK(BPF_CGROUP_INET4_CONNECT) | HOOK(BPF_CGROUP_INET6_CONNECT);
    uint64_t send = HOOK(BPF_CGROUP_UDP4_SENDMSG) | HOOK(BPF_CGROUP_UDP6_SENDMSG);
    add_hooked(probe, "TCP, outgoing", connect, "Judged at connect().");
    add_hooked(probe, "UDP, outgoing", connect | send, "Judged at connect() and sendto(), or at the first packet.");
    add_hooked(probe, "ping and raw IP", HOOK(BPF_CGROUP_INET_EGRESS), "Judged when the first packet leaves.");
    if (probe->attached & HOOK(BPF_CGROUP_INET_INGRESS))
        add(probe, "incoming", WALL_COVERAGE_COVERED, "The hook for arriving packets is attached.");
    else
        add(probe, "incoming", WALL_COVERAGE_OPEN, "Not judged now: no hook for arriving packets is attached.");
    add(probe, "binding", WALL_COVERAGE_PARTIAL,
        "Judged at bind(). The port that the kernel chooses at connect() or sendto() is not: the call is.");
}

// --- Protocols ---

static void read_protocols(struct probe *probe)
{
    char line[256], name[64];
    size_t used = 1;
    FILE *file = fopen("/proc/net/protocols", "re");
    (void)snprintf(probe->protocols, sizeof(probe->protocols), " ");
    while (file && fgets(line, sizeof(line), file)) {
        if (!wall_proc_copy_word(line, 0, name, sizeof(name)) || !strcmp(name, "protocol"))
            continue;
        if (used + strlen(name) + 2 < sizeof(probe->protocols))
            used += (size_t)snprintf(probe->protocols + used, sizeof(probe->protocols) - used, "%s ", name);
    }
    if (file)
        (void)fclose(file);
}

static bool is_registered(const struct probe *probe, const char *protocol)
{
    char word[64];
    (void)snprintf(word, sizeof(word), " %.60s ", protocol);
    return strstr(probe->protocols, word);
}

// Whether a socket() call would load a module for it. Looked up, not tried: trying would load it.
static bool is_loadable(const char *alias)
{
    struct utsname kernel;
    char path[160], line[256], start[80];
    if (uname(&kernel))
        return false;
    (void)snprintf(path, sizeof(path), "/lib/modules/%s/modules.alias", kernel.release);
    (void)snprintf(start, sizeof(start), "alias %s", alias);
    FILE *file = fopen(path, "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof(line), file))
        found = !strncmp(line, start, strlen(start));
    if (file)
        (void)fclose(file);
    return found;
}

static void probe_packet_sockets(struct probe *probe)
{
    char names[NAMES_SIZE];
    if (!is_registered(probe, "PACKET") && !is_loadable("net-pf-17")) {
        add(probe, "AF_PACKET", WALL_COVERAGE_ABSENT, "This kernel has no packet sockets.");
        return;
    }
    size_t count = wall_packet_socket_holders(&probe->processes, names, sizeof(names));
    add(probe, "AF_PACKET", WALL_COVERAGE_OPEN,
        "Whole frames pass every hook unseen. Programs with CAP_NET_RAW can send them%s%s%s.",
        count ? "; such a socket is open in " : "; none in the scope has such a socket open", names,
        count ? " now" : "");
}

static void probe_sctp(struct probe *probe)
{
    if (is_registered(probe, "SCTP") || is_loadable("net-pf-2-proto-132"))
        add(probe, "SCTP", WALL_COVERAGE_PARTIAL,
            "No hook at its calls: judged when packets leave, when the program may not be known any more.");
    else
        add(probe, "SCTP", WALL_COVERAGE_ABSENT, "This kernel has no SCTP.");
}

static void probe_multipath(struct probe *probe)
{
    if (!is_registered(probe, "MPTCP") || wall_proc_number("/proc/sys/net/mptcp/enabled") == 0)
        add(probe, "Multipath TCP", WALL_COVERAGE_ABSENT, "This kernel has none, or it is switched off.");
    else
        add(probe, "Multipath TCP", WALL_COVERAGE_PARTIAL,
            "The first path is judged as TCP; further paths are opened by the kernel, in its own name.");
}

// Whether programs can be attached to interfaces as links (Linux 6.6).
static bool has_interface_hooks(void)
{
    const uint32_t loopback = 1, tcx_egress = 47;
    union bpf_attr attributes = { .query = { .target_fd = loopback, .attach_type = tcx_egress } };
    return syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof(attributes)) == 0;
}

static void probe_redirection(struct probe *probe)
{
    if (has_interface_hooks())
        add(probe, "redirection", WALL_COVERAGE_PARTIAL,
            "Callouts can send TCP connections, and bind TCP and UDP sockets, elsewhere. The destination of UDP is not "
            "redirected.");
    else
        add(probe, "redirection", WALL_COVERAGE_OPEN,
            "This kernel has no hooks for it (Linux 6.6): connections and sockets that a callout redirects are "
            "refused.");
}

static void probe_io_uring(struct probe *probe)
{
    errno = 0;
    (void)syscall(SYS_io_uring_setup, 1, NULL);  // EFAULT: it is there
    if (errno == ENOSYS || errno == EPERM)
        add(probe, "io_uring", WALL_COVERAGE_ABSENT, "This kernel has none, or it is switched off.");
    else
        add_hooked(probe, "io_uring", HOOK(BPF_CGROUP_INET4_CONNECT) | HOOK(BPF_CGROUP_INET6_CONNECT),
                   "Judged as other socket calls are, also when kernel threads make them for the program.");
}

// Whatever else the kernel can carry away: named, so that nobody takes it for covered.
static void probe_other_families(struct probe *probe)
{
    static const char judged[] = " TCP TCPv6 UDP UDPv6 UDP-Lite UDPLITEv6 RAW RAWv6 PING PINGv6 MPTCP MPTCPv6 SCTP "
                                 "SCTPv6 PACKET ";
    static const char local[] = " UNIX UNIX-STREAM NETLINK ALG ";  // nothing of them leaves the machine
    char names[NAMES_SIZE], protocols[sizeof(probe->protocols)];
    size_t used = 0;
    names[0] = '\0';
    memcpy(protocols, probe->protocols, sizeof(protocols));
    for (char *next, *name = strtok_r(protocols, " ", &next); name; name = strtok_r(NULL, " ", &next)) {
        char word[80];
        (void)snprintf(word, sizeof(word), " %s ", name);
        if (strstr(judged, word) || strstr(local, word) || used + strlen(name) + 3 > sizeof(names))
            continue;
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", name);
    }
    if (used)
        add(probe, "other families", WALL_COVERAGE_OPEN, "No hook of IP sees them: %s.", names);
    else
        add(probe, "other families", WALL_COVERAGE_ABSENT, "None that reaches a network is loaded.");
}

// --- Whose traffic it is ---

static void probe_identity(struct probe *probe)
{
    static const char what[] = "A program is known by the path of its executable, a script by that of its interpreter";
    long limit = wall_proc_number("/proc/sys/user/max_user_namespaces");
    // Two switches that distributions have added; without them there is no such file.
    bool is_refused = wall_proc_number("/proc/sys/kernel/unprivileged_userns_clone") == 0 ||
                      wall_proc_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1;
    if (limit == 0 || is_refused)
        add(probe, "identity", WALL_COVERAGE_COVERED, "%s.", what);
    else
        add(probe, "identity", WALL_COVERAGE_PARTIAL,
            "%s. Any user here may make a mount namespace (user.max_user_namespaces is %ld) and in it give a program "
            "any path.",
            what, limit);
}

// --- Traffic without a program, and programs out of reach ---

static void probe_kernel(struct probe *probe)
{
    bool forwards = wall_proc_number("/proc/sys/net/ipv4/ip_forward") > 0 ||
                    wall_proc_number("/proc/sys/net/ipv6/conf/all/forwarding") > 0;
    add(probe, "the kernel's own", WALL_COVERAGE_OPEN,
        "What the kernel sends by itself (ICMP errors, answers to echo requests, neighbour discovery, tunnels, network "
        "file systems) belongs to no program.");
    if (forwards)
        add(probe, "forwarded", WALL_COVERAGE_OPEN,
            "This machine forwards packets; those of others belong to no program here.");
    else
        add(probe, "forwarded", WALL_COVERAGE_ABSENT, "This network namespace forwards no packets.");
}

static size_t count_all_processes(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc");
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
    if (folder)
        closedir(folder);
    return count;
}

static void probe_scope(struct probe *probe, const char *scope)
{
    char *mount = NULL;
    bool is_whole = wall_cgroup_mount(&mount, NULL) == 0 && !strcmp(mount, scope);
    free(mount);
    if (is_whole) {
        add(probe, "other programs", WALL_COVERAGE_ABSENT, "The scope is the whole machine.");
        return;
    }
    size_t all = count_all_processes(), inside = probe->processes.count;
    add(probe, "other programs", WALL_COVERAGE_OPEN,
        "%zu processes are outside the scope %s. A socket belongs to the group it was made in: one brought in from "
        "outside is not judged.",
        all > inside ? all - inside : 0, scope);
}

// When a process began, in clock ticks since the machine did; 0: it is gone.
static unsigned long long start_time(const char *process)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%.20s/stat", process);
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[size] = '\0';
    if (file)
        (void)fclose(file);
    const char *rest = strrchr(text, ')');  // the name before it may hold anything
    return rest ? strtoull(wall_proc_word(rest, 20), NULL, 10) : 0;  // proc(5): field 22, ")" being in field 2
}

static void probe_earlier(struct probe *probe)
{
    unsigned long long begun = start_time("self");
    size_t count = 0;
    for (size_t i = 0; i < probe->processes.count; i++) {
        char process[24];
        (void)snprintf(process, sizeof(process), "%d", (int)*(pid_t *)wall_vector_at(&probe->processes, i));
        unsigned long long ticks = start_time(process);
        count += ticks && ticks < begun;
    }
    if (count)
        add(probe, "earlier connections", WALL_COVERAGE_OPEN,
            "%zu programs of the scope have run since before this service: TCP connections they had open then are not "
            "judged.",
            count);
    else
        add(probe, "earlier connections", WALL_COVERAGE_ABSENT, "No program of the scope is older than this service.");
}

int wall_coverage_probe(const char *scope, struct wall_coverage *ret_coverage)
{
    struct stat about;
    int fd = open(scope, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct probe *probe = calloc(1, sizeof(*probe));
    if (!probe || fstat(fd, &about)) {
        int r = probe ? -errno : -ENOMEM;
        free(probe);
        close(fd);
        return r;
    }
    ret_coverage->count = 0;
    probe->coverage = ret_coverage;
    wall_vector_init(&probe->processes, sizeof(pid_t), PROCESSES_MAX);
    int r = wall_cgroup_processes(scope, &probe->processes);
    if (r == 0) {
        probe->attached = attached_hooks(about.st_ino);  // the id of a cgroup is the inode number of its folder
        probe->supported = supported_hooks(fd);
        read_protocols(probe);
        probe_hooks(probe);
        probe_io_uring(probe);
        probe_redirection(probe);
        probe_packet_sockets(probe);
        probe_other_families(probe);
        probe_sctp(probe);
        probe_multipath(probe);
        probe_identity(probe);
        probe_kernel(probe);
        probe_scope(probe, scope);
        probe_earlier(probe);
    }
    wall_vector_done(&probe->processes);
    free(probe);
    close(fd);
    return r;
}
