#include "compile/apps.h"

void wall_apps_init(struct wall_apps *apps, const uint64_t seed[2])
{
    *apps = (struct wall_apps){ 0 };
    wall_arena_init(&apps->arena);
    wall_map_init(&apps->numbers, seed);
    wall_vector_init(&apps->items, sizeof(struct wall_app), 0);
}

void wall_apps_done(struct wall_apps *apps)
{
    wall_map_done(&apps->numbers);
    wall_vector_done(&apps->items);
    wall_arena_done(&apps->arena);
    apps->last = 0;
}

void wall_apps_continue(struct wall_apps *apps, uint32_t last,
                        uint32_t (*earlier)(void *context, const FWP_BYTE_BLOB *app_id), void *context)
{
    apps->last = last;
    apps->earlier = earlier;
    apps->context = context;
}

uint32_t wall_apps_number(struct wall_apps *apps, const FWP_BYTE_BLOB *app_id)
{
    const void *known = wall_map_get(&apps->numbers, app_id->data, app_id->size);
    if (known)
        return (uint32_t)(uintptr_t)known;
    struct wall_app app = { .id = { app_id->size, wall_arena_copy(&apps->arena, app_id->data, app_id->size) } };
    if (apps->earlier)
        app.number = apps->earlier(apps->context, app_id);
    if (app.number == 0 && apps->last < WALL_APPS_MAX)
        app.number = apps->last + 1;
    if (!app.id.data || app.number == 0 || wall_vector_reserve(&apps->items, 1) < 0 ||
        wall_map_put(&apps->numbers, app.id.data, app.id.size, (void *)(uintptr_t)app.number) < 0)
        return 0;
    (void)wall_vector_add(&apps->items, &app);
    if (app.number > apps->last)
        apps->last = app.number;
    return app.number;
}
