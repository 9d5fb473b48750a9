// Addresses as the kernel's side keeps them: 16 bytes in network byte order, those of IPv4 mapped (::ffff:a.b.c.d).
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline bool wall_address_is_mapped(const uint8_t mapped[16])
{
    static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
    return !memcmp(mapped, prefix, sizeof(prefix));
}

// Whether it stands for all addresses of its family.
static inline bool wall_address_is_any(const uint8_t mapped[16])
{
    static const uint8_t zero[16];
    return wall_address_is_mapped(mapped) ? !memcmp(mapped + 12, zero, 4) : !memcmp(mapped, zero, 16);
}

// From 4 or 16 bytes.
static inline void wall_address_map(uint8_t ret_mapped[16], const uint8_t *address, bool is_v6)
{
    static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
    memcpy(ret_mapped, is_v6 ? address : prefix, is_v6 ? 16 : sizeof(prefix));
    if (!is_v6)
        memcpy(ret_mapped + sizeof(prefix), address, 4);
}

// To 4 or 16 bytes.
static inline void wall_address_unmap(uint8_t *ret_address, const uint8_t mapped[16], bool is_v6)
{
    memcpy(ret_address, is_v6 ? mapped : mapped + 12, is_v6 ? 16 : 4);
}
