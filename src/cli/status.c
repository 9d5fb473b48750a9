#include <errno.h>
#include <inttypes.h>
#include <jansson.h>

#include "cli/command.h"
#include "cli/control.h"
#include "cli/coverage.h"
#include "cli/text.h"

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_status(const struct wall_control_status *status)
{
    char uptime[WALL_TEXT_SHORT_MAX];
    wall_text_duration(status->uptime_ms * 1000000, uptime);
    printf("Ringwall %s is running: process %u, for %s.\n", status->version, status->process_id, uptime);
    printf("Scope      %s (%s)\n", status->scope, status->datapath);
    printf("Policy     generation %" PRIu64 ": %u filter%s, %u callout%s, %u sublayer%s, %u provider%s\n",
           status->generation, status->filters, plural(status->filters), status->callouts, plural(status->callouts),
           status->sublayers, plural(status->sublayers), status->providers, plural(status->providers));
    printf("Clients    %u connection%s, %u session%s, %u driver%s\n", status->connections, plural(status->connections),
           status->sessions, plural(status->sessions), status->drivers, plural(status->drivers));
    printf("Flows      %" PRIu64 " seen: %" PRIu64 " permitted, %" PRIu64 " blocked, %" PRIu64 " given up, %" PRIu64
           " held now\n",
           status->flows_seen, status->flows_permitted, status->flows_blocked, status->flows_gone,
           status->flows_held_now);
    if (status->table_bytes > 0)
        printf("Tables     %.1f MiB in the kernel; the last change took %.1f ms to compile and %.1f ms to load\n",
               (double)status->table_bytes / 1048576, (double)status->compile_us / 1000,
               (double)status->load_us / 1000);
    if (status->fail_closed > 0)
        printf("Refused    %" PRIu64 " flow%s because a table or buffer was full\n", status->fail_closed,
               plural(status->fail_closed));
    if (status->events_lost > 0)
        printf("Lost       %" PRIu64 " log record%s (no decisions)\n", status->events_lost,
               plural(status->events_lost));
}

// `coverage` may be NULL.
static int print_json(const struct wall_control_status *status, const struct wall_control_coverage *coverage)
{
    json_t *json = json_pack(
        "{s:s, s:i, s:I, s:s, s:s, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:i, "
        "s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:I, s:I, s:I, s:I}",
        "version", status->version, "processId", (int)status->process_id, "uptimeMs", (json_int_t)status->uptime_ms,
        "scope", status->scope, "datapath", status->datapath, "generation", (json_int_t)status->generation, "filters",
        (int)status->filters, "callouts", (int)status->callouts, "sublayers", (int)status->sublayers, "providers",
        (int)status->providers, "sessions", (int)status->sessions, "connections", (int)status->connections, "drivers",
        (int)status->drivers, "flows", "seen", (json_int_t)status->flows_seen, "permitted",
        (json_int_t)status->flows_permitted, "blocked", (json_int_t)status->flows_blocked, "gone",
        (json_int_t)status->flows_gone, "heldNow", (json_int_t)status->flows_held_now, "failClosed",
        (json_int_t)status->fail_closed, "eventsLost", (json_int_t)status->events_lost, "tableBytes",
        (json_int_t)status->table_bytes, "compileUs", (json_int_t)status->compile_us, "loadUs",
        (json_int_t)status->load_us);
    int r = json ? 0 : -ENOMEM;
    if (r == 0 && coverage && json_object_set_new(json, "coverage", wall_coverage_json(coverage)) < 0)
        r = -ENOMEM;
    if (r == 0 && (json_dumpf(json, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF))
        r = -EIO;
    json_decref(json);
    return r;
}

static int print(const struct wall_arguments *arguments, const struct wall_control_status *status,
                 const struct wall_control_coverage *coverage)
{
    if (wall_argument_given(arguments, "json"))
        return print_json(status, coverage);
    print_status(status);
    if (coverage)
        wall_coverage_print(coverage, stdout);
    return 0;
}

static int run_status(const struct wall_arguments *arguments)
{
    struct wall_control *control;
    struct wall_control_status *status = NULL;
    struct wall_control_coverage *coverage = NULL;
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    int code = wall_control_reach(&control);
    if (code != 0)
        return code;
    int r = wall_control_status(control, &status, error);
    if (r == 0 && wall_argument_given(arguments, "coverage"))
        r = wall_control_coverage(control, &coverage, error);
    if (r < 0)
        code = wall_control_complain(r, error);
    else if ((r = print(arguments, status, coverage)) < 0)
        code = wall_complain_error(r, NULL);
    wall_control_free(coverage);
    wall_control_free(status);
    wall_control_close(control);
    return code;
}

static const struct wall_option options[] = {
    { "coverage", NULL, "Tell what is judged here now, and what is not.", false },
    { "json", NULL, "Print JSON.", false },
    { 0 },
};

const struct wall_command wall_command_status = {
    .name = "status",
    .summary = "Tell whether the service is running, and how it is doing.",
    .usage = "",
    .description = "Exit code 3 tells that it is not running.\n"
                   "--coverage asks the kernel and names every kind of traffic that is not judged.\n",
    .examples = "  ringwall status\n"
                "  ringwall status --coverage\n"
                "  ringwall status --json | jq .flows.heldNow\n",
    .options = options,
    .run = run_status,
};
