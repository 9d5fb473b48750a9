// The executable of the current task: its place and what was learnt of it. For egress.bpf.c alone, whose object has it
// for all: it uses typed casts as well, and the linker of libbpf knows a kernel function in one object only.
#pragma once

#include "cast.bpf.h"
#include "executable.bpf.h"
#include "turn.bpf.h"

// Directories on the way to an executable, in its own mount and above. Deeper ones are walked at every call.
#define PLACE_STEPS_MAX 16

static __always_inline void place_mix(struct wall_executable_key *key, uint64_t what)
{
    key->place[0] = (key->place[0] ^ what) * 0x9e3779b97f4a7c15ull;
    key->place[1] = (key->place[1] ^ key->place[0] >> 32) + what;
}

// Goes on from the root of a mount to the root of all. Returns 0 when it is too far.
static __always_inline int place_above(struct wall_executable_key *key, struct vfsmount *here)
{
    struct mount *mount = (void *)here - bpf_core_field_offset(struct mount, mnt);
    struct dentry *root = NULL, *dentry = NULL;
    for (int i = 0; i < PLACE_STEPS_MAX; i++) {
        if (dentry != root) {
            place_mix(key, cast_read(struct dentry, dentry, d_name.hash_len));
            dentry = cast_read(struct dentry, dentry, d_parent);
            continue;
        }
        struct mount *above = cast_read(struct mount, mount, mnt_parent);
        place_mix(key, (uint32_t)cast_read(struct mount, mount, mnt_id));
        if (above == mount)
            return 1;
        dentry = cast_read(struct mount, mount, mnt_mountpoint);
        mount = above;
        root = cast_read(struct mount, mount, mnt.mnt_root);
    }
    return 0;
}

enum place_kind { PLACE_KNOWN, PLACE_TOO_DEEP, PLACE_KERNEL };

// Typed loads where the verifier knows the types: a tenth of what the helper for reading costs.
static __always_inline int executable_place(struct wall_executable_key *key)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct mm_struct *memory = task->mm;
    if (!memory)
        return PLACE_KERNEL;
    struct file *file = memory->exe_file;
    if (!file)
        return PLACE_KERNEL;
    struct inode *inode = file->f_inode;
    struct dentry *dentry = file->f_path.dentry;
    struct vfsmount *here = file->f_path.mnt;
    struct dentry *root = here->mnt_root;
    key->inode = inode->i_ino;
    key->deleted = !dentry->d_hash.pprev;

    for (int i = 0; i < PLACE_STEPS_MAX && dentry != root; i++) {
        struct dentry *parent = dentry->d_parent;
        // The two in one load is more than the verifier of Linux 6.1 allows.
        place_mix(key, (uint64_t)dentry->d_name.len << 32 | dentry->d_name.hash);
        if (parent == dentry)  // a file of a pseudo file system
            return PLACE_KNOWN;
        dentry = parent;
    }
    if (dentry != root)
        return PLACE_TOO_DEEP;
    return place_above(key, here) ? PLACE_KNOWN : PLACE_TOO_DEEP;
}

// Walks the path of the current task's executable. Returns 0 when there is no room to do it in.
static __noinline int executable_learn(struct wall_state *at, struct executable *executable)
{
    uint64_t scratch = flow_id_next(at);
    struct wall_flow_facts *of = facts_new(scratch);
    if (!of)
        return 0;
    owner_read(of);
    executable->app = app_of_path(at, of);
    executable->id = __sync_fetch_and_add(&at->last_executable_id, 1) + 1;
    bool told = log_executable(at, of, executable->id);
    bpf_map_delete_elem(&facts, &scratch);
    return told ? 1 : 2;
}

// Whether it was looked up among all app ids that there are now.
static __always_inline bool is_current(struct wall_state *at, const struct wall_executable *value)
{
    return value->app != WALL_APP_OTHER || value->apps_known == *(volatile uint32_t *)&at->apps_known;
}

