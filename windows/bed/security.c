// client/security.h for the bed: its objects have no descriptors.
#include "client/security.h"

#include "winerror.h"

uint32_t wall_security_get(HANDLE engine, enum wall_object_type type, const GUID *key, uint32_t information,
                           PSID *ret_owner, PSID *ret_group, PACL *ret_dacl, PACL *ret_sacl,
                           PSECURITY_DESCRIPTOR *ret_descriptor)
{
    (void)engine;
    (void)type;
    (void)key;
    (void)information;
    (void)ret_owner;
    (void)ret_group;
    (void)ret_dacl;
    (void)ret_sacl;
    (void)ret_descriptor;
    return ERROR_CALL_NOT_IMPLEMENTED;
}

uint32_t wall_security_set(HANDLE engine)
{
    (void)engine;
    return ERROR_CALL_NOT_IMPLEMENTED;
}
