// The words of user-mode Windows programs: BOOL, BYTE, DWORD, calling conventions.
#pragma once

#ifdef _WIN32
#include_next <minwindef.h>
#else

#include "ntdef.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int BOOL, *PBOOL, *LPBOOL;
typedef uint8_t BYTE, *PBYTE, *LPBYTE;
typedef uint16_t WORD, *PWORD, *LPWORD, ATOM;
typedef uint32_t DWORD, *PDWORD, *LPDWORD;
typedef int INT, *PINT, *LPINT;
typedef unsigned int UINT, *PUINT, *LPUINT;
typedef int32_t *LPLONG;
typedef float FLOAT, *PFLOAT;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM, LRESULT;
typedef LONG HRESULT;
typedef HANDLE *LPHANDLE;
typedef HANDLE HGLOBAL, HLOCAL, GLOBALHANDLE, LOCALHANDLE;
typedef intptr_t (*FARPROC)(void), (*NEARPROC)(void), (*PROC)(void);
DECLARE_HANDLE(HINSTANCE);
typedef HINSTANCE HMODULE;
DECLARE_HANDLE(HKEY);
typedef HKEY *PHKEY;

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

#define CALLBACK
#define WINAPI
#define WINAPIV
#define APIENTRY
#define PASCAL
#ifndef MAX_PATH
#define MAX_PATH 260
#endif

#define MAKEWORD(low, high) ((WORD)(((BYTE)(DWORD_PTR)(low)) | ((WORD)(BYTE)(DWORD_PTR)(high)) << 8))
#define MAKELONG(low, high) ((LONG)(((WORD)(DWORD_PTR)(low)) | ((DWORD)(WORD)(DWORD_PTR)(high)) << 16))
#define LOWORD(value) ((WORD)((DWORD_PTR)(value) & 0xffff))
#define HIWORD(value) ((WORD)(((DWORD_PTR)(value) >> 16) & 0xffff))
#define LOBYTE(value) ((BYTE)((DWORD_PTR)(value) & 0xff))
#define HIBYTE(value) ((BYTE)(((DWORD_PTR)(value) >> 8) & 0xff))

#ifdef __cplusplus
}
#endif

#endif
