#include "cli/block_list.h"

#include <string.h>

#include "base/map.h"
#include "cli/rule.h"

void wall_block_list_key(const char *name, GUID *ret_key)
{
    static const uint64_t low[2] = { 0x72696e6777616c6cu, 1 }, high[2] = { 0x72696e6777616c6cu, 2 };
    uint64_t words[2] = { wall_hash(low, name, strlen(name)), wall_hash(high, name, strlen(name)) };
    memcpy(ret_key, words, sizeof(*ret_key));
}

bool wall_block_list_owns(const GUID *key, const GUID *provider, const FWP_BYTE_BLOB *data)
{
    return provider && IsEqualGUID(provider, &wall_rule_provider) && data->data && data->size == sizeof(*key) &&
           (!key || memcmp(data->data, key, sizeof(*key)) == 0);
}

uint32_t wall_block_list_remove_names(HANDLE engine, const GUID *key, size_t *ret_count)
{
    HANDLE enumeration;
    uint32_t status = FwpmProviderContextCreateEnumHandle0(engine, NULL, &enumeration), count;
    FWPM_PROVIDER_CONTEXT0 **contexts;
    if (status != ERROR_SUCCESS)
        return status;
    *ret_count = 0;
    do {
        count = 0;
        status = FwpmProviderContextEnum0(engine, enumeration, 16, &contexts, &count);
        for (uint32_t i = 0; i < count && status == ERROR_SUCCESS; i++) {
            if (!wall_block_list_owns(key, contexts[i]->providerKey, &contexts[i]->providerData))
                continue;  // another list's, or somebody else's
            status = FwpmProviderContextDeleteByKey0(engine, &contexts[i]->providerContextKey);
            ++*ret_count;
        }
        if (count > 0)
            FwpmFreeMemory0((void **)&contexts);
    } while (count > 0 && status == ERROR_SUCCESS);
    (void)FwpmProviderContextDestroyEnumHandle0(engine, enumeration);
    return status;
}
