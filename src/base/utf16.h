// UTF-16 text, as WFP structures hold it, and its relation to Linux bytes.
//
// A Linux path is any bytes but NUL; an app id is UTF-16. The path mapping is one to one: what is valid UTF-8 becomes
// the same text; every other byte b (0x80..0xFF) becomes the lone low surrogate U+DC00+b, which no valid UTF-8 yields.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Units before the terminator.
size_t wall_utf16_length(const uint16_t *text);
// Orders by unit value, as wcscmp(): negative, 0 or positive.
int wall_utf16_compare(const uint16_t *a, const uint16_t *b);
// The same, without regard to the case of ASCII letters.
int wall_utf16_compare_caseless(const uint16_t *a, const uint16_t *b);
// A copy for free(), or NULL.
uint16_t *wall_utf16_copy(const uint16_t *text);
// True when surrogates come in pairs only.
bool wall_utf16_is_valid(const uint16_t *text, size_t count);

// The counted conversions write at most `capacity` elements, no terminator, and report how many the whole result has:
// with capacity 0 they measure. `units` / `bytes` may be NULL then.

// Any bytes to UTF-16. Cannot fail.
size_t wall_utf16_from_path(const char *bytes, size_t byte_count, uint16_t *units, size_t capacity);
// The way back. Returns false for text that no path maps to (a surrogate out of place, or escapes that would join into
// valid UTF-8): accepting it would give one file two app ids.
bool wall_utf16_to_path(const uint16_t *units, size_t unit_count, char *bytes, size_t capacity, size_t *ret_count);
// UTF-16 to UTF-8 for people to read: what is not valid becomes U+FFFD. Cannot fail.
size_t wall_utf16_to_utf8(const uint16_t *units, size_t unit_count, char *bytes, size_t capacity);

// Terminated conversions; the result is for free(), NULL when memory is short.
uint16_t *wall_utf16_new_from_path(const char *path);
// Returns 0, -EILSEQ (not valid UTF-8) or -ENOMEM.
int wall_utf16_new_from_utf8(const char *text, uint16_t **ret_text);
char *wall_utf16_new_utf8(const uint16_t *text);
