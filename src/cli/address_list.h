// Lists of addresses and of names, as people publish them to be blocked.
//
// A line is an address, a network (192.0.2.0/24), a range (192.0.2.1-192.0.2.9), a name, `||name^`, or a line of a
// hosts file: the address of this host or of none, and names. `#` and `;` begin a comment.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/vector.h"

// In host byte order, the most significant word first; IPv4 in the last word alone.
struct wall_address_range {
    uint32_t first[4], last[4];
};

struct wall_address_list {
    struct wall_vector v4, v6;  // struct wall_address_range; ascending and apart once the list is read
    char *names;                // one after another, each with its NUL, ascending; lower case
    size_t name_bytes, name_count;
    size_t line_count, bad_count;
    struct wall_error first_bad;  // tells of the first bad line
};

// Tells how many lines have been read.
typedef void (*wall_address_list_progress)(size_t line_count);

// Reads all of `file`, called `path` in errors. Bad lines are counted and left out; what is there twice, or inside
// another network, is there once. `progress` may be NULL. Returns 0, or a negative errno with `err`:
// -EIO, -ENOMEM, -E2BIG (a line of more than 4096 bytes). wall_address_list_done() in any case.
int wall_address_list_read(FILE *file, const char *path, wall_address_list_progress progress,
                           struct wall_address_list *ret_list, struct wall_error *err);
void wall_address_list_done(struct wall_address_list *list);
