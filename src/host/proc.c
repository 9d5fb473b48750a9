#include "host/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\n"

const char *wall_proc_word(const char *line, unsigned index)
{
    line += strspn(line, BLANKS);
    for (; index > 0 && *line; index--) {
        line += strcspn(line, BLANKS);
        line += strspn(line, BLANKS);
    }
    return line;
}

bool wall_proc_copy_word(const char *line, unsigned index, char *ret_word, size_t size)
{
    const char *word = wall_proc_word(line, index);
    size_t length = strcspn(word, BLANKS);
    if (length == 0 || length >= size)
        return false;
    memcpy(ret_word, word, length);
    ret_word[length] = '\0';
    return true;
}

long wall_proc_number(const char *path)
{
    char line[64], *end = line;
    long number = -1;
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof(line), file)) {
        number = strtol(line, &end, 10);
        if (end == line)
            number = -1;
    }
    if (file)
        (void)fclose(file);
    return number;
}
