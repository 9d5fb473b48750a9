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
    int mnt_id;
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
    int level;
    struct kernfs_node *kn;
    struct cgroup *ancestors[];
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

struct in6_addr {
    union {
        uint8_t u6_addr8[16];
    } in6_u;
};

struct sock_common {
    uint32_t skc_daddr;
    uint32_t skc_rcv_saddr;
    uint16_t skc_dport;
    uint16_t skc_num;
    uint16_t skc_family;
    volatile unsigned char skc_state;
    int skc_bound_dev_if;
    possible_net_t skc_net;
    struct in6_addr skc_v6_daddr;
    struct in6_addr skc_v6_rcv_saddr;
};

struct sock_cgroup_data {
    struct cgroup *cgroup;
};

struct sock {
    struct sock_common __sk_common;
    uint8_t sk_kern_sock : 1;
    uint16_t sk_type;
    uint16_t sk_protocol;
    uint32_t sk_max_ack_backlog;
    uint32_t sk_mark;
    struct sock_cgroup_data sk_cgrp_data;
};

struct socket {
    struct sock *sk;
};

#pragma clang attribute pop
