// IN6_ADDR, with the member names of Windows (u.Byte, u.Word) and of POSIX (s6_addr).
#pragma once

#include "wfptarget.h"

#if defined(_WIN32) && !defined(WFP_WINDOWS_DRIVER)
#include_next <in6addr.h>
#else

#include "wfpbase.h"
#include "wfpsockets.h"

typedef struct _IN6_ADDR {
    WFP_ANONYMOUS union {
        union {
            UCHAR Byte[16];
            USHORT Word[8];
        } u;
        // glibc's s6_addr is a macro for a member of this name
        union {
            uint8_t __u6_addr8[16];
            uint16_t __u6_addr16[8];
            uint32_t __u6_addr32[4];
        } __in6_u;
    };
} IN6_ADDR, *PIN6_ADDR, *LPIN6_ADDR;

#endif
