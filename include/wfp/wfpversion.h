// NTDDI_* numbers (also for mingw-w64, whose own list ends early) and the chosen NTDDI_VERSION.
#pragma once

#ifndef NTDDI_WIN6
#define NTDDI_WIN6 0x06000000
#endif
#ifndef NTDDI_WIN6SP1
#define NTDDI_WIN6SP1 0x06000100
#endif
#ifndef NTDDI_WIN6SP2
#define NTDDI_WIN6SP2 0x06000200
#endif
#ifndef NTDDI_VISTA
#define NTDDI_VISTA NTDDI_WIN6
#endif
#ifndef NTDDI_VISTASP1
#define NTDDI_VISTASP1 NTDDI_WIN6SP1
#endif
#ifndef NTDDI_LONGHORN
#define NTDDI_LONGHORN NTDDI_VISTA
#endif
#ifndef NTDDI_WS08
#define NTDDI_WS08 NTDDI_WIN6SP1
#endif
#ifndef NTDDI_WIN7
#define NTDDI_WIN7 0x06010000
#endif
#ifndef NTDDI_WIN8
#define NTDDI_WIN8 0x06020000
#endif
#ifndef NTDDI_WINBLUE
#define NTDDI_WINBLUE 0x06030000
#endif
#ifndef NTDDI_WINTHRESHOLD
#define NTDDI_WINTHRESHOLD 0x0A000000
#endif
#ifndef NTDDI_WIN10
#define NTDDI_WIN10 0x0A000000
#endif
#ifndef NTDDI_WIN10_TH2
#define NTDDI_WIN10_TH2 0x0A000001
#endif
#ifndef NTDDI_WIN10_RS1
#define NTDDI_WIN10_RS1 0x0A000002
#endif
#ifndef NTDDI_WIN10_RS2
#define NTDDI_WIN10_RS2 0x0A000003
#endif
#ifndef NTDDI_WIN10_RS3
#define NTDDI_WIN10_RS3 0x0A000004
#endif
#ifndef NTDDI_WIN10_RS4
#define NTDDI_WIN10_RS4 0x0A000005
#endif
#ifndef NTDDI_WIN10_RS5
#define NTDDI_WIN10_RS5 0x0A000006
#endif
#ifndef NTDDI_WIN10_19H1
#define NTDDI_WIN10_19H1 0x0A000007
#endif
#ifndef NTDDI_WIN10_VB
#define NTDDI_WIN10_VB 0x0A000008
#endif
#ifndef NTDDI_WIN10_MN
#define NTDDI_WIN10_MN 0x0A000009
#endif
#ifndef NTDDI_WIN10_FE
#define NTDDI_WIN10_FE 0x0A00000A
#endif
#ifndef NTDDI_WIN10_CO
#define NTDDI_WIN10_CO 0x0A00000B
#endif
#ifndef NTDDI_WIN10_NI
#define NTDDI_WIN10_NI 0x0A00000C
#endif
#ifndef NTDDI_WIN10_CU
#define NTDDI_WIN10_CU 0x0A00000D
#endif
#ifndef NTDDI_WIN11_ZN
#define NTDDI_WIN11_ZN 0x0A00000E
#endif
#ifndef NTDDI_WIN11_GA
#define NTDDI_WIN11_GA 0x0A00000F
#endif
#ifndef NTDDI_WIN11_GE
#define NTDDI_WIN11_GE 0x0A000010
#endif
#ifndef WDK_NTDDI_VERSION
#define WDK_NTDDI_VERSION NTDDI_WIN11_GE
#endif

#ifndef _WIN32_WINNT_VISTA
#define _WIN32_WINNT_VISTA 0x0600
#endif
#ifndef _WIN32_WINNT_WIN7
#define _WIN32_WINNT_WIN7 0x0601
#endif
#ifndef _WIN32_WINNT_WIN8
#define _WIN32_WINNT_WIN8 0x0602
#endif
#ifndef _WIN32_WINNT_WINBLUE
#define _WIN32_WINNT_WINBLUE 0x0603
#endif
#ifndef _WIN32_WINNT_WIN10
#define _WIN32_WINNT_WIN10 0x0A00
#endif

// A program that names only a Windows version gets that version's first release, Windows 10 its newest.
#ifndef NTDDI_VERSION
#if defined(_WIN32_WINNT) && _WIN32_WINNT < 0x0A00
#define NTDDI_VERSION ((_WIN32_WINNT) << 16)
#else
#define NTDDI_VERSION WDK_NTDDI_VERSION
#endif
#endif
#ifndef _WIN32_WINNT
#define _WIN32_WINNT ((NTDDI_VERSION) >> 16)
#endif
#ifndef WINVER
#define WINVER _WIN32_WINNT
#endif
