// The codes the engine answers with.
#pragma once

#include "fwpmu.h"
#include "winerror.h"

#include "engine/engine.h"

// A stated maximum (engine/limits.h) that WFP has no code of its own for: ERROR_NOT_ENOUGH_QUOTA.
#define WALL_STATUS_QUOTA 1816u
