// The few members of kernel structures the programs read; where they lie is resolved when a program is loaded (CO-RE).
#pragma once

#include <stdint.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
    union {
        struct {
            uint32_t hash;
            uint32_t len;
        };
        uint64_t hash_len;
    };
    const unsigned char *name;
};

struct hlist_bl_node {
    struct hlist_bl_node **pprev;
};

struct super_block {
    uint32_t s_dev;
};

struct inode {
    struct super_block *i_sb;
    unsigned long i_ino;
};

struct dentry {
    struct hlist_bl_node d_hash;
    struct dentry *d_parent;
    struct qstr d_name;
};

struct vfsmount {
    struct dentry *mnt_root;
};

struct ns_common {
    unsigned int inum;
};

struct mnt_namespace {
    struct ns_common ns;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    struct mnt_namespace *mnt_ns;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct file {
    struct path f_path;
    struct inode *f_inode;
};

struct mm_struct {
    struct file *exe_file;
};

typedef struct {
    uint32_t val;
} kuid_t;

typedef struct {
    uint32_t val;
} kgid_t;

struct cred {
    kuid_t uid;
    kgid_t gid;
};

struct kernfs_node {
    uint64_t id;
};

struct cgroup {
    struct kernfs_node *kn;
};

struct css_set {
    struct cgroup *dfl_cgrp;
};

struct task_struct {
    struct mm_struct *mm;
    int pid;
    int tgid;
    const struct cred *cred;
    struct css_set *cgroups;
    char comm[16];
};

struct net {
    uint64_t net_cookie;
};

typedef struct {
    struct net *net;
} possible_net_t;

struct sock_common {
    possible_net_t skc_net;
};

struct sock {
    struct sock_common __sk_common;
    uint8_t sk_kern_sock : 1;
};

#pragma clang attribute pop
