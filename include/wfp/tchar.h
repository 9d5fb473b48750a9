// TCHAR programs: the names that stand for the narrow or the wide function.
#pragma once

#ifdef _WIN32
#include_next <tchar.h>
#else

#include "winnt.h"

#define _T(text) TEXT(text)
#ifdef UNICODE
#define _tmain wmain
#define _tprintf wprintf
#define _tcslen wcslen
#define _tcscmp wcscmp
#else
#define _tmain main
#define _tprintf printf
#define _tcslen strlen
#define _tcscmp strcmp
#endif

#endif
