#include "cli/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

#define NAME_COLUMNS 20
#define INDENT (2 + 11 + 1 + NAME_COLUMNS + 1)
#define LINE_COLUMNS 110

// The order of printing, and the words for it.
static const struct {
    const char *state, *word;
} states[] = {
    { "open", "NOT JUDGED" },  { "partial", "IN PART" },  { "idle", "no rule" },
    { "covered", "judged" },   { "absent", "none here" },
};

// Prints words, in lines that begin under each other.
static void print_wrapped(char *text, FILE *file)
{
    size_t column = INDENT;
    char *next;
    for (char *word = strtok_r(text, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
        size_t columns = wall_text_columns(word);
        if (column > INDENT && column + 1 + columns > LINE_COLUMNS) {
            fprintf(file, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            putc(' ', file);
            column++;
        }
        fputs(word, file);
        column += columns;
    }
    putc('\n', file);
}

static void print_item(const struct wall_control_coverage_item *item, const char *word, FILE *file)
{
    char *detail = wall_text_clean(item->detail ? item->detail : "");
    fprintf(file, "  %-11s %-*s ", word, NAME_COLUMNS, item->name ? item->name : "?");
    if (detail)
        print_wrapped(detail, file);
    else
        putc('\n', file);
    free(detail);
}

static const char *state_of(const struct wall_control_coverage_item *item)
{
    return item->state ? item->state : "";
}

void wall_coverage_print(const struct wall_control_coverage *coverage, FILE *file)
{
    size_t unjudged = 0;
    for (size_t i = 0; i < coverage->count; i++)
        unjudged += !strcmp(state_of(&coverage->items[i]), "open") || !strcmp(state_of(&coverage->items[i]), "partial");
    fprintf(file, "Coverage   %zu of %zu kinds are NOT, or not wholly, judged here now:\n", unjudged, coverage->count);
    for (size_t order = 0; order < sizeof(states) / sizeof(states[0]); order++)
        for (size_t i = 0; i < coverage->count; i++)
            if (!strcmp(state_of(&coverage->items[i]), states[order].state))
                print_item(&coverage->items[i], states[order].word, file);
}

static json_t *json_item(const struct wall_control_coverage_item *item)
{
    char *detail = wall_text_clean(item->detail ? item->detail : "");
    json_t *json = json_pack("{s:s, s:s, s:s}", "name", item->name ? item->name : "?", "state", state_of(item),
                             "detail", detail ? detail : "");
    free(detail);
    return json;
}

json_t *wall_coverage_json(const struct wall_control_coverage *coverage)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < coverage->count; i++) {
        if (json_array_append_new(array, json_item(&coverage->items[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}
