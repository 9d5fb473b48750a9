#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fwpmu.h"

#include "base/guid.h"
#include "cli/block_list.h"
#include "cli/command.h"
#include "cli/objects.h"
#include "cli/rule.h"
#include "cli/selector.h"
#include "cli/wfp_status.h"

// What is to be removed: all rules, or what one word of the command line names.
struct target {
    bool all, is_id, is_rule;
    uint64_t id;
    GUID key;  // of a filter or a rule; with is_rule the rule's
};

// Neither an id nor a key: the name of a block list.
static void parse_target(const char *text, struct target *ret_target)
{
    struct target target = { 0 };
    target.is_id = wall_count_parse(text, UINT64_MAX, &target.id, NULL) == 0;
    if (!target.is_id && !wall_guid_parse(text, &target.key)) {
        wall_block_list_key(text, &target.key);
        target.is_rule = true;
    }
    *ret_target = target;
}

static bool is_named(const struct target *target, const FWPM_FILTER0 *filter, const GUID *rule_key)
{
    if (target->is_id)
        return filter->filterId == target->id;
    return wall_guid_equal(&target->key, &filter->filterKey) || (rule_key && wall_guid_equal(&target->key, rule_key));
}

// A word that names one filter of a rule means the rule.
static void resolve_rule(struct target *target, const struct wall_objects *objects)
{
    for (size_t i = 0; i < objects->count && !target->is_rule; i++) {
        GUID rule_key;
        if (wall_rule_key_of(objects->objects[i], &rule_key) && is_named(target, objects->objects[i], &rule_key)) {
            target->is_rule = true;
            target->key = rule_key;
        }
    }
}

static bool is_chosen(const struct target *target, const FWPM_FILTER0 *filter)
{
    GUID rule_key;
    bool has_rule = wall_rule_key_of(filter, &rule_key);
    if (target->all)
        return has_rule;
    if (target->is_rule)
        return has_rule && wall_guid_equal(&target->key, &rule_key);
    return is_named(target, filter, NULL);
}

static uint32_t delete_chosen(HANDLE engine, const struct target *target, const struct wall_objects *objects,
                              size_t *ret_count)
{
    size_t count = 0;
    uint32_t status = FwpmTransactionBegin0(engine, 0);
    if (status != ERROR_SUCCESS)
        return status;
    for (size_t i = 0; i < objects->count && status == ERROR_SUCCESS; i++) {
        const FWPM_FILTER0 *filter = objects->objects[i];
        if (is_chosen(target, filter)) {
            status = FwpmFilterDeleteByKey0(engine, &filter->filterKey);
            count++;
        }
    }
    size_t names = 0;
    if (status == ERROR_SUCCESS && (target->all || target->is_rule))
        status = wall_block_list_remove_names(engine, target->all ? NULL : &target->key, &names);
    if (status == ERROR_SUCCESS)
        status = FwpmTransactionCommit0(engine);
    if (status != ERROR_SUCCESS)
        (void)FwpmTransactionAbort0(engine);
    *ret_count = count + names;
    return status;
}

static int remove_target(HANDLE engine, struct target *target, const char *text)
{
    struct wall_objects objects;
    size_t count = 0;
    uint32_t status = wall_objects_fetch(engine, WALL_KIND_FILTERS, &objects);
    if (status != ERROR_SUCCESS)
        return wall_complain_status(status, "list the filters");
    resolve_rule(target, &objects);
    status = delete_chosen(engine, target, &objects, &count);
    wall_objects_done(&objects);
    if (status != ERROR_SUCCESS)
        return wall_complain_status(status, "remove the filters");
    if (count == 0 && !target->all) {
        wall_complain("there is no rule, block list or filter '%s'; ringwall list shows the rules", text);
        return WALL_EXIT_NOT_FOUND;
    }
    printf("Removed %zu filter%s.\n", count, count == 1 ? "" : "s");
    return WALL_EXIT_OK;
}

static int run_remove(const struct wall_arguments *arguments)
{
    struct target target = { .all = wall_argument_given(arguments, "all") };
    struct wall_error err;
    const char *text = arguments->positional_count > 0 ? arguments->positional[0] : NULL;
    if (target.all == (text != NULL)) {
        wall_error_set(&err, -EINVAL, "give either one ID or KEY, or --all");
        return wall_complain_usage(arguments, &err);
    }
    if (text)
        parse_target(text, &target);
    HANDLE engine;
    int code = wall_engine_open(false, &engine);
    if (code != 0)
        return code;
    code = remove_target(engine, &target, text);
    (void)FwpmEngineClose0(engine);
    return code;
}

static const struct wall_option options[] = {
    { "all", NULL, "All rules that ringwall list shows.", false },
    { 0 },
};

const struct wall_command wall_command_remove = {
    .name = "remove",
    .summary = "Remove a rule, or all.",
    .usage = "ID|KEY|LIST|--all",
    .description = "LIST is the name of a block list. With the id or key of any other filter that filter\n"
                   "is removed, whoever added it.\n",
    .examples = "  ringwall remove 65537\n"
                "  ringwall remove --all\n",
    .options = options,
    .positional_max = 1,
    .run = run_remove,
};
