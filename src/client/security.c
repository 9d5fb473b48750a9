#include "client/security.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "fwpmconstants.h"
#include "winerror.h"

#include "base/guid.h"
#include "base/sid.h"
#include "client/engine.h"
#include "client/handle.h"
#include "host/account.h"

// Root, the service's group, everyone.
#define ENTRIES_MAX 3u

struct entry {
    union wall_sid sid;
    ACCESS_MASK mask;
};

static unsigned list_entries(struct entry entries[ENTRIES_MAX])
{
    static const SID everyone = { SID_REVISION, 1, { SECURITY_WORLD_SID_AUTHORITY }, { SECURITY_WORLD_RID } };
    unsigned count = 0;
    entries[count].mask = FWPM_GENERIC_ALL;
    wall_sid_from_user(0, &entries[count++].sid);

    struct group group, *found = NULL;
    char buffer[4096];  // a group with more members than fit is still found by most; else only root is named
    if (getgrnam_r(WALL_ACCOUNT_GROUP, &group, buffer, sizeof(buffer), &found) == 0 && found) {
        entries[count].mask = FWPM_GENERIC_ALL;
        wall_sid_from_group(group.gr_gid, &entries[count++].sid);
    }

    entries[count].mask = FWPM_GENERIC_READ | FWPM_GENERIC_EXECUTE;
    memcpy(&entries[count++].sid, &everyone, sizeof(everyone));
    return count;
}

static size_t acl_size(const struct entry *entries, unsigned count)
{
    size_t size = sizeof(ACL);
    for (unsigned i = 0; i < count; i++)
        size += offsetof(ACCESS_ALLOWED_ACE, SidStart) + wall_sid_size(&entries[i].sid.sid);
    return size;
}

static void write_acl(unsigned char *to, const struct entry *entries, unsigned count)
{
    ACL acl = { .AclRevision = ACL_REVISION, .AclSize = (WORD)acl_size(entries, count), .AceCount = (WORD)count };
    memcpy(to, &acl, sizeof(acl));
    to += sizeof(acl);
    for (unsigned i = 0; i < count; i++) {
        size_t sid_size = wall_sid_size(&entries[i].sid.sid);
        size_t size = offsetof(ACCESS_ALLOWED_ACE, SidStart) + sid_size;
        ACCESS_ALLOWED_ACE ace = { { ACCESS_ALLOWED_ACE_TYPE, 0, (WORD)size }, entries[i].mask, 0 };
        memcpy(to, &ace, offsetof(ACCESS_ALLOWED_ACE, SidStart));
        memcpy(to + offsetof(ACCESS_ALLOWED_ACE, SidStart), &entries[i].sid, sid_size);
        to += size;
    }
}

// A self-relative descriptor of the parts asked for; NULL when memory is short.
static SECURITY_DESCRIPTOR_RELATIVE *make_descriptor(uint32_t information)
{
    union wall_sid owner, group;
    struct entry entries[ENTRIES_MAX];
    unsigned count = list_entries(entries);
    wall_sid_from_user(0, &owner);
    wall_sid_from_group(0, &group);
    size_t owner_size = information & OWNER_SECURITY_INFORMATION ? wall_sid_size(&owner.sid) : 0;
    size_t group_size = information & GROUP_SECURITY_INFORMATION ? wall_sid_size(&group.sid) : 0;
    size_t dacl_size = information & DACL_SECURITY_INFORMATION ? acl_size(entries, count) : 0;

    SECURITY_DESCRIPTOR_RELATIVE *descriptor = calloc(1, sizeof(*descriptor) + owner_size + group_size + dacl_size);
    if (!descriptor)
        return NULL;
    descriptor->Revision = SECURITY_DESCRIPTOR_REVISION;
    descriptor->Control = SE_SELF_RELATIVE | (dacl_size ? SE_DACL_PRESENT | SE_DACL_PROTECTED : 0);
    unsigned char *start = (unsigned char *)descriptor, *at = start + sizeof(*descriptor);
    if (owner_size) {
        descriptor->Owner = (DWORD)(at - start);
        memcpy(at, &owner, owner_size);
        at += owner_size;
    }
    if (group_size) {
        descriptor->Group = (DWORD)(at - start);
        memcpy(at, &group, group_size);
        at += group_size;
    }
    if (dacl_size) {
        descriptor->Dacl = (DWORD)(at - start);
        write_acl(at, entries, count);
    }
    return descriptor;
}

static uint32_t check_handle(HANDLE engine)
{
    void *object = wall_handle_ref(engine, WALL_HANDLE_ENGINE, NULL);
    wall_handle_unref(object);
    return object ? ERROR_SUCCESS : ERROR_INVALID_HANDLE;
}

static uint32_t check_exists(HANDLE engine, enum wall_object_type type, const GUID *key)
{
    if (type == WALL_OBJECT_COUNT_ || !key || wall_guid_is_zero(key))
        return check_handle(engine);
    void *object;
    uint32_t status = wall_client_get_key(engine, type, WALL_CLIENT_VERSION_NEWEST, key, &object);
    if (status == ERROR_SUCCESS)
        free(object);
    return status;
}

static void *part(SECURITY_DESCRIPTOR_RELATIVE *descriptor, DWORD offset)
{
    return offset ? (unsigned char *)descriptor + offset : NULL;
}

uint32_t wall_security_get(HANDLE engine, enum wall_object_type type, const GUID *key, uint32_t information,
                           PSID *ret_owner, PSID *ret_group, PACL *ret_dacl, PACL *ret_sacl,
                           PSECURITY_DESCRIPTOR *ret_descriptor)
{
    if (!ret_descriptor)
        return FWP_E_NULL_POINTER;
    uint32_t status = check_exists(engine, type, key);
    if (status != ERROR_SUCCESS)
        return status;

    SECURITY_DESCRIPTOR_RELATIVE *descriptor = make_descriptor(information);
    if (!descriptor)
        return ERROR_NOT_ENOUGH_MEMORY;
    if (ret_owner)
        *ret_owner = part(descriptor, descriptor->Owner);
    if (ret_group)
        *ret_group = part(descriptor, descriptor->Group);
    if (ret_dacl)
        *ret_dacl = part(descriptor, descriptor->Dacl);
    if (ret_sacl)
        *ret_sacl = NULL;
    *ret_descriptor = descriptor;
    return ERROR_SUCCESS;
}

uint32_t wall_security_set(HANDLE engine)
{
    uint32_t status = check_handle(engine);
    return status == ERROR_SUCCESS ? ERROR_CALL_NOT_IMPLEMENTED : status;
}
