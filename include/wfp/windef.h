// The words of user-mode Windows programs, and the types of security.
#pragma once

#ifdef _WIN32
#include_next <windef.h>
#else

#include "minwindef.h"
#include "winnt.h"

#endif
