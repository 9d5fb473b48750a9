// What a source file is built for. WFP_WINDOWS_DRIVER: a Windows driver (ntddk.h, ntifs.h or wdm.h came before).
#pragma once

#if defined(_WIN32) && (defined(_NTDDK_) || defined(_NTIFS_) || defined(_WDMDDK_))
#define WFP_WINDOWS_DRIVER
#endif
