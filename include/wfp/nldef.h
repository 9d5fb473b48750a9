// Network-layer definitions: kinds of addresses, compartments.
#pragma once

#include "wfptarget.h"

#if defined(_WIN32) && !defined(WFP_WINDOWS_DRIVER)
#include_next <nldef.h>
#else

#include "wfpbase.h"
#ifdef __cplusplus
extern "C" {
#endif

// Values of FWPM_CONDITION_IP_LOCAL_ADDRESS_TYPE and _DESTINATION_ADDRESS_TYPE.
typedef enum {
    NlatUnspecified = 0,
    NlatUnicast = 1,
    NlatAnycast = 2,
    NlatMulticast = 3,
    NlatBroadcast = 4,
    NlatInvalid = 5
} NL_ADDRESS_TYPE, *PNL_ADDRESS_TYPE;

#ifdef __cplusplus
}
#endif

#endif
