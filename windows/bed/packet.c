#include "packet.h"

#include <stdlib.h>

#define PROTOCOL_TCP 6
#define PACKET_MARK 0x42454450  // "PDEB": a pointer that is no packet of ours is noticed

struct packet {
    ULONG mark;
    bool is_clone;
    LONG moved;           // bytes its start was moved back
    HANDLE injected_by;   // an injection handle
    UINT64 operation;
    struct bed_attempt attempt;
};

struct injection {
    ADDRESS_FAMILY family;
};

static struct packet *packet_of(const NET_BUFFER_LIST *list)
{
    struct packet *packet = (struct packet *)(ULONG_PTR)list;
    if (packet->mark != PACKET_MARK)
        bed_violation("a packet that does not exist any more is used");
    return packet;
}

static bool has_packet(const struct bed_attempt *attempt)
{
    switch (attempt->layer_id) {
    case FWPS_LAYER_ALE_AUTH_CONNECT_V4:
    case FWPS_LAYER_ALE_AUTH_CONNECT_V6:
        return attempt->protocol != PROTOCOL_TCP;
    case FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4:
    case FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V6:
    case FWPS_LAYER_ALE_AUTH_LISTEN_V4:
    case FWPS_LAYER_ALE_AUTH_LISTEN_V6:
    case FWPS_LAYER_ALE_CONNECT_REDIRECT_V4:
    case FWPS_LAYER_ALE_CONNECT_REDIRECT_V6:
        return false;
    default:
        return true;
    }
}

NET_BUFFER_LIST *bed_packet_new(const struct bed_attempt *attempt)
{
    struct packet *packet = has_packet(attempt) ? calloc(1, sizeof(*packet)) : NULL;
    if (packet) {
        packet->mark = PACKET_MARK;
        packet->attempt = *attempt;
    }
    return (NET_BUFFER_LIST *)packet;
}

void bed_packet_free(NET_BUFFER_LIST *list)
{
    if (!list)
        return;
    struct packet *packet = packet_of(list);
    if (packet->moved != 0)
        bed_violation("a packet's start was not moved back");
    packet->mark = 0;
    free(packet);
}

UINT64 bed_packet_operation(const NET_BUFFER_LIST *list)
{
    return packet_of(list)->operation;
}

void bed_packet_set_operation(NET_BUFFER_LIST *list, UINT64 operation)
{
    packet_of(list)->operation = operation;
}

LONG NTAPI bed_NdisRetreatNetBufferListDataStart(NET_BUFFER_LIST *list, ULONG delta, ULONG backfill, void *allocate,
                                                 void *free_handler)
{
    UNREFERENCED_PARAMETER(backfill);
    UNREFERENCED_PARAMETER(allocate);
    UNREFERENCED_PARAMETER(free_handler);
    if (bed_fault("NdisRetreatNetBufferListDataStart"))
        return STATUS_INSUFFICIENT_RESOURCES;
    packet_of(list)->moved += (LONG)delta;
    return STATUS_SUCCESS;
}

VOID NTAPI bed_NdisAdvanceNetBufferListDataStart(NET_BUFFER_LIST *list, ULONG delta, BOOLEAN free_mdl, void *handler)
{
    UNREFERENCED_PARAMETER(free_mdl);
    UNREFERENCED_PARAMETER(handler);
    packet_of(list)->moved -= (LONG)delta;
}

// --- Clones ---

NTSTATUS NTAPI FwpsAllocateCloneNetBufferList0(NET_BUFFER_LIST *original, PVOID list_pool, PVOID buffer_pool,
                                               ULONG flags, NET_BUFFER_LIST **ret_clone)
{
    UNREFERENCED_PARAMETER(list_pool);
    UNREFERENCED_PARAMETER(buffer_pool);
    UNREFERENCED_PARAMETER(flags);
    bed_expect_irql("FwpsAllocateCloneNetBufferList0", DISPATCH_LEVEL);
    struct packet *clone = bed_fault("FwpsAllocateCloneNetBufferList0") ? NULL : malloc(sizeof(*clone));
    if (!clone)
        return STATUS_INSUFFICIENT_RESOURCES;
    *clone = *packet_of(original);
    clone->is_clone = true;
    clone->moved = 0;  // it begins where its original did at the time
    bed_count(BED_ALLOCATIONS, 1);
    *ret_clone = (NET_BUFFER_LIST *)clone;
    return STATUS_SUCCESS;
}

