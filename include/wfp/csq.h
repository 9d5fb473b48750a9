// Cancel-safe queues: part of wdm.h.
#pragma once

#ifdef _WIN32
#include_next <csq.h>
#else
#include "wdm.h"
#endif
