// IN_ADDR, with the member names of Windows and of POSIX.
#pragma once

#include "wfptarget.h"

#if defined(_WIN32) && !defined(WFP_WINDOWS_DRIVER)
#include_next <inaddr.h>
#else

#include "wfpbase.h"
// Network byte order.
typedef struct _IN_ADDR {
    WFP_ANONYMOUS union {
        union {
            struct {
                UCHAR s_b1, s_b2, s_b3, s_b4;
            } S_un_b;
            struct {
                USHORT s_w1, s_w2;
            } S_un_w;
            ULONG S_addr;
        } S_un;
        ULONG s_addr;
    };
} IN_ADDR, *PIN_ADDR, *LPIN_ADDR;

#endif
