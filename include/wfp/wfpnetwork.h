// Network types that the run-time API uses: socket addresses, prefixes, interface identifiers.
#pragma once

#include "wfpbase.h"

#if defined(_WIN32) && !defined(WFP_WINDOWS_DRIVER)
#include <mswsock.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>
#include <netioapi.h>
#else
#include "ifdef.h"
#include "netioapi.h"
#include "nldef.h"
#include "ws2def.h"
#include "ws2ipdef.h"
#endif
