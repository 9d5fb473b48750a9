// printf of Windows: one formatter for narrow and wide formats, narrow (UTF-8) and wide output.
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include <wdm.h>

// Where the text goes: at most `capacity` elements are written, `length` counts all of them. No terminator is written.
struct ntos_text {
    char *narrow;  // one of the two
    WCHAR *wide;
    size_t capacity;
    size_t length;
    bool converted;  // a wide argument went into narrow text or the other way round
};

// A format with an unknown conversion ends there. `wide_format` decides what %s and %c take.
void ntos_format_narrow(struct ntos_text *text, const char *format, va_list arguments);
void ntos_format_wide(struct ntos_text *text, const WCHAR *format, va_list arguments);
