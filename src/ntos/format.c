#include "ntos/format.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

// More digits than any conversion of a finite number to 60 places needs.
#define FLOAT_DIGITS 400

enum size_prefix { SIZE_DEFAULT, SIZE_CHAR, SIZE_SHORT, SIZE_LONG, SIZE_LONG_LONG, SIZE_POINTER, SIZE_WIDE };

struct conversion {
    bool left, plus, blank, alternate, zero;
    int width, precision;  // precision -1: none given
    enum size_prefix size;
    char type;
};

// Reads a format of either width.
struct reader {
    const char *narrow;
    const WCHAR *wide;
    size_t at;
};

struct arguments {
    va_list list;
};

static unsigned peek(const struct reader *reader)
{
    return reader->narrow ? (unsigned char)reader->narrow[reader->at] : reader->wide[reader->at];
}

// --- Output ---

static void put_unit(struct ntos_text *text, unsigned unit)
{
    if (text->length < text->capacity) {
        if (text->narrow)
            text->narrow[text->length] = (char)unit;
        else
            text->wide[text->length] = (WCHAR)unit;
    }
    text->length++;
}

static void put_point(struct ntos_text *text, uint32_t point)
{
    if (text->narrow) {
        if (point < 0x80) {
            put_unit(text, point);
            return;
        }
        if (point < 0x800) {
            put_unit(text, 0xC0 | point >> 6);
        } else {
            if (point < 0x10000) {
                put_unit(text, 0xE0 | point >> 12);
            } else {
                put_unit(text, 0xF0 | point >> 18);
                put_unit(text, 0x80 | (point >> 12 & 0x3F));
            }
            put_unit(text, 0x80 | (point >> 6 & 0x3F));
        }
        put_unit(text, 0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        put_unit(text, point);
    } else {
        put_unit(text, 0xD800 | (point - 0x10000) >> 10);
        put_unit(text, 0xDC00 | (point & 0x3FF));
    }
}

// The next code point of UTF-16; what is not valid becomes U+FFFD.
static uint32_t next_wide(const WCHAR *units, size_t count, size_t *at)
{
    uint32_t first = units[(*at)++];
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    if (first > 0xDBFF || *at == count || units[*at] < 0xDC00 || units[*at] > 0xDFFF)
        return 0xFFFD;
    return 0x10000 + ((first - 0xD800) << 10) + (units[(*at)++] - 0xDC00u);
}

// The next code point of UTF-8; a byte that is not valid becomes U+FFFD.
static uint32_t next_narrow(const char *bytes, size_t count, size_t *at)
{
    unsigned char first = (unsigned char)bytes[(*at)++];
    if (first < 0x80)
        return first;
    unsigned more = first >= 0xF0 && first < 0xF5 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : 0;
    if (more == 0 || first >= 0xF5 || *at + more > count)
        return 0xFFFD;
    uint32_t point = first & (0x3Fu >> more);
    for (unsigned i = 0; i < more; i++) {
        unsigned char byte = (unsigned char)bytes[*at + i];
        if ((byte & 0xC0) != 0x80)
            return 0xFFFD;
        point = point << 6 | (byte & 0x3F);
    }
    static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
    if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return 0xFFFD;
    *at += more;
    return point;
}

static void pad(struct ntos_text *text, char unit, int count)
{
    for (; count > 0; count--)
        put_unit(text, (unsigned char)unit);
}

// Output units that a string takes are counted by formatting it without a buffer.
static void put_wide(struct ntos_text *text, const WCHAR *units, size_t count)
{
    if (!text->narrow) {
        for (size_t i = 0; i < count; i++)
            put_unit(text, units[i]);
        return;
    }
    for (size_t at = 0; at < count;)
        put_point(text, next_wide(units, count, &at));
    text->converted = true;
}

static void put_narrow(struct ntos_text *text, const char *bytes, size_t count)
{
    if (text->narrow) {
        for (size_t i = 0; i < count; i++)
            put_unit(text, (unsigned char)bytes[i]);
        return;
    }
    for (size_t at = 0; at < count;)
        put_point(text, next_narrow(bytes, count, &at));
    text->converted = true;
}

static void put_string(struct ntos_text *text, const struct conversion *how, const char *bytes, const WCHAR *units,
                       size_t count)
{
    struct ntos_text measure = { .narrow = text->narrow, .wide = text->wide };
    if (bytes)
        put_narrow(&measure, bytes, count);
    else
        put_wide(&measure, units, count);
    int missing = how->width > 0 && (size_t)how->width > measure.length ? how->width - (int)measure.length : 0;
    if (!how->left)
        pad(text, how->zero ? '0' : ' ', missing);
    if (bytes)
        put_narrow(text, bytes, count);
    else
        put_wide(text, units, count);
    if (how->left)
        pad(text, ' ', missing);
}

static size_t limit_of(const struct conversion *how)
{
    return how->precision >= 0 ? (size_t)how->precision : SIZE_MAX;
}

static size_t length_wide(const WCHAR *units, size_t limit)
{
    size_t length = 0;
    while (length < limit && units[length])
        length++;
    return length;
}

static void put_terminated(struct ntos_text *text, const struct conversion *how, const void *string, bool wide)
{
    static const char null_text[] = "(null)";
    size_t limit = limit_of(how);
    if (!string)
        put_string(text, how, null_text, NULL, limit < 6 ? limit : 6);
    else if (wide)
        put_string(text, how, NULL, string, length_wide(string, limit));
    else
        put_string(text, how, string, NULL, limit == SIZE_MAX ? strlen(string) : strnlen(string, limit));
}

static void put_counted(struct ntos_text *text, const struct conversion *how, const void *string, bool wide)
{
    const UNICODE_STRING *unicode = string;
    const STRING *ansi = string;
    size_t limit = limit_of(how);
    if (!string || (wide ? (const void *)unicode->Buffer : ansi->Buffer) == NULL) {
        put_terminated(text, how, NULL, false);
    } else if (wide) {
        size_t count = unicode->Length / sizeof(WCHAR);
        put_string(text, how, NULL, unicode->Buffer, count < limit ? count : limit);
    } else {
        put_string(text, how, ansi->Buffer, NULL, ansi->Length < limit ? ansi->Length : limit);
    }
}

static void put_integer(struct ntos_text *text, const struct conversion *how, uint64_t value, bool negative)
{
    char digits[64];
    int count = 0;
    unsigned base = how->type == 'o' ? 8 : how->type == 'x' || how->type == 'X' ? 16 : 10;
    const char *alphabet = how->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    for (uint64_t rest = value; rest; rest /= base)
        digits[count++] = alphabet[rest % base];
    if (count == 0 && how->precision != 0)
        digits[count++] = '0';

    char prefix[2];
    int prefix_length = 0;
    if (negative)
        prefix[prefix_length++] = '-';
    else if ((how->type == 'd' || how->type == 'i') && (how->plus || how->blank))
        prefix[prefix_length++] = how->plus ? '+' : ' ';
    if (how->alternate && base == 16 && value) {
        prefix[prefix_length++] = '0';
        prefix[prefix_length++] = how->type;
    }
    int zeros = how->precision > count ? how->precision - count : 0;
    if (how->alternate && base == 8 && zeros == 0 && (count == 0 || digits[count - 1] != '0'))
        zeros = 1;
    int missing = how->width - prefix_length - zeros - count;
    if (how->zero && !how->left && how->precision < 0 && missing > 0) {
        zeros += missing;
        missing = 0;
    }
    if (!how->left)
        pad(text, ' ', missing);
    for (int i = 0; i < prefix_length; i++)
        put_unit(text, (unsigned char)prefix[i]);
    pad(text, '0', zeros);
    while (count > 0)
        put_unit(text, (unsigned char)digits[--count]);
    if (how->left)
        pad(text, ' ', missing);
}

static void put_float(struct ntos_text *text, const struct conversion *how, double value)
{
    char format[] = { '%', how->plus ? '+' : how->blank ? ' ' : '-', '.', '*', how->type, '\0' };
    char digits[FLOAT_DIGITS];
    int precision = how->precision < 0 ? 6 : how->precision > 60 ? 60 : how->precision;
    if (!how->plus && !how->blank)
        memmove(format + 1, format + 2, 4);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int length = snprintf(digits, sizeof(digits), format, precision, value);
#pragma GCC diagnostic pop
    struct conversion string = *how;
    string.precision = -1;
    if (length > 0)
        put_string(text, &string, digits, NULL, (size_t)length < sizeof(digits) ? (size_t)length : sizeof(digits) - 1);
}

// --- Conversions ---

static int read_number(struct reader *reader, struct arguments *arguments, bool *ret_negative)
{
    *ret_negative = false;
    if (peek(reader) == '*') {
        reader->at++;
        int value = va_arg(arguments->list, int);
        if (value < 0) {
            *ret_negative = true;
            value = value == INT32_MIN ? INT32_MAX : -value;
        }
        return value;
    }
    int value = 0;
    for (unsigned c; (c = peek(reader)) >= '0' && c <= '9'; reader->at++)
        value = value > 100000 ? value : value * 10 + (int)(c - '0');
    return value;
}

static void read_flags(struct reader *reader, struct conversion *how)
{
    for (;; reader->at++) {
        switch (peek(reader)) {
        case '-': how->left = true; break;
        case '+': how->plus = true; break;
        case ' ': how->blank = true; break;
        case '#': how->alternate = true; break;
        case '0': how->zero = true; break;
        default: return;
        }
    }
}

static enum size_prefix read_prefix_i(struct reader *reader)
{
    reader->at++;
    unsigned first = peek(reader);
    unsigned second = first ? (reader->narrow ? (unsigned char)reader->narrow[reader->at + 1]
                                              : reader->wide[reader->at + 1]) : 0;
    if (first == '6' && second == '4') {
        reader->at += 2;
        return SIZE_LONG_LONG;
    }
    if (first == '3' && second == '2') {
        reader->at += 2;
        return SIZE_DEFAULT;
    }
    return SIZE_POINTER;
}

static enum size_prefix read_size(struct reader *reader)
{
    switch (peek(reader)) {
    case 'h':
        reader->at++;
        if (peek(reader) != 'h')
            return SIZE_SHORT;
        reader->at++;
        return SIZE_CHAR;
    case 'l':
        reader->at++;
        if (peek(reader) != 'l')
            return SIZE_LONG;
        reader->at++;
        return SIZE_LONG_LONG;
    case 'w':
        reader->at++;
        return SIZE_WIDE;
    case 'j':
        reader->at++;
        return SIZE_LONG_LONG;
    case 'z':
    case 't':
        reader->at++;
        return SIZE_POINTER;
    case 'I':
        return read_prefix_i(reader);
    default:
        return SIZE_DEFAULT;
    }
}

static void read_conversion(struct reader *reader, struct arguments *arguments, struct conversion *ret_how)
{
    struct conversion how = { .precision = -1 };
    bool negative;
    read_flags(reader, &how);
    how.width = read_number(reader, arguments, &negative);
    how.left |= negative;
    if (peek(reader) == '.') {
        reader->at++;
        how.precision = read_number(reader, arguments, &negative);
        if (negative)
            how.precision = -1;
    }
    how.size = read_size(reader);
    unsigned type = peek(reader);
    how.type = type < 0x80 ? (char)type : '\0';
    if (type)
        reader->at++;
    *ret_how = how;
}

static int64_t signed_argument(struct arguments *arguments, enum size_prefix size)
{
    switch (size) {
    case SIZE_CHAR: return (signed char)va_arg(arguments->list, int);
    case SIZE_SHORT: return (short)va_arg(arguments->list, int);
    case SIZE_LONG_LONG: return va_arg(arguments->list, int64_t);
    case SIZE_POINTER: return va_arg(arguments->list, intptr_t);
    default: return va_arg(arguments->list, int);  // a long has 32 bits
    }
}

static uint64_t unsigned_argument(struct arguments *arguments, enum size_prefix size)
{
    switch (size) {
    case SIZE_CHAR: return (unsigned char)va_arg(arguments->list, unsigned);
    case SIZE_SHORT: return (unsigned short)va_arg(arguments->list, unsigned);
    case SIZE_LONG_LONG: return va_arg(arguments->list, uint64_t);
    case SIZE_POINTER: return va_arg(arguments->list, uintptr_t);
    default: return va_arg(arguments->list, unsigned);
    }
}

static bool is_wide(const struct conversion *how, bool natural)
{
    if (how->size == SIZE_SHORT || how->size == SIZE_CHAR)
        return false;
    if (how->size == SIZE_LONG || how->size == SIZE_WIDE || how->size == SIZE_LONG_LONG)
        return true;
    return natural;
}

static bool convert(struct ntos_text *text, const struct conversion *how, struct arguments *arguments, bool wide_format)
{
    switch (how->type) {
    case '%':
        put_unit(text, '%');
        return true;
    case 'd':
    case 'i': {
        int64_t value = signed_argument(arguments, how->size);
        put_integer(text, how, value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value, value < 0);
        return true;
    }
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        put_integer(text, how, unsigned_argument(arguments, how->size), false);
        return true;
    case 'p': {
        struct conversion pointer = *how;
        pointer.type = 'X';
        pointer.precision = 2 * (int)sizeof(void *);
        pointer.alternate = false;
        put_integer(text, &pointer, va_arg(arguments->list, uintptr_t), false);
        return true;
    }
    case 'c':
    case 'C': {
        bool wide = is_wide(how, wide_format != (how->type == 'C'));
        WCHAR unit = (WCHAR)va_arg(arguments->list, int);
        char byte = (char)unit;
        put_string(text, how, wide ? NULL : &byte, wide ? &unit : NULL, 1);
        return true;
    }
    case 's':
    case 'S':
        put_terminated(text, how, va_arg(arguments->list, const void *),
                       is_wide(how, wide_format != (how->type == 'S')));
        return true;
    case 'Z':
        put_counted(text, how, va_arg(arguments->list, const void *), is_wide(how, false));
        return true;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        put_float(text, how, va_arg(arguments->list, double));
        return true;
    default:
        return false;
    }
}

static void format_text(struct ntos_text *text, struct reader *reader, va_list list)
{
    struct arguments arguments;
    va_copy(arguments.list, list);
    for (unsigned c; (c = peek(reader));) {
        if (c != '%') {
            size_t start = reader->at;
            while ((c = peek(reader)) && c != '%')
                reader->at++;
            if (reader->narrow)
                put_narrow(text, reader->narrow + start, reader->at - start);
            else
                put_wide(text, reader->wide + start, reader->at - start);
            continue;
        }
        reader->at++;
        struct conversion how;
        read_conversion(reader, &arguments, &how);
        if (!convert(text, &how, &arguments, reader->wide != NULL))
            break;
    }
    va_end(arguments.list);
}

void ntos_format_narrow(struct ntos_text *text, const char *format, va_list arguments)
{
    struct reader reader = { .narrow = format };
    format_text(text, &reader, arguments);
}

void ntos_format_wide(struct ntos_text *text, const WCHAR *format, va_list arguments)
{
    struct reader reader = { .wide = format };
    format_text(text, &reader, arguments);
}
