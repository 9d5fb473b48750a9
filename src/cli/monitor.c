#include <errno.h>

#include "cli/command.h"
#include "cli/control.h"
#include "cli/record.h"
#include "cli/selector.h"

// JSON texts, one on a line. Returns 0 or a negative errno.
static int print_record(const struct wall_control_record *record, bool as_json)
{
    if (as_json) {
        json_t *json = wall_record_json(record);
        int r = json ? json_dumpf(json, stdout, JSON_COMPACT) : -ENOMEM;
        json_decref(json);
        if (r < 0)
            return json ? -EIO : -ENOMEM;
        putchar('\n');
    } else {
        wall_record_print(record, stdout);
    }
    return fflush(stdout) == 0 ? 0 : -errno;
}

static int watch(struct wall_control *control, bool as_json, uint64_t count)
{
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    int r = wall_control_monitor(control, WALL_CONTROL_MONITOR_DECISIONS | WALL_CONTROL_MONITOR_LINES, error);
    if (r < 0)
        return wall_control_complain(r, error);
    for (uint64_t i = 0; i < count && r == 0; i++) {
        struct wall_control_record *record;
        r = wall_control_next(control, -1, &record);
        if (r == -ECONNRESET) {
            wall_complain("the service has ended");
            return WALL_EXIT_NOT_RUNNING;
        }
        if (r < 0)
            break;
        r = print_record(record, as_json);
        wall_control_free(record);
    }
    return r < 0 ? wall_complain_error(r, NULL) : WALL_EXIT_OK;
}

static int run_monitor(const struct wall_arguments *arguments)
{
    struct wall_error err;
    struct wall_control *control;
    uint64_t count = UINT64_MAX;
    const char *text = wall_argument(arguments, "count", 0);
    if (text && wall_count_parse(text, UINT64_MAX, &count, &err) < 0)
        return wall_complain_usage(arguments, &err);
    int code = wall_control_reach(&control);
    if (code != 0)
        return code;
    code = watch(control, wall_argument_given(arguments, "json"), count);
    wall_control_close(control);
    return code;
}

static const struct wall_option options[] = {
    { "json", NULL, "Print JSON, one record on a line.", false },
    { "count", "N", "End after N records.", false },
    { 0 },
};

const struct wall_command wall_command_monitor = {
    .name = "monitor",
    .summary = "Print decisions and the drivers' output as they happen.",
    .usage = "",
    .description = "Decisions the kernel makes by itself may be left out when there are very many. Their times are\n"
                   "those of its last tick: up to 10 ms early.\n",
    .examples = "  ringwall monitor\n"
                "  ringwall monitor --json | jq 'select(.action == \"block\")'\n",
    .options = options,
    .run = run_monitor,
};
