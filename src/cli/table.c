#include "cli/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

void wall_table_init(struct wall_table *table, const char *const *titles)
{
    *table = (struct wall_table){ 0 };
    for (; titles[table->column_count] && table->column_count < WALL_TABLE_COLUMNS_MAX; table->column_count++) {
        const char *title = titles[table->column_count];
        table->right[table->column_count] = title[0] == '>';
        table->titles[table->column_count] = title[0] == '>' ? title + 1 : title;
    }
}

void wall_table_done(struct wall_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct wall_table){ 0 };
}

void wall_table_add(struct wall_table *table, const char *text)
{
    if (table->cell_count == table->capacity) {
        size_t capacity = table->capacity ? table->capacity * 2 : 64;
        char **cells = reallocarray(table->cells, capacity, sizeof(*cells));
        if (!cells) {
            table->failed = true;
            return;
        }
        table->cells = cells;
        table->capacity = capacity;
    }
    char *cell = wall_text_clean(text ? text : "-");
    if (!cell) {
        table->failed = true;
        return;
    }
    table->cells[table->cell_count++] = cell;
}

void wall_table_add_format(struct wall_table *table, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        table->failed = true;
        return;
    }
    wall_table_add(table, text);
    free(text);
}

static void print_row(const struct wall_table *table, const size_t *widths, const char *const *cells, FILE *file)
{
    for (size_t column = 0; column < table->column_count; column++) {
        size_t columns = wall_text_columns(cells[column]);
        int padding = (int)(widths[column] - columns);
        bool last = column + 1 == table->column_count;
        if (table->right[column])
            fprintf(file, "%*s%s%s", padding, "", cells[column], last ? "\n" : "  ");
        else if (last)
            fprintf(file, "%s\n", cells[column]);
        else
            fprintf(file, "%s%*s", cells[column], padding + 2, "");
    }
}

int wall_table_print(const struct wall_table *table, FILE *file)
{
    if (table->failed)
        return -ENOMEM;
    size_t widths[WALL_TABLE_COLUMNS_MAX] = { 0 };
    size_t rows = table->cell_count / table->column_count;
    for (size_t column = 0; column < table->column_count; column++) {
        widths[column] = wall_text_columns(table->titles[column]);
        for (size_t row = 0; row < rows; row++) {
            size_t width = wall_text_columns(table->cells[row * table->column_count + column]);
            if (width > widths[column])
                widths[column] = width;
        }
    }
    print_row(table, widths, table->titles, file);
    for (size_t row = 0; row < rows; row++)
        print_row(table, widths, (const char *const *)table->cells + row * table->column_count, file);
    return ferror(file) ? -EIO : 0;
}
