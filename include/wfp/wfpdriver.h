// For drivers built with mingw-w64: the user-mode words that WFP headers use and its kernel headers lack.
#pragma once

#include "wfptarget.h"

#ifdef WFP_WINDOWS_DRIVER

#include <winerror.h>

typedef unsigned char BYTE, *PBYTE;
typedef unsigned short WORD, *PWORD;
typedef unsigned long DWORD, *PDWORD, *LPDWORD;
typedef int INT, *PINT;
typedef unsigned int UINT, *PUINT;
typedef void *LPVOID;
typedef LONG HRESULT;

#ifndef _NTIFS_INCLUDED_
typedef struct _SID_IDENTIFIER_AUTHORITY {
    UCHAR Value[6];
} SID_IDENTIFIER_AUTHORITY, *PSID_IDENTIFIER_AUTHORITY;

typedef struct _SID {
    UCHAR Revision;
    UCHAR SubAuthorityCount;
    SID_IDENTIFIER_AUTHORITY IdentifierAuthority;
    ULONG SubAuthority[1];
} SID, *PISID;

typedef struct _SID_AND_ATTRIBUTES {
    PSID Sid;
    ULONG Attributes;
} SID_AND_ATTRIBUTES, *PSID_AND_ATTRIBUTES;
#endif

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME;

#ifndef CALLBACK
#define CALLBACK NTAPI
#endif
#ifndef WINAPI
#define WINAPI NTAPI
#endif

#endif
