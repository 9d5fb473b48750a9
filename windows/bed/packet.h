// Packets of the bed: what layerData points to. They have an identity and no bytes: drivers may clone, inject and free
// them, and move their start with ndis.sys' functions; a driver that reads them needs more than the bed has.
#pragma once

#include "callout.h"

// The packet of an attempt, as layerData; NULL where Windows gives none (wfp-reference 3.1).
NET_BUFFER_LIST *bed_packet_new(const struct bed_attempt *attempt);
void bed_packet_free(NET_BUFFER_LIST *packet);
// The pended operation whose classification the packet was given to; 0: none.
UINT64 bed_packet_operation(const NET_BUFFER_LIST *packet);
void bed_packet_set_operation(NET_BUFFER_LIST *packet, UINT64 operation);

// ndis.sys' part for drivers: see NDIS.
LONG NTAPI bed_NdisRetreatNetBufferListDataStart(NET_BUFFER_LIST *packet, ULONG delta, ULONG backfill, void *allocate,
                                                 void *free_handler);
VOID NTAPI bed_NdisAdvanceNetBufferListDataStart(NET_BUFFER_LIST *packet, ULONG delta, BOOLEAN free_mdl, void *handler);
