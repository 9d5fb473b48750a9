// Network interfaces: what programs that use the filter engine need of it.
#pragma once

#ifdef _WIN32
#include_next <iphlpapi.h>
#else

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipifcons.h"
#include "netioapi.h"
#include "winerror.h"

#ifdef __cplusplus
extern "C" {
#endif

// A Linux interface's LUID: NetLuidIndex is its index, IfType the IANA type that its hardware type (ARPHRD) stands for.
static inline NETIOAPI_API ConvertInterfaceIndexToLuid(NET_IFINDEX InterfaceIndex, NET_LUID *InterfaceLuid)
{
    char name[IF_NAMESIZE];
    char path[sizeof("/sys/class/net//type") + IF_NAMESIZE];
    char text[16];
    unsigned hardware_type = 0xffff;  // without sysfs: an interface of another type
    FILE *file;

    memset(InterfaceLuid, 0, sizeof(*InterfaceLuid));
    if (!if_indextoname(InterfaceIndex, name))
        return ERROR_FILE_NOT_FOUND;
    snprintf(path, sizeof(path), "/sys/class/net/%s/type", name);
    file = fopen(path, "re");
    if (file) {
        if (fgets(text, sizeof(text), file))
            hardware_type = (unsigned)strtoul(text, NULL, 10);
        fclose(file);
    }
    InterfaceLuid->Info.NetLuidIndex = InterfaceIndex & 0xffffff;
    InterfaceLuid->Info.IfType = WfpInterfaceType_(hardware_type);
    return NO_ERROR;
}

static inline NETIOAPI_API ConvertInterfaceLuidToIndex(const NET_LUID *InterfaceLuid, NET_IFINDEX *InterfaceIndex)
{
    char name[IF_NAMESIZE];

    *InterfaceIndex = (NET_IFINDEX)InterfaceLuid->Info.NetLuidIndex;
    return if_indextoname(*InterfaceIndex, name) ? NO_ERROR : ERROR_FILE_NOT_FOUND;
}

// The alias is the interface's name: "eth0".
static inline NETIOAPI_API ConvertInterfaceAliasToLuid(const WCHAR *InterfaceAlias, NET_LUID *InterfaceLuid)
{
    char name[IF_NAMESIZE];
    unsigned i = 0;

    for (; InterfaceAlias[i]; i++) {
        if (i == sizeof(name) - 1 || InterfaceAlias[i] > 0x7f)
            return ERROR_INVALID_PARAMETER;
        name[i] = (char)InterfaceAlias[i];
    }
    name[i] = 0;
    return ConvertInterfaceIndexToLuid(if_nametoindex(name), InterfaceLuid);
}

#ifdef __cplusplus
}
#endif

#endif
