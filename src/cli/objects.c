#include "cli/objects.h"

#include <stdlib.h>
#include <string.h>

#include "fwpmu.h"

#include "base/utf16.h"
#include "cli/command.h"
#include "cli/wfp_status.h"
#include "engine/shapes.h"

const char *const wall_kind_names[] = { "providers", "sublayers", "layers",    "callouts",
                                        "filters",   "sessions",  "netevents", NULL };

// Objects asked for at once: enough that a call's cost does not matter, few enough for one message.
#define BATCH 256

static const WCHAR session_name[] = L"ringwall";

int wall_engine_open(bool dynamic, HANDLE *ret_engine)
{
    FWPM_SESSION0 session = { 0 };
    session.displayData.name = (WCHAR *)session_name;
    session.flags = dynamic ? FWPM_SESSION_FLAG_DYNAMIC : 0;
    uint32_t status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, ret_engine);
    return status == ERROR_SUCCESS ? 0 : wall_complain_status(status, "reach the filter engine");
}

// The functions of one kind, all made to look the same.
struct functions {
    uint32_t (*create)(HANDLE engine, HANDLE *ret_enumeration);
    uint32_t (*enumerate)(HANDLE engine, HANDLE enumeration, void ***ret_block, UINT32 *ret_count);
    uint32_t (*destroy)(HANDLE engine, HANDLE enumeration);
    const struct wall_shape *shape;
};

#define DEFINE_FUNCTIONS(noun, Noun, type, version)                                                           \
    static uint32_t create_##noun(HANDLE engine, HANDLE *ret_enumeration)                                     \
    {                                                                                                         \
        return Fwpm##Noun##CreateEnumHandle0(engine, NULL, ret_enumeration);                                  \
    }                                                                                                         \
    static uint32_t enumerate_##noun(HANDLE engine, HANDLE enumeration, void ***ret_block, UINT32 *ret_count) \
    {                                                                                                         \
        type **entries = NULL;                                                                                \
        uint32_t status = Fwpm##Noun##Enum##version(engine, enumeration, BATCH, &entries, ret_count);         \
        *ret_block = (void **)entries;                                                                        \
        return status;                                                                                        \
    }                                                                                                         \
    static uint32_t destroy_##noun(HANDLE engine, HANDLE enumeration)                                         \
    {                                                                                                         \
        return Fwpm##Noun##DestroyEnumHandle0(engine, enumeration);                                           \
    }

DEFINE_FUNCTIONS(providers, Provider, FWPM_PROVIDER0, 0)
DEFINE_FUNCTIONS(sublayers, SubLayer, FWPM_SUBLAYER0, 0)
DEFINE_FUNCTIONS(layers, Layer, FWPM_LAYER0, 0)
DEFINE_FUNCTIONS(callouts, Callout, FWPM_CALLOUT0, 0)
DEFINE_FUNCTIONS(filters, Filter, FWPM_FILTER0, 0)
DEFINE_FUNCTIONS(sessions, Session, FWPM_SESSION0, 0)
DEFINE_FUNCTIONS(netevents, NetEvent, FWPM_NET_EVENT5, 5)

#define FUNCTIONS(noun, shape) { create_##noun, enumerate_##noun, destroy_##noun, &shape }

static const struct functions functions[WALL_KIND_COUNT_] = {
    [WALL_KIND_PROVIDERS] = FUNCTIONS(providers, wall_shape_provider),
    [WALL_KIND_SUBLAYERS] = FUNCTIONS(sublayers, wall_shape_sublayer),
    [WALL_KIND_LAYERS] = FUNCTIONS(layers, wall_shape_layer),
    [WALL_KIND_CALLOUTS] = FUNCTIONS(callouts, wall_shape_callout),
    [WALL_KIND_FILTERS] = FUNCTIONS(filters, wall_shape_filter),
    [WALL_KIND_SESSIONS] = FUNCTIONS(sessions, wall_shape_session),
    [WALL_KIND_NETEVENTS] = FUNCTIONS(netevents, wall_shape_net_event),
};

// Takes the block over, whatever happens.
static uint32_t add_block(struct wall_objects *objects, void **block, UINT32 count)
{
    void **blocks = reallocarray(objects->blocks, objects->block_count + 1, sizeof(*blocks));
    if (!blocks) {
        FwpmFreeMemory0((void **)&block);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    objects->blocks = blocks;
    objects->blocks[objects->block_count++] = block;
    void **list = reallocarray(objects->objects, objects->count + count, sizeof(*list));
    if (!list)
        return ERROR_NOT_ENOUGH_MEMORY;
    objects->objects = list;
    memcpy(list + objects->count, block, count * sizeof(*list));
    objects->count += count;
    return ERROR_SUCCESS;
}

uint32_t wall_objects_fetch(HANDLE engine, enum wall_kind kind, struct wall_objects *ret_objects)
{
    const struct functions *call = &functions[kind];
    struct wall_objects objects = { .shape = call->shape };
    HANDLE enumeration;
    uint32_t status = call->create(engine, &enumeration);
    if (status != ERROR_SUCCESS)
        return status;

    UINT32 count = BATCH;
    while (status == ERROR_SUCCESS && count == BATCH) {
        void **block = NULL;
        count = 0;
        status = call->enumerate(engine, enumeration, &block, &count);
        if (status == ERROR_SUCCESS && count > 0)
            status = add_block(&objects, block, count);
        else if (block)
            FwpmFreeMemory0((void **)&block);
    }
    (void)call->destroy(engine, enumeration);
    if (status != ERROR_SUCCESS) {
        wall_objects_done(&objects);
        return status;
    }
    *ret_objects = objects;
    return ERROR_SUCCESS;
}

void wall_objects_done(struct wall_objects *objects)
{
    for (size_t i = 0; i < objects->block_count; i++)
        FwpmFreeMemory0(&objects->blocks[i]);
    free(objects->blocks);
    free(objects->objects);
    memset(objects, 0, sizeof(*objects));
}

char *wall_display_name(const WCHAR *name)
{
    return name ? wall_utf16_new_utf8(name) : strdup("");
}
