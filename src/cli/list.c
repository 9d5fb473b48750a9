#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fwpmu.h"

#include "base/guid.h"
#include "base/map.h"
#include "cli/command.h"
#include "cli/objects.h"
#include "cli/rule.h"
#include "cli/wfp_status.h"
#include "cli/table.h"

// The filters of one rule: of one family or both.
struct entry {
    GUID key;
    const FWPM_FILTER0 *filters[2];  // of a block list: the first and the last
    size_t condition_count;
};

// More conditions than block and permit make: a block list, which nobody wants to see written out.
static bool is_list(const struct entry *entry)
{
    return entry->condition_count > 2 * WALL_RULE_CONDITIONS_MAX;
}

// Groups the rules' filters, in the order of their first. Returns the number, or -ENOMEM.
static ssize_t group(const struct wall_objects *objects, struct entry **ret_entries)
{
    static const uint64_t seed[2] = { 0, 0 };  // rule keys are random already
    struct wall_map rules;
    ssize_t count = 0;
    struct entry *entries = calloc(objects->count + 1, sizeof(*entries));
    wall_map_init(&rules, seed);
    if (!entries || wall_map_reserve(&rules, objects->count) < 0)
        count = -ENOMEM;
    for (size_t i = 0; i < objects->count && count >= 0; i++) {
        const FWPM_FILTER0 *filter = objects->objects[i];
        GUID key;
        if (!wall_rule_key_of(filter, &key))
            continue;
        struct entry *entry = wall_map_get(&rules, &key, sizeof(key));
        if (!entry) {
            entry = &entries[count++];
            entry->key = key;
            (void)wall_map_put(&rules, &entry->key, sizeof(entry->key), entry);
        }
        entry->filters[entry->filters[0] ? 1 : 0] = filter;
        if (!wall_rule_is_of_mapped(filter))
            entry->condition_count += filter->numFilterConditions;
    }
    wall_map_done(&rules);
    if (count < 0)
        free(entries);
    else
        *ret_entries = entries;
    return count;
}

// Both filters say the same but for the networks.
static int describe(const struct entry *entry, struct wall_rule_text *ret_text)
{
    struct wall_rule_text text = { 0 };
    int r = 0;
    for (size_t i = 0; i < 2 && entry->filters[i] && r == 0 && !is_list(entry); i++)
        r = wall_rule_describe(entry->filters[i], &text);
    if (r < 0)
        wall_rule_text_done(&text);
    else
        *ret_text = text;
    return r;
}

static const char *name_action(const FWPM_FILTER0 *filter)
{
    return filter->action.type == FWP_ACTION_BLOCK ? "block" : "permit";
}

static int add_row(struct wall_table *table, const struct entry *entry)
{
    struct wall_rule_text text;
    int r = describe(entry, &text);
    if (r < 0)
        return r;
    char *name = wall_display_name(entry->filters[0]->displayData.name);
    wall_table_add_format(table, "%llu", (unsigned long long)entry->filters[0]->filterId);
    wall_table_add(table, name_action(entry->filters[0]));
    const struct wall_texts *const lists[] = { &text.apps, &text.remotes, &text.ports, &text.protocols };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        char *joined = wall_texts_join(lists[i]);
        if (is_list(entry) && lists[i] == &text.remotes)
            wall_table_add_format(table, "%llu ranges", (unsigned long long)entry->condition_count);
        else
            wall_table_add(table, joined);
        free(joined);
    }
    wall_table_add(table, entry->filters[0]->flags & FWPM_FILTER_FLAG_PERSISTENT ? "always" : "session");
    wall_table_add(table, name);
    free(name);
    wall_rule_text_done(&text);
    return 0;
}

static int print_table(const struct entry *entries, size_t count)
{
    struct wall_table table;
    int r = 0;
    if (count == 0) {
        puts("No rules. Add one with ringwall block or ringwall permit.");
        return 0;
    }
    wall_table_init(&table, (const char *const[]){ ">ID", "ACTION", "PROGRAM", "REMOTE", "PORT", "PROTO", "KEPT",
                                                   "NAME", NULL });
    for (size_t i = 0; i < count && r == 0; i++)
        r = add_row(&table, &entries[i]);
    if (r == 0)
        r = wall_table_print(&table, stdout);
    wall_table_done(&table);
    return r;
}

static json_t *json_list(const struct wall_texts *texts)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < texts->count; i++)
        if (json_array_append_new(array, json_string(texts->items[i])) < 0)
            return json_decref(array), NULL;
    return array;
}

static json_t *make_json(const struct entry *entry)
{
    struct wall_rule_text text;
    if (describe(entry, &text) < 0)
        return NULL;
    char key[WALL_GUID_TEXT_SIZE];
    wall_guid_print(&entry->key, key);
    char *name = wall_display_name(entry->filters[0]->displayData.name);
    json_t *ids = json_array();
    for (size_t i = 0; i < 2 && entry->filters[i]; i++)
        (void)json_array_append_new(ids, json_integer((json_int_t)entry->filters[i]->filterId));
    json_t *json = json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:s, s:I}", "key", key, "filterIds", ids,
                             "action", name_action(entry->filters[0]), "programs", json_list(&text.apps), "remotes",
                             json_list(&text.remotes), "ports", json_list(&text.ports), "protocols",
                             json_list(&text.protocols), "persistent",
                             (entry->filters[0]->flags & FWPM_FILTER_FLAG_PERSISTENT) != 0, "name", name ? name : "",
                             "conditions", (json_int_t)entry->condition_count);
    free(name);
    wall_rule_text_done(&text);
    return json;
}

static int print_json(const struct entry *entries, size_t count)
{
    json_t *list = json_array();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < count && r == 0; i++)
        r = json_array_append_new(list, make_json(&entries[i])) < 0 ? -ENOMEM : 0;
    if (r == 0 && (json_dumpf(list, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF))
        r = -EIO;
    json_decref(list);
    return r;
}

static int run_list(const struct wall_arguments *arguments)
{
    struct wall_objects objects;
    HANDLE engine;
    int code = wall_engine_open(false, &engine);
    if (code != 0)
        return code;
    uint32_t status = wall_objects_fetch(engine, WALL_KIND_FILTERS, &objects);
    if (status != ERROR_SUCCESS) {
        code = wall_complain_status(status, "list the filters");
    } else {
        struct entry *entries = NULL;
        ssize_t count = group(&objects, &entries);
        int r = count < 0 ? (int)count : 0;
        if (r == 0)
            r = wall_argument_given(arguments, "json") ? print_json(entries, (size_t)count)
                                                       : print_table(entries, (size_t)count);
        if (r < 0)
            code = wall_complain_error(r, NULL);
        free(entries);
        wall_objects_done(&objects);
    }
    (void)FwpmEngineClose0(engine);
    return code;
}

static const struct wall_option options[] = {
    { "json", NULL, "Print JSON.", false },
    { 0 },
};

const struct wall_command wall_command_list = {
    .name = "list",
    .summary = "List the rules that block and permit have added.",
    .usage = "",
    .description = "The filters of all programs and drivers: ringwall show filters.\n",
    .examples = "  ringwall list\n"
                "  ringwall list --json | jq '.[] | select(.action == \"block\")'\n",
    .options = options,
    .run = run_list,
};
