// Apps: numbers for app ids, so that the kernel compares numbers.
//
// A number stands for the same app id as long as the table lives: the datapath may keep it with an executable across
// any change of the policy. It numbers every executable it meets, whether a filter names it or not.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "fwptypes.h"

#include "base/arena.h"
#include "base/map.h"
#include "base/vector.h"

// Numbers run from 1 to this. When all are given out, a further app id has none, and its flows are held.
#define WALL_APPS_MAX (1u << 20)

// One app id and its number.
struct wall_app {
    FWP_BYTE_BLOB id;
    uint32_t number;
};

struct wall_apps {
    struct wall_arena arena;
    struct wall_map numbers;
    struct wall_vector items;  // struct wall_app, in the order in which they came
    uint32_t last;             // the highest number given out
    // May be NULL: the number that an app id has from an earlier table (see wall_apps_continue()), or 0.
    uint32_t (*earlier)(void *context, const FWP_BYTE_BLOB *app_id);
    void *context;
};

// `seed`: as for wall_map_init(); executables have paths that any user may choose.
void wall_apps_init(struct wall_apps *apps, const uint64_t seed[2]);
void wall_apps_done(struct wall_apps *apps);
// Goes on where another table ended, whose last number was `last`: `earlier` knows what it numbered.
void wall_apps_continue(struct wall_apps *apps, uint32_t last,
                        uint32_t (*earlier)(void *context, const FWP_BYTE_BLOB *app_id), void *context);

// The number of an app id (compared byte by byte, as the classifier does), a new one if it has none. Returns 0 when
// memory is short or WALL_APPS_MAX are in use.
uint32_t wall_apps_number(struct wall_apps *apps, const FWP_BYTE_BLOB *app_id);
