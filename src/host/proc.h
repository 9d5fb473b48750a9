// Reading the texts of /proc.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// The word number `index` (from 0) of a line, words being separated by blanks; an empty text when there are fewer.
// Borrowed: it ends with the line, at the first blank or the end.
const char *wall_proc_word(const char *line, unsigned index);
// Copies that word. Returns false when it is empty or does not fit, and writes nothing then.
bool wall_proc_copy_word(const char *line, unsigned index, char *ret_word, size_t size);
// The number a file begins with; -1 when it cannot be read or begins otherwise.
long wall_proc_number(const char *path);
