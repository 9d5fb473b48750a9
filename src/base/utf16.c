#include "base/utf16.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t wall_utf16_length(const uint16_t *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    return length;
}

int wall_utf16_compare(const uint16_t *a, const uint16_t *b)
{
    for (; *a == *b; a++, b++) {
        if (*a == 0)
            return 0;
    }
    return *a < *b ? -1 : 1;
}

static uint16_t fold_case(uint16_t unit)
{
    return unit >= 'A' && unit <= 'Z' ? (uint16_t)(unit + ('a' - 'A')) : unit;
}

int wall_utf16_compare_caseless(const uint16_t *a, const uint16_t *b)
{
    for (; fold_case(*a) == fold_case(*b); a++, b++) {
        if (*a == 0)
            return 0;
    }
    return fold_case(*a) < fold_case(*b) ? -1 : 1;
}

uint16_t *wall_utf16_copy(const uint16_t *text)
{
    size_t size = (wall_utf16_length(text) + 1) * sizeof(*text);
    uint16_t *copy = malloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static bool is_high_surrogate(uint32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(uint32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static bool is_escape(uint32_t unit)
{
    return unit >= 0xdc80 && unit <= 0xdcff;
}

// Reads one code point; a surrogate that is not part of a pair is returned as it is. Returns the units it took.
static size_t read_units(const uint16_t *units, size_t count, uint32_t *ret_code)
{
    if (is_high_surrogate(units[0]) && count > 1 && is_low_surrogate(units[1])) {
        *ret_code = 0x10000 + (((uint32_t)units[0] - 0xd800) << 10) + ((uint32_t)units[1] - 0xdc00);
        return 2;
    }
    *ret_code = units[0];
    return 1;
}

bool wall_utf16_is_valid(const uint16_t *text, size_t count)
{
    uint32_t code;
    for (size_t i = 0; i < count; i += read_units(text + i, count - i, &code)) {
        read_units(text + i, count - i, &code);
        if (is_high_surrogate(code) || is_low_surrogate(code))
            return false;
    }
    return true;
}

// Reads one well-formed UTF-8 sequence (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
// Returns its length, or 0 when there is none at `bytes`.
static size_t read_utf8(const unsigned char *bytes, size_t count, uint32_t *ret_code)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char lead = bytes[0];
    if (lead < 0x80) {
        *ret_code = lead;
        return 1;
    }

    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || length > count)
        return 0;
    uint32_t code = lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (bytes[i] & 0x3fu);
    }
    if (code < smallest[length] || code > 0x10ffff || is_high_surrogate(code) || is_low_surrogate(code))
        return 0;
    *ret_code = code;
    return length;
}

static size_t write_utf8(uint32_t code, char *bytes, size_t capacity, size_t at)
{
    char sequence[4];
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    for (size_t i = length; i-- > 1; code >>= 6)
        sequence[i] = (char)(0x80 | (code & 0x3f));
    sequence[0] = (char)(leads[length] | code);
    for (size_t i = 0; i < length; i++) {
        if (at + i < capacity)
            bytes[at + i] = sequence[i];
    }
    return length;
}

size_t wall_utf16_from_path(const char *bytes, size_t byte_count, uint16_t *units, size_t capacity)
{
    const unsigned char *input = (const unsigned char *)bytes;
    size_t count = 0;
    for (size_t i = 0; i < byte_count;) {
        uint32_t code;
        size_t length = read_utf8(input + i, byte_count - i, &code);
        if (length == 0) {
            code = 0xdc00u + input[i];
            length = 1;
        }
        i += length;
        if (code >= 0x10000) {
            if (count < capacity)
                units[count] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
            count++;
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        if (count < capacity)
            units[count] = (uint16_t)code;
        count++;
    }
    return count;
}

// True when the escapes that end at `units[count]` do not spell valid UTF-8: then they would come back as that text.
static bool escapes_stay_escapes(const uint16_t *units, size_t count)
{
    unsigned char run[4];
    size_t length = 0;
    while (length < sizeof(run) && length < count && is_escape(units[length])) {
        run[length] = (unsigned char)(units[length] - 0xdc00);
        length++;
    }
    uint32_t code;
    return read_utf8(run, length, &code) == 0;
}

bool wall_utf16_to_path(const uint16_t *units, size_t unit_count, char *bytes, size_t capacity, size_t *ret_count)
{
    size_t count = 0;
    for (size_t i = 0; i < unit_count;) {
        uint32_t code;
        size_t taken = read_units(units + i, unit_count - i, &code);
        if (is_escape(code)) {
            if (!escapes_stay_escapes(units + i, unit_count - i))
                return false;
            if (count < capacity)
                bytes[count] = (char)(code - 0xdc00);
            count++;
        } else if (is_high_surrogate(code) || is_low_surrogate(code)) {
            return false;
        } else {
            count += write_utf8(code, bytes, capacity, count);
        }
        i += taken;
    }
    *ret_count = count;
    return true;
}

size_t wall_utf16_to_utf8(const uint16_t *units, size_t unit_count, char *bytes, size_t capacity)
{
    size_t count = 0;
    for (size_t i = 0; i < unit_count;) {
        uint32_t code;
        i += read_units(units + i, unit_count - i, &code);
        if (is_high_surrogate(code) || is_low_surrogate(code))
            code = 0xfffd;
        count += write_utf8(code, bytes, capacity, count);
    }
    return count;
}

uint16_t *wall_utf16_new_from_path(const char *path)
{
    size_t byte_count = strlen(path);
    size_t count = wall_utf16_from_path(path, byte_count, NULL, 0);
    uint16_t *text = malloc((count + 1) * sizeof(*text));
    if (!text)
        return NULL;
    (void)wall_utf16_from_path(path, byte_count, text, count);
    text[count] = 0;
    return text;
}

int wall_utf16_new_from_utf8(const char *text, uint16_t **ret_text)
{
    uint16_t *result = wall_utf16_new_from_path(text);
    if (!result)
        return -ENOMEM;
    if (!wall_utf16_is_valid(result, wall_utf16_length(result))) {
        free(result);
        return -EILSEQ;
    }
    *ret_text = result;
    return 0;
}

char *wall_utf16_new_utf8(const uint16_t *text)
{
    size_t unit_count = wall_utf16_length(text);
    size_t count = wall_utf16_to_utf8(text, unit_count, NULL, 0);
    char *result = malloc(count + 1);
    if (!result)
        return NULL;
    (void)wall_utf16_to_utf8(text, unit_count, result, count);
    result[count] = 0;
    return result;
}
