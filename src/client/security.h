// Security descriptors, as far as they are true here.
//
// Access is decided by the service, for the whole engine and not for each object: everybody may open the engine and
// read, only root and the members of the service's group may change (docs/api-support.md). So every object answers
// with the same descriptor, and setting one is refused.
#pragma once

#include <stdint.h>

#include "engine/engine.h"

// Fwpm*GetSecurityInfo*: `key` names an object of `type`; NULL or zero: the container, which always exists. Pass
// WALL_OBJECT_COUNT_ for what has no objects (the engine, net events). The outputs point into *ret_descriptor, one
// block; outputs may be NULL; *ret_sacl is NULL.
uint32_t wall_security_get(HANDLE engine, enum wall_object_type type, const GUID *key, uint32_t information,
                           PSID *ret_owner, PSID *ret_group, PACL *ret_dacl, PACL *ret_sacl,
                           PSECURITY_DESCRIPTOR *ret_descriptor);
// Fwpm*SetSecurityInfo*: ERROR_INVALID_HANDLE, or ERROR_CALL_NOT_IMPLEMENTED.
uint32_t wall_security_set(HANDLE engine);