void NTAPI FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST *list, ULONG flags)
{
    UNREFERENCED_PARAMETER(flags);
    bed_expect_irql("FwpsFreeCloneNetBufferList0", DISPATCH_LEVEL);
    if (!packet_of(list)->is_clone)
        bed_violation("FwpsFreeCloneNetBufferList0 of a packet that is no clone");
    bed_count(BED_ALLOCATIONS, -1);
    bed_packet_free(list);
}

// --- Injection: the packet is classified again, on the caller's thread, then given back ---

NTSTATUS NTAPI FwpsInjectionHandleCreate0(ADDRESS_FAMILY family, UINT32 flags, HANDLE *ret_handle)
{
    UNREFERENCED_PARAMETER(flags);
    bed_expect_irql("FwpsInjectionHandleCreate0", PASSIVE_LEVEL);
    struct injection *injection = bed_fault("FwpsInjectionHandleCreate0") ? NULL : malloc(sizeof(*injection));
    if (!injection)
        return STATUS_INSUFFICIENT_RESOURCES;
    injection->family = family;
    bed_count(BED_HANDLES, 1);
    *ret_handle = injection;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpsInjectionHandleDestroy0(HANDLE handle)
{
    bed_expect_irql("FwpsInjectionHandleDestroy0", PASSIVE_LEVEL);
    bed_count(BED_HANDLES, -1);
    free(handle);
    return STATUS_SUCCESS;
}

FWPS_PACKET_INJECTION_STATE NTAPI FwpsQueryPacketInjectionState0(HANDLE handle, const NET_BUFFER_LIST *list,
                                                                 HANDLE *ret_context)
{
    HANDLE by = packet_of(list)->injected_by;
    if (ret_context)
        *ret_context = NULL;
    if (!by)
        return FWPS_PACKET_NOT_INJECTED;
    return by == handle ? FWPS_PACKET_INJECTED_BY_SELF : FWPS_PACKET_INJECTED_BY_OTHER;
}

static NTSTATUS inject(HANDLE handle, NET_BUFFER_LIST *list, FWPS_INJECT_COMPLETE0 complete, HANDLE context)
{
    struct packet *packet = packet_of(list);
    if (bed_fault("FwpsInjectTransport"))
        return STATUS_INSUFFICIENT_RESOURCES;
    packet->injected_by = handle;
    bed_operation_injected(&packet->attempt, list);
    complete(context, list, bed_irql() >= DISPATCH_LEVEL);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpsInjectTransportSendAsync0(HANDLE handle, HANDLE context, UINT64 endpoint, UINT32 flags,
                                             FWPS_TRANSPORT_SEND_PARAMS0 *parameters, ADDRESS_FAMILY family,
                                             COMPARTMENT_ID compartment, NET_BUFFER_LIST *list,
                                             FWPS_INJECT_COMPLETE0 complete, HANDLE complete_context)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(endpoint);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(parameters);
    UNREFERENCED_PARAMETER(family);
    UNREFERENCED_PARAMETER(compartment);
    return inject(handle, list, complete, complete_context);
}

NTSTATUS NTAPI FwpsInjectTransportReceiveAsync0(HANDLE handle, HANDLE context, PVOID reserved, UINT32 flags,
                                                ADDRESS_FAMILY family, COMPARTMENT_ID compartment,
                                                IF_INDEX interface_index, IF_INDEX sub_interface_index,
                                                NET_BUFFER_LIST *list, FWPS_INJECT_COMPLETE0 complete,
                                                HANDLE complete_context)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(reserved);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(family);
    UNREFERENCED_PARAMETER(compartment);
    UNREFERENCED_PARAMETER(interface_index);
    UNREFERENCED_PARAMETER(sub_interface_index);
    return inject(handle, list, complete, complete_context);
}
