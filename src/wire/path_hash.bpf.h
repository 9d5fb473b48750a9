// The hash by which a path is found among the app ids that filters name, in the kernel and in user space alike.
//
// 128 bits, seeded with secret random numbers: nobody can look for a path that is taken for another one.
#pragma once

#include <stdint.h>

#include "wire/flow.bpf.h"

static inline __attribute__((always_inline)) void wall_path_hash_begin(struct wall_path_hash *hash,
                                                                       const uint64_t seed[2], uint32_t length)
{
    hash->words[0] = seed[0] ^ length;
    hash->words[1] = seed[1];
}

// Eight bytes of the path, in memory order; the last ones are filled up with zeros.
static inline __attribute__((always_inline)) void wall_path_hash_add(struct wall_path_hash *hash, uint64_t bytes)
{
    uint64_t a = (hash->words[0] ^ bytes) * 0x9e3779b97f4a7c15ull;
    uint64_t b = (hash->words[1] + bytes) * 0xc2b2ae3d27d4eb4full;
    hash->words[0] = a ^ a >> 32 ^ b << 17;
    hash->words[1] = b ^ b >> 29;
}
