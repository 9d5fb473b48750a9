// IANA interface types (ifType) that programs name.
#pragma once

#ifdef _WIN32
#include_next <ipifcons.h>
#else

#define IF_TYPE_OTHER 1
#define IF_TYPE_ETHERNET_CSMACD 6
#define IF_TYPE_ISO88025_TOKENRING 9
#define IF_TYPE_FDDI 15
#define IF_TYPE_PPP 23
#define IF_TYPE_SOFTWARE_LOOPBACK 24
#define IF_TYPE_SLIP 28
#define IF_TYPE_PROP_VIRTUAL 53
#define IF_TYPE_IEEE80211 71
#define IF_TYPE_TUNNEL 131
#define IF_TYPE_IEEE1394 144
#define IF_TYPE_WWANPP 243
#define IF_TYPE_WWANPP2 244

// The IANA type that a Linux hardware type (ARPHRD_*) stands for.
static inline unsigned short WfpInterfaceType_(unsigned hardware_type)
{
    switch (hardware_type) {
    case 1:  // ARPHRD_ETHER, also of wireless interfaces
        return IF_TYPE_ETHERNET_CSMACD;
    case 512:  // ARPHRD_PPP
        return IF_TYPE_PPP;
    case 768:  // ARPHRD_TUNNEL
    case 769:  // ARPHRD_TUNNEL6
    case 776:  // ARPHRD_SIT
    case 778:  // ARPHRD_IPGRE
    case 823:  // ARPHRD_IP6GRE
        return IF_TYPE_TUNNEL;
    case 772:  // ARPHRD_LOOPBACK
        return IF_TYPE_SOFTWARE_LOOPBACK;
    case 801:  // ARPHRD_IEEE80211
    case 802:
    case 803:
        return IF_TYPE_IEEE80211;
    case 0xfffe:  // ARPHRD_NONE: tun devices, WireGuard
        return IF_TYPE_PROP_VIRTUAL;
    default:
        return IF_TYPE_OTHER;
    }
}

#endif
