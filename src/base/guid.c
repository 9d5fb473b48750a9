#include "base/guid.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"

bool wall_guid_is_zero(const GUID *guid)
{
    static const GUID zero;
    return wall_guid_equal(guid, &zero);
}

bool wall_guid_equal(const GUID *a, const GUID *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

int wall_guid_compare(const GUID *a, const GUID *b)
{
    if (a->Data1 != b->Data1)
        return a->Data1 < b->Data1 ? -1 : 1;
    if (a->Data2 != b->Data2)
        return a->Data2 < b->Data2 ? -1 : 1;
    if (a->Data3 != b->Data3)
        return a->Data3 < b->Data3 ? -1 : 1;
    return memcmp(a->Data4, b->Data4, sizeof(a->Data4));
}

int wall_guid_random(GUID *ret_guid)
{
    GUID guid;
    int r = wall_random_bytes(&guid, sizeof(guid));
    if (r < 0)
        return r;
    guid.Data3 = (uint16_t)((guid.Data3 & 0x0fff) | 0x4000);
    guid.Data4[0] = (uint8_t)((guid.Data4[0] & 0x3f) | 0x80);
    *ret_guid = guid;
    return 0;
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool wall_guid_parse(const char *text, GUID *ret_guid)
{
    bool braces = text[0] == '{';
    const char *at = text + (braces ? 1 : 0);
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *at++ != '-')
            return false;
        int high = digit_value(at[0]);
        int low = high < 0 ? -1 : digit_value(at[1]);
        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    if (braces && *at++ != '}')
        return false;
    if (*at != '\0')
        return false;

    ret_guid->Data1 = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    ret_guid->Data2 = (uint16_t)(bytes[4] << 8 | bytes[5]);
    ret_guid->Data3 = (uint16_t)(bytes[6] << 8 | bytes[7]);
    memcpy(ret_guid->Data4, bytes + 8, 8);
    return true;
}

void wall_guid_print(const GUID *guid, char text[WALL_GUID_TEXT_SIZE])
{
    const uint8_t *tail = guid->Data4;
    (void)snprintf(text, WALL_GUID_TEXT_SIZE, "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   (unsigned long)guid->Data1, guid->Data2, guid->Data3, tail[0], tail[1], tail[2], tail[3], tail[4],
                   tail[5], tail[6], tail[7]);
}
