#include "ntos/net_buffer.h"

#include "ntos/pool.h"
#include "ntos/verify.h"

PMDL ntos_mdl_with_data(ULONG size, const void *owner)
{
    SIZE_T before = ALIGN_UP_BY(sizeof(MDL), 16);
    if (size > MAXULONG - before)
        return NULL;
    PMDL mdl = ntos_pool_allocate(before + size, NTOS_NDIS_TAG, owner);
    if (!mdl)
        return NULL;
    MmInitializeMdl(mdl, (PCHAR)mdl + before, size);
    MmBuildMdlForNonPagedPool(mdl);
    return mdl;
}

VOID NdisAdjustNetBufferCurrentMdl(PNET_BUFFER buffer)
{
    PMDL mdl = buffer->MdlChain;
    ULONG offset = buffer->DataOffset;
    // An offset at the very end of an MDL is the start of the next one, unless there is none.
    while (mdl && mdl->Next && offset >= mdl->ByteCount) {
        offset -= mdl->ByteCount;
        mdl = mdl->Next;
    }
    buffer->CurrentMdl = mdl;
    buffer->CurrentMdlOffset = mdl ? offset : 0;
}

VOID NdisAdvanceNetBufferDataStart(PNET_BUFFER buffer, ULONG delta, BOOLEAN free_mdl,
                                   NET_BUFFER_FREE_MDL_HANDLER free_handler)
{
    if (delta > buffer->DataLength) {
        ntos_violation("NdisAdvanceNetBufferDataStart", "advances %u bytes of %u", delta, buffer->DataLength);
        delta = buffer->DataLength;
    }
    buffer->DataOffset += delta;
    buffer->DataLength -= delta;
    // What an earlier retreat put in front goes away once no byte of it is in use.
    for (PMDL mdl = buffer->MdlChain; free_mdl && mdl && mdl->Next && (mdl->MdlFlags & NTOS_MDL_OF_RETREAT) &&
                                      buffer->DataOffset >= mdl->ByteCount;
         mdl = buffer->MdlChain) {
        buffer->MdlChain = mdl->Next;
        buffer->DataOffset -= mdl->ByteCount;
        if (free_handler)
            free_handler(mdl);
        else
            ExFreePoolWithTag(mdl, NTOS_NDIS_TAG);
    }
    NdisAdjustNetBufferCurrentMdl(buffer);
}

static NDIS_STATUS retreat(PNET_BUFFER buffer, ULONG delta, ULONG backfill,
                           NET_BUFFER_ALLOCATE_MDL_HANDLER allocate_handler, const void *owner)
{
    if (delta > MAXULONG - buffer->DataLength)
        return NDIS_STATUS_INVALID_PARAMETER;
    if (buffer->DataOffset < delta) {
        // A new MDL in front takes what the unused space does not.
        ULONG missing = delta - buffer->DataOffset;
        if (backfill > MAXULONG - missing)
            return NDIS_STATUS_INVALID_PARAMETER;
        ULONG size = missing + backfill;
        PMDL mdl = allocate_handler ? allocate_handler(&size) : ntos_mdl_with_data(size, owner);
        if (!mdl)
            return NDIS_STATUS_RESOURCES;
        mdl->MdlFlags |= NTOS_MDL_OF_RETREAT;
        mdl->Next = buffer->MdlChain;
        buffer->MdlChain = mdl;
        buffer->DataOffset += mdl->ByteCount;
    }
    buffer->DataOffset -= delta;
    buffer->DataLength += delta;
    NdisAdjustNetBufferCurrentMdl(buffer);
    return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NdisRetreatNetBufferDataStart(PNET_BUFFER buffer, ULONG delta, ULONG backfill,
                                          NET_BUFFER_ALLOCATE_MDL_HANDLER allocate_handler)
{
    return retreat(buffer, delta, backfill, allocate_handler, __builtin_return_address(0));
}

VOID NdisAdvanceNetBufferListDataStart(PNET_BUFFER_LIST list, ULONG delta, BOOLEAN free_mdl,
                                       NET_BUFFER_FREE_MDL_HANDLER free_handler)
{
    for (PNET_BUFFER buffer = list->FirstNetBuffer; buffer; buffer = buffer->Next)
        NdisAdvanceNetBufferDataStart(buffer, delta, free_mdl, free_handler);
}

NDIS_STATUS NdisRetreatNetBufferListDataStart(PNET_BUFFER_LIST list, ULONG delta, ULONG backfill,
                                              NET_BUFFER_ALLOCATE_MDL_HANDLER allocate_handler,
                                              NET_BUFFER_FREE_MDL_HANDLER free_handler)
{
    for (PNET_BUFFER buffer = list->FirstNetBuffer; buffer; buffer = buffer->Next) {
        NDIS_STATUS status = retreat(buffer, delta, backfill, allocate_handler, __builtin_return_address(0));
        if (status == NDIS_STATUS_SUCCESS)
            continue;
        // All or none.
        for (PNET_BUFFER done = list->FirstNetBuffer; done != buffer; done = done->Next)
            NdisAdvanceNetBufferDataStart(done, delta, TRUE, free_handler);
        return status;
    }
    return NDIS_STATUS_SUCCESS;
}

// Where in a chain a byte is; `ret_room` what follows it in that MDL. NULL behind the end.
static PUCHAR find_byte(PMDL mdl, ULONG offset, PMDL *ret_mdl, ULONG *ret_room)
{
    while (mdl && offset >= mdl->ByteCount) {
        offset -= mdl->ByteCount;
        mdl = mdl->Next;
    }
    if (!mdl)
        return NULL;
    *ret_mdl = mdl;
    *ret_room = mdl->ByteCount - offset;
    return (PUCHAR)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) + offset;
}

