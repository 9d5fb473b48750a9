// What FwpmEngineOpen takes of RPC, under the name programs include.
#pragma once

#ifdef _WIN32
#include_next <rpc.h>
#else
#include "rpcdce.h"
#endif
