// Tables for terminals: columns as wide as their widest cell, two spaces between, no lines.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define WALL_TABLE_COLUMNS_MAX 12

struct wall_table {
    size_t column_count, cell_count, capacity;
    const char *titles[WALL_TABLE_COLUMNS_MAX];
    bool right[WALL_TABLE_COLUMNS_MAX];  // numbers stand at the right of their column
    char **cells;                        // owned, cleaned; row after row
    bool failed;                         // memory was short
};

// `titles` is NULL-terminated, borrowed. A title that begins with '>' is shown without it, its column to the right.
void wall_table_init(struct wall_table *table, const char *const *titles);
void wall_table_done(struct wall_table *table);
// Adds one cell; a row is full after as many cells as there are titles. NULL is shown as "-".
void wall_table_add(struct wall_table *table, const char *text);
void wall_table_add_format(struct wall_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Prints the titles and all full rows. Returns 0, -ENOMEM when a cell is missing, or -EIO.
int wall_table_print(const struct wall_table *table, FILE *file);
