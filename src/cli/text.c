#include "cli/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The code point at *text, advancing it; UINT32_MAX and one byte for what is not UTF-8.
static uint32_t next_point(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    uint32_t point = at[0];
    unsigned more = 0;
    uint32_t smallest = 0;
    if (point >= 0xF0 && point <= 0xF4) {
        more = 3;
        point &= 0x07;
        smallest = 0x10000;
    } else if (point >= 0xE0 && point < 0xF0) {
        more = 2;
        point &= 0x0F;
        smallest = 0x800;
    } else if (point >= 0xC2 && point < 0xE0) {
        more = 1;
        point &= 0x1F;
        smallest = 0x80;
    } else if (point >= 0x80) {
        *text += 1;
        return UINT32_MAX;
    }
    for (unsigned i = 1; i <= more; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            *text += 1;
            return UINT32_MAX;
        }
        point = point << 6 | (at[i] & 0x3F);
    }
    if (point < smallest || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
        *text += 1;
        return UINT32_MAX;
    }
    *text += more + 1;
    return point;
}

static bool turns_direction(uint32_t point)
{
    return point == 0x061C || point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069);
}

// The longest escape, "\u{202a}", and its terminator.
#define ESCAPE_MAX 16

static char *write_escape(char *to, bool code_point, unsigned value)
{
    char escape[ESCAPE_MAX];
    int length = snprintf(escape, sizeof(escape), "\\%s%02x%s", code_point ? "u{" : "x", value, code_point ? "}" : "");
    memcpy(to, escape, (size_t)length);
    return to + length;
}

// Writes one character, escaped where needed, of `length` bytes at `from`. Returns the end.
static char *write_clean(char *to, const char *from, size_t length, uint32_t point)
{
    if (point == UINT32_MAX)
        return write_escape(to, false, (unsigned char)from[0]);
    if (point == '\n' || point == '\t') {
        *to++ = '\\';
        *to++ = point == '\n' ? 'n' : 't';
        return to;
    }
    if (point < 0x20 || point == 0x7F || (point >= 0x80 && point < 0xA0))
        return write_escape(to, false, (unsigned)point);
    if (turns_direction(point) || point == 0x2028 || point == 0x2029)
        return write_escape(to, true, (unsigned)point);
    memcpy(to, from, length);
    return to + length;
}

char *wall_text_clean(const char *text)
{
    // The longest escape, \xNN for one byte, is four times its character.
    char *clean = malloc(strlen(text) * 4 + 1);
    if (!clean)
        return NULL;
    char *to = clean;
    while (*text) {
        const char *from = text;
        uint32_t point = next_point(&text);
        to = write_clean(to, from, (size_t)(text - from), point);
    }
    *to = '\0';
    return clean;
}

struct range {
    uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t count, uint32_t point)
{
    for (size_t i = 0; i < count; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

// Unicode's general categories Mn and Me and the zero-width characters, for the scripts in common use.
static const struct range zero_width[] = {
    { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x0610, 0x061A }, { 0x064B, 0x065F },
    { 0x0900, 0x0902 }, { 0x093C, 0x093C }, { 0x0941, 0x0948 }, { 0x094D, 0x094D }, { 0x0E31, 0x0E31 },
    { 0x0E34, 0x0E3A }, { 0x0E47, 0x0E4E }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x200B, 0x200D },
    { 0x20D0, 0x20F0 }, { 0x302A, 0x302D }, { 0x3099, 0x309A }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F },
    { 0xFEFF, 0xFEFF }, { 0xE0100, 0xE01EF },
};

// East_Asian_Width W and F.
static const struct range double_width[] = {
    { 0x1100, 0x115F },   { 0x231A, 0x231B },   { 0x2E80, 0x303E },   { 0x3041, 0x33FF },   { 0x3400, 0x4DBF },
    { 0x4E00, 0x9FFF },   { 0xA000, 0xA4CF },   { 0xA960, 0xA97F },   { 0xAC00, 0xD7A3 },   { 0xF900, 0xFAFF },
    { 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },   { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF },
    { 0x1F900, 0x1F9FF }, { 0x1FA70, 0x1FAFF }, { 0x20000, 0x3FFFD },
};

size_t wall_text_columns(const char *text)
{
    size_t columns = 0;
    while (*text) {
        uint32_t point = next_point(&text);
        if (is_in(double_width, sizeof(double_width) / sizeof(double_width[0]), point))
            columns += 2;
        else if (!is_in(zero_width, sizeof(zero_width) / sizeof(zero_width[0]), point))
            columns += 1;
    }
    return columns;
}

// "1.5 KiB", but "15 KiB": two digits tell enough.
static void print_scaled(uint64_t value, uint64_t unit, const char *name, char *ret_text)
{
    if (value % unit != 0 && value / unit < 10)
        snprintf(ret_text, WALL_TEXT_SHORT_MAX, "%" PRIu64 ".%" PRIu64 " %s", value / unit, value % unit * 10 / unit,
                 name);
    else
        snprintf(ret_text, WALL_TEXT_SHORT_MAX, "%" PRIu64 " %s", value / unit, name);
}

static void print_pair(uint64_t seconds, uint64_t unit, const char *name, uint64_t part, const char *part_name,
                       char *ret_text)
{
    uint64_t rest = seconds % unit / part;
    if (rest > 0)
        snprintf(ret_text, WALL_TEXT_SHORT_MAX, "%" PRIu64 " %s %" PRIu64 " %s", seconds / unit, name, rest, part_name);
    else
        snprintf(ret_text, WALL_TEXT_SHORT_MAX, "%" PRIu64 " %s", seconds / unit, name);
}

void wall_text_duration(uint64_t nanoseconds, char ret_text[WALL_TEXT_SHORT_MAX])
{
    uint64_t seconds = nanoseconds / 1000000000;
    if (nanoseconds == 0)
        snprintf(ret_text, WALL_TEXT_SHORT_MAX, "0 s");
    else if (nanoseconds < 1000)
        snprintf(ret_text, WALL_TEXT_SHORT_MAX, "%" PRIu64 " ns", nanoseconds);
    else if (nanoseconds < 1000000)
        print_scaled(nanoseconds, 1000, "us", ret_text);
    else if (seconds == 0)
        print_scaled(nanoseconds, 1000000, "ms", ret_text);
    else if (seconds < 60)
        print_scaled(nanoseconds, 1000000000, "s", ret_text);
    else if (seconds < 3600)
        print_pair(seconds, 60, "min", 1, "s", ret_text);
    else if (seconds < 86400)
        print_pair(seconds, 3600, "h", 60, "min", ret_text);
    else
        print_pair(seconds, 86400, "d", 3600, "h", ret_text);
}

void wall_text_size(uint64_t bytes, char ret_text[WALL_TEXT_SHORT_MAX])
{
    static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    size_t i = 0;
    uint64_t unit = 1;
    while (i + 1 < sizeof(names) / sizeof(names[0]) && bytes / unit >= 1024) {
        unit *= 1024;
        i++;
    }
    print_scaled(bytes, unit, names[i], ret_text);
}

bool wall_text_append(char **text, const char *format, ...)
{
    char *more = NULL, *joined = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&more, format, arguments);
    va_end(arguments);
    if (length >= 0) {
        size_t used = *text ? strlen(*text) : 0;
        joined = realloc(*text, used + (size_t)length + 1);
        if (joined)
            memcpy(joined + used, more, (size_t)length + 1);
        free(more);
    }
    if (!joined)
        free(*text);
    *text = joined;
    return joined != NULL;
}
