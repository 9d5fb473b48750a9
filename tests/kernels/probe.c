// Proves that this machine can do what the datapath is made of: load a BPF program, attach it to a cgroup of our own,
// and have it refuse a connect. Exit 77 where that is not allowed.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#define SKIPPED 77

static bool find_cgroup_mount(char *ret_path, size_t size)
{
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    struct mntent *mount;
    bool found = false;
    while (mounts && !found && (mount = getmntent(mounts))) {
        found = strcmp(mount->mnt_type, "cgroup2") == 0;
        if (found)
            (void)snprintf(ret_path, size, "%s", mount->mnt_dir);
    }
    if (mounts)
        endmntent(mounts);
    return found;
}

// A connect4 program of two instructions: return 0, which refuses.
static int load_refusal(void)
{
    const struct bpf_insn refuse[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
        { .code = BPF_JMP | BPF_EXIT },
    };
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET4_CONNECT);
    return bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "probe", "GPL", refuse, 2, &options);
}

static int move_to(const char *cgroup)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int result = fd >= 0 && write(fd, "0", 1) == 1 ? 0 : -errno;
    if (fd >= 0)
        close(fd);
    return result;
}

// errno of a connect to a port of loopback where nothing listens: ECONNREFUSED unless a program refuses first.
static int connect_errno(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    close(fd);
    return result;
}

static int try_refusal(const char *root, const char *cgroup, int program)
{
    int folder = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int link = bpf_link_create(program, folder, BPF_CGROUP_INET4_CONNECT, NULL);
    close(folder);
    if (link < 0) {
        printf("attach: %m\n");
        return 1;
    }

    int before = connect_errno();
    int moved = move_to(cgroup);
    int inside = moved == 0 ? connect_errno() : 0;
    (void)move_to(root);
    close(link);
    printf("connect outside: %s; inside: %s\n", strerrorname_np(before), strerrorname_np(inside));
    return before == ECONNREFUSED && inside == EPERM ? 0 : 1;
}

// A process that removes `cgroup` when this one is gone, however it goes. Returns what keeps it waiting.
static int start_guard(const char *cgroup)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    if (fork() != 0) {
        close(ends[0]);
        return ends[1];
    }
    close(ends[1]);
    (void)setsid();
    char byte;
    while (read(ends[0], &byte, 1) > 0)
        ;
    for (int i = 0; i < 100 && rmdir(cgroup) != 0 && errno == EBUSY; i++)
        usleep(10000);  // a killed process leaves its cgroup a moment after its files are closed
    _exit(0);
}

int main(void)
{
    char root[256], cgroup[300];
    struct utsname system_name;
    (void)uname(&system_name);
    printf("kernel %s\n", system_name.release);
    if (geteuid() != 0 || !find_cgroup_mount(root, sizeof(root))) {
        printf("needs root and a cgroup v2 tree\n");
        return SKIPPED;
    }
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
        printf("this kernel has no BTF\n");

    int program = load_refusal();
    if (program < 0) {
        printf("load: %m\n");
        return 1;
    }
    (void)snprintf(cgroup, sizeof(cgroup), "%s/rw-house-probe-%d", root, getpid());
    if (mkdir(cgroup, 0755) != 0) {
        printf("%s: %m\n", cgroup);
        return 1;
    }
    (void)start_guard(cgroup);
    int result = try_refusal(root, cgroup, program);
    (void)rmdir(cgroup);
    return result;
}
