// Data of NET_BUFFERs, for the files that make them.
#pragma once

#include <ndis.h>

// Marks an MDL that NdisRetreatNetBufferDataStart made, together with its memory, in one pool block.
#define NTOS_MDL_OF_RETREAT 0x4000
#define NTOS_NDIS_TAG 0x7364694eu  // 'Nids'

// An MDL and `size` bytes for it in one block, on behalf of the code at `owner`; NULL when memory is short.
PMDL ntos_mdl_with_data(ULONG size, const void *owner);
