#include "engine/add.h"
#include "engine/limits.h"

static bool is_taken(const struct wall_engine *engine, int weight)
{
    return engine->sublayer_weights[weight / 64] >> (weight % 64) & 1;
}

bool wall_sublayer_weight_find(const struct wall_engine *engine, uint16_t wanted, uint16_t *ret_weight)
{
    for (int distance = 0; distance <= UINT16_MAX; distance++) {
        int below = wanted - distance, above = wanted + distance;
        if (below >= 0 && !is_taken(engine, below)) {
            *ret_weight = (uint16_t)below;
            return true;
        }
        if (above <= UINT16_MAX && !is_taken(engine, above)) {
            *ret_weight = (uint16_t)above;
            return true;
        }
    }
    return false;
}

void wall_sublayer_weight_set(struct wall_engine *engine, uint16_t weight, bool taken)
{
    uint64_t bit = UINT64_C(1) << (weight % 64);
    if (taken)
        engine->sublayer_weights[weight / 64] |= bit;
    else
        engine->sublayer_weights[weight / 64] &= ~bit;
}

static wall_status add(struct wall_session *session, const FWPM_SUBLAYER0 *sublayer, GUID *ret_key)
{
    if (!sublayer)
        return FWP_E_NULL_POINTER;
    if (sublayer->flags & ~(uint32_t)FWPM_SUBLAYER_FLAG_PERSISTENT)
        return FWP_E_INVALID_FLAGS;
    wall_status status = wall_add_check_common(&sublayer->displayData, &sublayer->providerData);
    if (status != 0)
        return status;

    FWPM_SUBLAYER0 data = *sublayer;
    struct wall_add adding = {
        .session = session,
        .type = WALL_OBJECT_SUBLAYER,
        .lifetime = wall_add_lifetime(session, data.flags & FWPM_SUBLAYER_FLAG_PERSISTENT),
        .limit = WALL_SUBLAYERS_MAX,
    };
    status = wall_add_prepare(&adding, &data.subLayerKey, data.providerKey);
    if (status == WALL_STATUS_QUOTA ||
        (status == 0 && !wall_sublayer_weight_find(session->engine, sublayer->weight, &data.weight)))
        return FWP_E_TOO_MANY_SUBLAYERS;
    if (status == 0)
        status = wall_add_finish(&adding, &data);
    if (status != 0)
        return status;
    wall_sublayer_weight_set(session->engine, data.weight, true);
    *ret_key = data.subLayerKey;
    return 0;
}

wall_status wall_sublayer_add(struct wall_session *session, const FWPM_SUBLAYER0 *sublayer, GUID *ret_key)
{
    bool implicit;
    GUID key;
    wall_status status = wall_write_enter(session, &implicit);
    if (status != 0)
        return status;
    status = wall_write_leave(session, implicit, add(session, sublayer, &key));
    if (status == 0 && ret_key)
        *ret_key = key;
    return status;
}
