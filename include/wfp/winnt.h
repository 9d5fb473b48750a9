// Security: SIDs, access control lists, security descriptors, access rights. Layouts are those of Windows.
#pragma once

#ifdef _WIN32
#include_next <winnt.h>
#else

#include "minwindef.h"
#include "wfpsecurity.h"

#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR;
typedef LPWSTR LPTSTR, PTSTR;
typedef LPCWSTR LPCTSTR, PCTSTR;
#else
typedef char TCHAR, *PTCHAR;
typedef LPSTR LPTSTR, PTSTR;
typedef LPCSTR LPCTSTR, PCTSTR;
#endif
#ifndef TEXT
#ifdef UNICODE
#define WFP_TEXT_(quote) L##quote
#define TEXT(quote) WFP_TEXT_(quote)
#else
#define TEXT(quote) quote
#endif
#endif

#endif
