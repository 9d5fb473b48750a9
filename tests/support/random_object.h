// Random objects of any shape, for property tests and fuzzing. The same seed gives the same objects everywhere.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/shape.h"

// A small fast generator (SplitMix64); any seed will do.
struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);
// 0 … below - 1.
uint32_t random_below(struct random *random, uint32_t below);

// An object that can be encoded: valid selectors, no NULL element, everything it points to from `arena`.
void *random_object(struct random *random, struct wall_arena *arena, const struct wall_shape *shape);