static bool is_aligned(const void *address, ULONG multiple, ULONG offset)
{
    return multiple <= 1 || ((ULONG_PTR)address - offset) % multiple == 0;
}

PVOID NdisGetDataBuffer(PNET_BUFFER buffer, ULONG bytes, PVOID storage, ULONG align_multiple, ULONG align_offset)
{
    PMDL mdl;
    ULONG room;
    if (bytes == 0 || bytes > buffer->DataLength)
        return NULL;
    PUCHAR at = find_byte(buffer->CurrentMdl, buffer->CurrentMdlOffset, &mdl, &room);
    if (at && room >= bytes && is_aligned(at, align_multiple, align_offset))
        return at;
    if (!storage)
        return NULL;
    for (ULONG done = 0; done < bytes;) {
        if (!at)
            return NULL;  // DataLength is more than the MDLs hold
        ULONG part = room < bytes - done ? room : bytes - done;
        memcpy((PUCHAR)storage + done, at, part);
        done += part;
        at = find_byte(mdl->Next, 0, &mdl, &room);
    }
    return storage;
}

NDIS_STATUS NdisCopyFromNetBufferToNetBuffer(PNET_BUFFER to, ULONG to_offset, ULONG bytes, PNET_BUFFER from,
                                             ULONG from_offset, PULONG ret_copied)
{
    *ret_copied = 0;
    if (to_offset > to->DataLength || from_offset > from->DataLength)
        return NDIS_STATUS_INVALID_PARAMETER;
    bytes = min(bytes, min(to->DataLength - to_offset, from->DataLength - from_offset));
    PMDL to_mdl = NULL, from_mdl = NULL;
    ULONG to_room = 0, from_room = 0;
    PUCHAR target = find_byte(to->CurrentMdl, to->CurrentMdlOffset + to_offset, &to_mdl, &to_room);
    PUCHAR source = find_byte(from->CurrentMdl, from->CurrentMdlOffset + from_offset, &from_mdl, &from_room);
    while (*ret_copied < bytes && target && source) {
        ULONG part = min(bytes - *ret_copied, min(to_room, from_room));
        memmove(target, source, part);
        *ret_copied += part;
        target += part;
        source += part;
        to_room -= part;
        from_room -= part;
        if (to_room == 0)
            target = find_byte(to_mdl->Next, 0, &to_mdl, &to_room);
        if (from_room == 0)
            source = find_byte(from_mdl->Next, 0, &from_mdl, &from_room);
    }
    return NDIS_STATUS_SUCCESS;
}