// What this CPU has found lately: cheaper than the map of all. The inode is known before the rest of the key.
static __always_inline struct wall_near_executable *near_place(const struct wall_executable_key *key)
{
    struct wall_cpu *cpu = cpu_get();
    if (!cpu)
        return NULL;
    forget(cpu);
    return &cpu->executables[key->inode * 0x9e3779b97f4a7c15ull >> (64 - WALL_NEAR_BITS)];
}

static __always_inline int near_read(struct wall_state *at, const struct wall_executable_key *key,
                                     struct wall_executable *ret_value)
{
    const struct wall_near_executable *near = near_place(key);
    if (!near)
        return 0;
    uint64_t turn = turn_read(&near->turn);
    uint64_t differs = (near->key.inode ^ key->inode) | (near->key.place[0] ^ key->place[0]) |
                       (near->key.place[1] ^ key->place[1]) | (near->key.deleted ^ key->deleted) |
                       (near->forgotten ^ *(volatile uint32_t *)&at->executables_forgotten);
    *ret_value = near->value;
    return !differs && turn_is_sound(&near->turn, turn) && is_current(at, ret_value);
}

static __noinline int near_keep(const struct wall_executable_key *key, uint32_t forgotten,
                                const struct wall_executable *value)
{
    if (!key || !value)
        return 0;
    struct wall_near_executable *at = near_place(key);
    if (!at || !turn_begin(&at->turn))
        return 0;
    at->key = *key;
    at->value = *value;
    at->forgotten = forgotten;
    turn_end(&at->turn);
    return 1;
}

// What is remembered of the executable. Returns 0 when nothing current is.
static __noinline int executable_recall(struct wall_state *at, const struct wall_executable_key *key,
                                        struct wall_executable *ret_value)
{
    if (!at || !key || !ret_value)
        return 0;
    if (near_read(at, key, ret_value))
        return 1;
    uint32_t forgotten = *(volatile uint32_t *)&at->executables_forgotten;
    struct wall_executable *known = bpf_map_lookup_elem(&executables, key);
    if (!known)
        return 0;
    *ret_value = *known;
    if (!is_current(at, ret_value))
        return 0;
    near_keep(key, forgotten, ret_value);
    return 1;
}

// Walks the path, and keeps what it finds. Not before the log knows the executable by its number: else nobody could
// tell whose the decisions are.
static __noinline int executable_meet(struct wall_state *at, const struct wall_executable_key *key,
                                      struct executable *ret_executable, int is_kept)
{
    if (!at || !key || !ret_executable)
        return 0;
    struct wall_executable value = { .apps_known = *(volatile uint32_t *)&at->apps_known };
    int learnt = executable_learn(at, ret_executable);
    if (learnt == 1 && is_kept) {
        value.id = ret_executable->id;
        value.app = ret_executable->app;
        bpf_map_update_elem(&executables, key, &value, BPF_ANY);
    }
    return learnt != 0;
}

__noinline int executable_near(struct executable *ret_executable)
{
    struct wall_executable_key key = { 0 };
    struct wall_executable value;
    struct wall_state *at = state_get();
    if (!at || !ret_executable || executable_place(&key) == PLACE_TOO_DEEP || !near_read(at, &key, &value))
        return 0;
    ret_executable->id = value.id;
    ret_executable->app = value.app;
    return 1;
}

// In a frame of its own: what walks the path needs the room.
static __noinline int executable_place_apart(struct wall_executable_key *key)
{
    return key ? executable_place(key) : PLACE_TOO_DEEP;
}

__noinline int executable_find(struct executable *ret_executable)
{
    struct wall_executable_key key = { 0 };
    struct wall_executable value;
    struct wall_state *at = state_get();
    if (!at || !ret_executable)
        return 0;
    int is_kept = executable_place_apart(&key) != PLACE_TOO_DEEP;
    if (!is_kept || !executable_recall(at, &key, &value))
        return executable_meet(at, &key, ret_executable, is_kept);
    ret_executable->id = value.id;
    ret_executable->app = value.app;
    return 1;
}
