// Text for terminals: nothing that came from elsewhere may move the cursor or break a column.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A copy for free() in which control characters are written \n, \t, \xNN and bytes that are not UTF-8 \xNN; what
// changes the direction of writing (U+202A…, U+2066…) becomes \u{…}. NULL when memory is short.
char *wall_text_clean(const char *text);

// Appends to *text, which is NULL or for free(). False when memory is short: then *text is freed and NULL.
bool wall_text_append(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Columns a terminal takes for cleaned UTF-8 text: 0 for combining marks, 2 for wide East Asian characters and emoji.
size_t wall_text_columns(const char *text);

// The largest units that fit, one decimal below ten: "0 s", "840 ms", "1.5 s", "3 min 20 s", "2 h 5 min", "4 d 3 h".
#define WALL_TEXT_SHORT_MAX 64
void wall_text_duration(uint64_t nanoseconds, char ret_text[WALL_TEXT_SHORT_MAX]);
// "512 B", "1.5 KiB", "23 MiB"
void wall_text_size(uint64_t bytes, char ret_text[WALL_TEXT_SHORT_MAX]);
