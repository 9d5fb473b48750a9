// Headers of network packets as Windows drivers read them; network byte order. And the kernel's COMPARTMENT_ID.
#pragma once

#include "wfpnetwork.h"

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(_WIN32) || defined(WFP_WINDOWS_DRIVER)
typedef enum {
    UNSPECIFIED_COMPARTMENT_ID = 0,
    DEFAULT_COMPARTMENT_ID = 1
} COMPARTMENT_ID, *PCOMPARTMENT_ID;
#endif

#pragma pack(push, 1)

typedef union _DL_EUI48 {
    UINT8 Byte[6];
    struct {
        UINT8 Oui[3];
        UINT8 Ei48[3];
    } Eui;
} DL_EUI48, *PDL_EUI48;

typedef struct _ETHERNET_HEADER {
    DL_EUI48 Destination;
    DL_EUI48 Source;
    WFP_ANONYMOUS union {
        UINT16 Type;
        UINT16 Length;
    };
} ETHERNET_HEADER, *PETHERNET_HEADER;

typedef struct _IPV4_HEADER {
    WFP_ANONYMOUS union {
        UINT8 VersionAndHeaderLength;
        WFP_ANONYMOUS struct {
            UINT8 HeaderLength : 4;
            UINT8 Version : 4;
        };
    };
    WFP_ANONYMOUS union {
        UINT8 TypeOfServiceAndEcnField;
        WFP_ANONYMOUS struct {
            UINT8 EcnField : 2;
            UINT8 TypeOfService : 6;
        };
    };
    UINT16 TotalLength;
    UINT16 Identification;
    WFP_ANONYMOUS union {
        UINT16 FlagsAndOffset;
        WFP_ANONYMOUS struct {
            UINT16 DontUse1 : 5;
            UINT16 MoreFragments : 1;
            UINT16 DontFragment : 1;
            UINT16 Reserved : 1;
            UINT16 DontUse2 : 8;
        };
    };
    UINT8 TimeToLive;
    UINT8 Protocol;
    UINT16 HeaderChecksum;
    IN_ADDR SourceAddress;
    IN_ADDR DestinationAddress;
} IPV4_HEADER, *PIPV4_HEADER;

typedef struct _IPV6_HEADER {
    UINT32 VersionClassFlow;
    UINT16 PayloadLength;
    UINT8 NextHeader;
    UINT8 HopLimit;
    IN6_ADDR SourceAddress;
    IN6_ADDR DestinationAddress;
} IPV6_HEADER, *PIPV6_HEADER;

typedef struct _ICMP_HEADER {
    UINT8 Type;
    UINT8 Code;
    UINT16 Checksum;
} ICMP_HEADER, *PICMP_HEADER;

#pragma pack(pop)

#define ETHERNET_TYPE_MINIMUM 0x0600
#define ETHERNET_TYPE_IPV4 0x0800
#define ETHERNET_TYPE_ARP 0x0806
#define ETHERNET_TYPE_IPV6 0x86dd
#define ETHERNET_TYPE_802_1Q 0x8100
#define IPV4_VERSION 4
#define IPV6_VERSION 0x60

#ifdef __cplusplus
}
#endif
