#include "cli/record.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "fwpslayers.h"
#include "fwptypes.h"

#include "cli/json.h"
#include "cli/selector.h"
#include "cli/text.h"
#include "engine/catalog.h"

#define ENDPOINT_TEXT_SIZE (INET6_ADDRSTRLEN + 9)

static const char *name_action(const struct wall_control_decision *decision)
{
    return decision->action == FWP_ACTION_BLOCK ? "block" : "permit";
}

static const char *print_address(uint8_t family, const uint8_t *address, char text[INET6_ADDRSTRLEN])
{
    const char *printed = inet_ntop(family, address, text, INET6_ADDRSTRLEN);
    return printed ? printed : "?";
}

static void print_endpoint(uint8_t family, const uint8_t *address, uint16_t port, char text[ENDPOINT_TEXT_SIZE])
{
    char printed[INET6_ADDRSTRLEN];
    snprintf(text, ENDPOINT_TEXT_SIZE, family == AF_INET6 ? "[%s]:%u" : "%s:%u",
             print_address(family, address, printed), port);
}

static const char *print_protocol(uint8_t protocol, char text[4])
{
    const char *name = wall_protocol_name(protocol);
    if (name)
        return name;
    snprintf(text, 4, "%u", protocol);
    return text;
}

static void print_clean(const char *text, FILE *file)
{
    char *clean = text ? wall_text_clean(text) : NULL;
    fputs(clean ? clean : "?", file);
    free(clean);
}

static bool is_inbound(uint16_t layer_id)
{
    return layer_id == FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4 || layer_id == FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6;
}

static void print_decision(const struct wall_control_decision *decision, FILE *file)
{
    char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE], number[4], held[WALL_TEXT_SHORT_MAX];
    print_endpoint(decision->family, decision->local_address, decision->local_port, local);
    print_endpoint(decision->family, decision->remote_address, decision->remote_port, remote);
    fprintf(file, "%-6s %s %s %s %s  ", name_action(decision), print_protocol(decision->protocol, number), local,
            is_inbound(decision->layer_id) ? "<-" : "->", remote);
    print_clean(decision->executable ? decision->executable : decision->process_name, file);
    fprintf(file, " [%u]", decision->process_id);
    if (decision->filter_id == 0)
        fputs("  no filter", file);
    else
        fprintf(file, "  filter %" PRIu64, decision->filter_id);
    if (decision->filter_name) {
        fputs(" (", file);
        print_clean(decision->filter_name, file);
        fputs(")", file);
    }
    if (decision->driver) {
        fputs("  driver ", file);
        print_clean(decision->driver, file);
    }
    if (decision->veto)
        fputs("  veto", file);
    if (decision->held_us > 0) {
        wall_text_duration(decision->held_us * 1000, held);
        fprintf(file, "  held %s", held);
    }
    if (decision->repeats > 0)
        fprintf(file, "  and %" PRIu64 " more", decision->repeats);
}

void wall_record_print(const struct wall_control_record *record, FILE *file)
{
    time_t seconds = (time_t)(record->time_us / 1000000);
    struct tm parts;
    char clock[32];
    if (!localtime_r(&seconds, &parts) || strftime(clock, sizeof(clock), "%T", &parts) == 0)
        clock[0] = '\0';
    fprintf(file, "%s.%03u  ", clock, (unsigned)(record->time_us / 1000 % 1000));
    switch (record->kind) {
    case WALL_CONTROL_DECISION:
        print_decision(&record->decision, file);
        break;
    case WALL_CONTROL_LINE:
        print_clean(record->line.driver, file);
        fputs(": ", file);
        print_clean(record->line.line, file);
        break;
    case WALL_CONTROL_LOST:
        fprintf(file, "%" PRIu64 " records were lost: this reader is too slow", record->lost);
        break;
    }
    putc('\n', file);
}

// Text that need not be UTF-8: what is not is escaped.
static json_t *json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *json = json_string(text);
    if (json)
        return json;
    char *clean = wall_text_clean(text);
    json = clean ? json_string(clean) : NULL;
    free(clean);
    return json;
}

static json_t *json_time(uint64_t time_us)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    char text[32];
    if (!gmtime_r(&seconds, &parts) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return json_null();
    return json_sprintf("%s.%06uZ", text, (unsigned)(time_us % 1000000));
}

static json_t *json_layer(uint16_t layer_id)
{
    char text[WALL_KEY_TEXT_SIZE];
    const GUID *key = wall_catalog_layer_key(layer_id);
    return key ? json_string(wall_key_text(key, text)) : json_integer(layer_id);
}

static json_t *json_decision(const struct wall_control_decision *decision, uint64_t time_us)
{
    char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN], number[4];
    return json_pack("{s:s, s:o, s:s, s:o, s:I, s:o, s:o, "
                     "s:b, s:I, s:s, s:s, s:i, s:s, s:i, s:o, s:o, s:i, s:I, s:I, s:I}",
                     "type", "decision", "time", json_time(time_us), "action", name_action(decision), "layer",
                     json_layer(decision->layer_id), "filterId", (json_int_t)decision->filter_id, "filterName",
                     json_text(decision->filter_name), "driver", json_text(decision->driver), "veto", decision->veto,
                     "heldUs", (json_int_t)decision->held_us, "protocol", print_protocol(decision->protocol, number),
                     "localAddress", print_address(decision->family, decision->local_address, local), "localPort",
                     (int)decision->local_port, "remoteAddress",
                     print_address(decision->family, decision->remote_address, remote), "remotePort",
                     (int)decision->remote_port, "executable", json_text(decision->executable), "processName",
                     json_text(decision->process_name), "processId", (int)decision->process_id, "userId",
                     (json_int_t)decision->user_id, "flowId", (json_int_t)decision->flow_id,
                     "repeats", (json_int_t)decision->repeats);
}

json_t *wall_record_json(const struct wall_control_record *record)
{
    switch (record->kind) {
    case WALL_CONTROL_DECISION:
        return json_decision(&record->decision, record->time_us);
    case WALL_CONTROL_LINE:
        return json_pack("{s:s, s:o, s:o, s:o}", "type", "line", "time", json_time(record->time_us), "driver",
                         json_text(record->line.driver), "line", json_text(record->line.line));
    case WALL_CONTROL_LOST:
        break;
    }
    return json_pack("{s:s, s:o, s:I}", "type", "lost", "time", json_time(record->time_us), "count",
                     (json_int_t)record->lost);
}
