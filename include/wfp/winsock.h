// The older name of winsock2.h.
#pragma once

#ifdef _WIN32
#include_next <winsock.h>
#else
#include "winsock2.h"
#endif
