// Who makes a socket call: read from the current task, in the context of the call.
#pragma once

#include "socket.bpf.h"

// The kernel's own view of a socket: an address as a number, since the verifier permits only the documented members.
// A path of WALL_PATH_MAX bytes has at most half as many names; the rest is for the mounts on the way.
#define PATH_STEPS_MAX (WALL_PATH_MAX / 2 + 64)

struct path_walk {
    struct wall_flow_facts *facts;
    struct dentry *dentry;
    struct vfsmount *mount;
    uint32_t start;  // of the text so far, in facts->path
    bool done;
};

static __always_inline bool path_prepend(struct path_walk *walk, const struct qstr *name)
{
    uint32_t length = name->len;
    if (length >= WALL_NAME_MAX || length + 1 > walk->start)
        return false;
    uint32_t start = walk->start - length;
    length &= WALL_NAME_MAX - 1;
    if (bpf_probe_read_kernel(&walk->facts->path[start & (WALL_PATH_MAX - 1)], length, name->name))
        return false;
    start--;
    walk->facts->path[start & (WALL_PATH_MAX - 1)] = '/';
    walk->start = start;
    return true;
}

// One step up: a name, or a mount. Returns 1 to end the loop.
static long path_step(uint32_t step, void *context)
{
    struct path_walk *walk = context;
    struct dentry *dentry = walk->dentry;
    struct vfsmount *here = walk->mount;  // BPF_CORE_READ() would take walk->mount for a member of the kernel's
    struct dentry *root = BPF_CORE_READ(here, mnt_root);
    struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

    if (dentry == root) {
        struct mount *mount = (void *)here - bpf_core_field_offset(struct mount, mnt);
        struct mount *above = BPF_CORE_READ(mount, mnt_parent);
        if (above == mount) {
            walk->done = true;
            return 1;
        }
        walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
        walk->mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
        return 0;
    }
    struct qstr name = { .len = BPF_CORE_READ(dentry, d_name.len), .name = BPF_CORE_READ(dentry, d_name.name) };
    if (!path_prepend(walk, &name))
        return 1;
    if (parent == dentry) {  // a file of a pseudo file system (memfd): it has a name and no place
        walk->done = true;
        return 1;
    }
    walk->dentry = parent;
    return 0;
}

static __always_inline void path_set(struct wall_flow_facts *facts, const char *text, uint32_t size)
{
    facts->path_start = WALL_PATH_MAX - size;
    bpf_probe_read_kernel(&facts->path[WALL_PATH_MAX - size], size, text);
}

static __always_inline void path_read(struct wall_flow_facts *facts, struct file *file)
{
    struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
    struct vfsmount *here = BPF_CORE_READ(file, f_path.mnt);
    struct path_walk walk = { .facts = facts, .dentry = dentry, .mount = here, .start = WALL_PATH_MAX };
    struct mount *mount = (void *)here - bpf_core_field_offset(struct mount, mnt);
    facts->mount_namespace = BPF_CORE_READ(mount, mnt_ns, ns.inum);

    // A file that is in no directory any more keeps the path it had: a program whose package is upgraded while it runs
    // stays the program that filters know.
    bpf_loop(PATH_STEPS_MAX, path_step, &walk, 0);

    uint32_t start = walk.start;
    if (!walk.done) {
        facts->flags |= WALL_FACTS_PATH_TRUNCATED;
        if (start < 3)
            start = 3;
        start -= 3;
        for (int i = 0; i < 3; i++)
            facts->path[(start + i) & (WALL_PATH_MAX - 1)] = '.';
    }
    facts->path_start = start;
}

// Of bpf_get_current_task_btf(), for which whoever asks several of them calls once. Helpers would tell them, too, but
// not in programs on packets before Linux 6.18.
static __always_inline uint32_t process_of(const struct task_struct *task)
{
    return (uint32_t)task->tgid;
}

static __always_inline uint32_t thread_of(const struct task_struct *task)
{
    return (uint32_t)task->pid;
}

static __always_inline uint32_t user_of(const struct task_struct *task)
{
    return task->cred->uid.val;
}

static __always_inline uint32_t group_of(const struct task_struct *task)
{
    return task->cred->gid.val;
}

static __always_inline uint64_t cgroup_of(const struct task_struct *task)
{
    return task->cgroups->dfl_cgrp->kn->id;
}

// Fills everything about the owner. `facts` is zeroed.
static __always_inline void owner_read_task(struct wall_flow_facts *facts, struct task_struct *task)
{
    static const char kernel[] = "[kernel]";
    facts->process_id = BPF_CORE_READ(task, tgid);
    facts->thread_id = BPF_CORE_READ(task, pid);
    facts->user_id = BPF_CORE_READ(task, cred, uid.val);
    facts->group_id = BPF_CORE_READ(task, cred, gid.val);
    facts->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
    BPF_CORE_READ_INTO(&facts->process_name, task, comm);

    struct file *file = BPF_CORE_READ(task, mm, exe_file);
    if (!file) {
        facts->flags |= WALL_FACTS_KERNEL_THREAD;
        path_set(facts, kernel, sizeof(kernel) - 1);
        return;
    }
    struct inode *inode = BPF_CORE_READ(file, f_inode);
    facts->executable_inode = BPF_CORE_READ(inode, i_ino);
    facts->executable_device = BPF_CORE_READ(inode, i_sb, s_dev);
    path_read(facts, file);
}

// The same, of the task that runs now.
static __noinline int owner_read(struct wall_flow_facts *facts)
{
    if (facts)
        owner_read_task(facts, (void *)bpf_get_current_task());
    return 0;
}
