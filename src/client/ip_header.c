// FwpsConstructIpHeaderForTransportPacket0: an IP header in front of data that begins with a transport header.
#include <stdbool.h>
#include <string.h>

#include <ndis.h>

#include "fwpsk.h"

#include "client/ip_header.h"

// Of libntos; absent in programs without it.
#pragma weak NdisRetreatNetBufferDataStart
#pragma weak NdisAdvanceNetBufferDataStart

#define V4_SIZE 20u
#define V6_SIZE 40u
#define HOPS 64

static void put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void wall_ip_header_finish_v4(uint8_t *header, size_t header_size, size_t packet_size)
{
    put_u16(header + 2, packet_size);
    put_u16(header + 10, 0);
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < header_size; i += 2)
        sum += (uint32_t)header[i] << 8 | header[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    put_u16(header + 10, (uint16_t)~sum);
}

static void make_v4(uint8_t *header, size_t payload, const UCHAR *source, const UCHAR *remote, int protocol)
{
    memset(header, 0, V4_SIZE);
    header[0] = 0x45;
    header[8] = HOPS;
    header[9] = (uint8_t)protocol;
    memcpy(header + 12, source, 4);
    memcpy(header + 16, remote, 4);
    wall_ip_header_finish_v4(header, V4_SIZE, V4_SIZE + payload);
}

static void make_v6(uint8_t *header, size_t payload, const UCHAR *source, const UCHAR *remote, int protocol)
{
    memset(header, 0, V6_SIZE);
    header[0] = 0x60;
    put_u16(header + 4, payload);
    header[6] = (uint8_t)protocol;
    header[7] = HOPS;
    memcpy(header + 8, source, 16);
    memcpy(header + 24, remote, 16);
}

// Room in front of the data and memory that NDIS added may be different pieces.
static void put_bytes(const NET_BUFFER *buffer, const uint8_t *bytes, size_t size)
{
    ULONG offset = buffer->CurrentMdlOffset;
    for (MDL *mdl = buffer->CurrentMdl; mdl && size; mdl = mdl->Next, offset = 0) {
        size_t part = mdl->ByteCount - offset < size ? mdl->ByteCount - offset : size;
        memcpy((uint8_t *)mdl->MappedSystemVa + offset, bytes, part);
        bytes += part;
        size -= part;
    }
}

static NTSTATUS add_header(NET_BUFFER *buffer, bool v6, const UCHAR *source, const UCHAR *remote, int protocol)
{
    uint8_t header[V6_SIZE];
    ULONG size = v6 ? V6_SIZE : V4_SIZE;
    size_t payload = buffer->DataLength;
    if (payload > 0xffff - (v6 ? 0 : V4_SIZE))
        return STATUS_INVALID_PARAMETER;
    NTSTATUS status = NdisRetreatNetBufferDataStart(buffer, size, 0, NULL);
    if (status != STATUS_SUCCESS)
        return status;
    if (v6)
        make_v6(header, payload, source, remote, protocol);
    else
        make_v4(header, payload, source, remote, protocol);
    put_bytes(buffer, header, size);
    return STATUS_SUCCESS;
}

NTSTATUS FwpsConstructIpHeaderForTransportPacket0(NET_BUFFER_LIST *packet, ULONG header_include_length,
                                                  ADDRESS_FAMILY family, const UCHAR *source, const UCHAR *remote,
                                                  int protocol, UINT64 endpoint, const WSACMSGHDR *control,
                                                  ULONG control_size, UINT32 flags, PVOID reserved,
                                                  IF_INDEX interface_index, IF_INDEX sub_interface_index)
{
    if (!NdisRetreatNetBufferDataStart)
        return STATUS_NOT_SUPPORTED;
    bool v6 = family == AF_INET6;
    if (!packet || !source || !remote || (family != AF_INET && !v6) || protocol < 0 || protocol > 255)
        return STATUS_INVALID_PARAMETER;
    // A header the application has made (IP_HDRINCL) is replaced.
    for (NET_BUFFER *buffer = packet->FirstNetBuffer; buffer; buffer = buffer->Next) {
        if (header_include_length > buffer->DataLength)
            return STATUS_INVALID_PARAMETER;
        if (header_include_length)
            NdisAdvanceNetBufferDataStart(buffer, header_include_length, FALSE, NULL);
        NTSTATUS status = add_header(buffer, v6, source, remote, protocol);
        if (status != STATUS_SUCCESS)
            return status;
    }
    return STATUS_SUCCESS;
}
