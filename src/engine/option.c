#include "engine/state.h"
#include "engine/status.h"

// The bits an option may have, by FWPM_ENGINE_OPTION.
static const uint32_t option_bits[WALL_OPTION_COUNT] = {
    [FWPM_ENGINE_COLLECT_NET_EVENTS] = 1,
    [FWPM_ENGINE_NET_EVENT_MATCH_ANY_KEYWORDS] = 0x3f,
    [FWPM_ENGINE_NAME_CACHE] = 1,
    [FWPM_ENGINE_MONITOR_IPSEC_CONNECTIONS] = 1,
    [FWPM_ENGINE_PACKET_QUEUING] = 7,
    [FWPM_ENGINE_TXN_WATCHDOG_TIMEOUT_IN_MSEC] = UINT32_MAX,
};

wall_status wall_option_get(struct wall_session *session, FWPM_ENGINE_OPTION option, FWP_VALUE0 *ret_value)
{
    wall_status status = wall_session_check(session);
    if (status != 0)
        return status;
    if ((unsigned int)option >= WALL_OPTION_COUNT)
        return FWP_E_INVALID_ENUMERATOR;
    *ret_value = (FWP_VALUE0){ .type = FWP_UINT32, .uint32 = session->engine->options[option] };
    return 0;
}

wall_status wall_option_set(struct wall_session *session, FWPM_ENGINE_OPTION option, const FWP_VALUE0 *value)
{
    wall_status status = wall_session_check(session);
    if (status != 0)
        return status;
    if (!session->may_write)
        return ERROR_ACCESS_DENIED;
    if (session->transaction != WALL_TRANSACTION_NONE)
        return FWP_E_TXN_IN_PROGRESS;
    if (session->dynamic)
        return FWP_E_DYNAMIC_SESSION_IN_PROGRESS;
    if ((unsigned int)option >= WALL_OPTION_COUNT)
        return FWP_E_INVALID_ENUMERATOR;
    if (!value)
        return FWP_E_NULL_POINTER;
    if (value->type != FWP_UINT32)
        return FWP_E_TYPE_MISMATCH;
    if (value->uint32 & ~option_bits[option])
        return FWP_E_OUT_OF_BOUNDS;
    session->engine->options[option] = value->uint32;
    return 0;
}
