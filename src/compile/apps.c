#include "compile/apps.h"

void wall_apps_init(struct wall_apps *apps, const uint64_t seed[2])
{
    wall_arena_init(&apps->arena);
    wall_map_init(&apps->numbers, seed);
    apps->count = 0;
}

void wall_apps_done(struct wall_apps *apps)
{
    wall_map_done(&apps->numbers);
    wall_arena_done(&apps->arena);
    apps->count = 0;
}

uint32_t wall_apps_number(struct wall_apps *apps, const FWP_BYTE_BLOB *app_id)
{
    const void *known = wall_map_get(&apps->numbers, app_id->data, app_id->size);
    if (known)
        return (uint32_t)(uintptr_t)known;
    if (apps->count == WALL_APPS_MAX)
        return 0;
    const void *copy = wall_arena_copy(&apps->arena, app_id->data, app_id->size);
    uintptr_t number = apps->count + 1;
    if (!copy || wall_map_put(&apps->numbers, copy, app_id->size, (void *)number) < 0)
        return 0;
    apps->count++;
    return (uint32_t)number;
}
