#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "cli/command.h"
#include "cli/control.h"
#include "cli/table.h"
#include "cli/text.h"

static void add_row(struct wall_table *table, const struct wall_control_driver *driver)
{
    char uptime[WALL_TEXT_SHORT_MAX];
    wall_text_duration(driver->uptime_ms * 1000000, uptime);
    wall_table_add(table, driver->name);
    wall_table_add(table, driver->state);
    wall_table_add_format(table, "%u", driver->process_id);
    wall_table_add(table, uptime);
    wall_table_add_format(table, "%u", driver->callouts);
    wall_table_add_format(table, "%" PRIu64, driver->classifies);
    wall_table_add_format(table, "%" PRIu64, driver->timeouts);
    wall_table_add(table, driver->failure ? driver->failure : driver->path);
}

static int print_table(const struct wall_control_drivers *drivers)
{
    struct wall_table table;
    if (drivers->count == 0) {
        puts("No drivers. Load one with ringwall load.");
        return 0;
    }
    wall_table_init(&table, (const char *const[]){ "NAME", "STATE", ">PROCESS", "FOR", ">CALLOUTS", ">CLASSIFIES",
                                                   ">TIMEOUTS", "FILE", NULL });
    for (size_t i = 0; i < drivers->count; i++)
        add_row(&table, &drivers->drivers[i]);
    int r = wall_table_print(&table, stdout);
    wall_table_done(&table);
    return r;
}

static json_t *make_json(const struct wall_control_driver *driver)
{
    return json_pack("{s:s, s:s, s:s, s:s?, s:i, s:i, s:I, s:I, s:I}", "name", driver->name, "path", driver->path,
                     "state", driver->state, "failure", driver->failure, "processId", (int)driver->process_id,
                     "callouts", (int)driver->callouts, "uptimeMs", (json_int_t)driver->uptime_ms, "classifies",
                     (json_int_t)driver->classifies, "timeouts", (json_int_t)driver->timeouts);
}

static int print_json(const struct wall_control_drivers *drivers)
{
    json_t *list = json_array();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < drivers->count && r == 0; i++)
        r = json_array_append_new(list, make_json(&drivers->drivers[i])) < 0 ? -ENOMEM : 0;
    if (r == 0 && (json_dumpf(list, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF))
        r = -EIO;
    json_decref(list);
    return r;
}

static int run_drivers(const struct wall_arguments *arguments)
{
    struct wall_control *control;
    struct wall_control_drivers *drivers;
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    int code = wall_control_reach(&control);
    if (code != 0)
        return code;
    int r = wall_control_drivers(control, &drivers, error);
    if (r < 0) {
        code = wall_control_complain(r, error);
    } else {
        r = wall_argument_given(arguments, "json") ? print_json(drivers) : print_table(drivers);
        if (r < 0)
            code = wall_complain_error(r, NULL);
        wall_control_free(drivers);
    }
    wall_control_close(control);
    return code;
}

static const struct wall_option options[] = {
    { "json", NULL, "Print JSON.", false },
    { 0 },
};

const struct wall_command wall_command_drivers = {
    .name = "drivers",
    .summary = "List the callout drivers.",
    .usage = "",
    .examples = "  ringwall drivers\n"
                "  ringwall drivers --json | jq -r '.[] | select(.state == \"failed\").failure'\n",
    .options = options,
    .run = run_drivers,
};
