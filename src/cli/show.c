#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fwpmu.h"

#include "base/sid.h"
#include "base/utf16.h"
#include "cli/command.h"
#include "cli/compiled.h"
#include "cli/json.h"
#include "cli/objects.h"
#include "cli/rule.h"
#include "cli/wfp_status.h"
#include "cli/symbols.h"
#include "cli/table.h"
#include "cli/text.h"

// Objects whose display names stand for keys without a symbolic name.
struct known {
    struct wall_objects providers, sublayers, callouts;
};

// Provider, sublayer and callout begin alike: with the key and the display data.
_Static_assert(offsetof(FWPM_SUBLAYER0, displayData) == offsetof(FWPM_PROVIDER0, displayData), "");
_Static_assert(offsetof(FWPM_CALLOUT0, displayData) == offsetof(FWPM_PROVIDER0, displayData), "");

static const WCHAR *find_name(const struct wall_objects *objects, const GUID *key)
{
    for (size_t i = 0; i < objects->count; i++) {
        const FWPM_PROVIDER0 *object = objects->objects[i];
        if (IsEqualGUID(&object->providerKey, key))
            return object->displayData.name;
    }
    return NULL;
}

// --- Cells ---

static void add_name(struct wall_table *table, const WCHAR *name)
{
    char *text = wall_display_name(name);
    wall_table_add(table, text);
    free(text);
}

// Names lose what the column says anyway.
static void add_key(struct wall_table *table, const GUID *key, const char *prefix)
{
    char text[WALL_KEY_TEXT_SIZE];
    const char *name = key ? wall_key_text(key, text) : "-";
    if (strncmp(name, prefix, strlen(prefix)) == 0)
        name += strlen(prefix);
    wall_table_add(table, name);
}

static void add_flags(struct wall_table *table, const struct wall_symbol *symbols, size_t prefix_length, uint32_t flags)
{
    char text[256];
    size_t used = 0;
    text[0] = '\0';
    for (; symbols->name && used < sizeof(text); symbols++)
        if (flags & symbols->value)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used > 0 ? "," : "",
                                     symbols->name + prefix_length);
    wall_table_add(table, used > 0 ? text : "-");
}
// The name of an object that a key leads to.
static void add_reference(struct wall_table *table, const struct wall_objects *objects, const GUID *key,
                          const char *prefix)
{
    char text[WALL_KEY_TEXT_SIZE];
    const WCHAR *name = key && wall_key_text(key, text) == text ? find_name(objects, key) : NULL;
    if (name)
        add_name(table, name);
    else
        add_key(table, key, prefix);
}

#define ADD_FLAGS(table, symbols, prefix, flags) add_flags(table, symbols, sizeof(prefix) - 1, flags)

// --- Rows ---

static void add_provider(struct wall_table *table, const struct known *known, const void *object)
{
    const FWPM_PROVIDER0 *provider = object;
    add_key(table, &provider->providerKey, "FWPM_PROVIDER_");
    ADD_FLAGS(table, wall_symbols_provider_flag, "FWPM_PROVIDER_FLAG_", provider->flags);
    add_name(table, provider->displayData.name);
}

static void add_sublayer(struct wall_table *table, const struct known *known, const void *object)
{
    const FWPM_SUBLAYER0 *sublayer = object;
    wall_table_add_format(table, "%u", sublayer->weight);
    add_key(table, &sublayer->subLayerKey, "FWPM_SUBLAYER_");
    add_reference(table, &known->providers, sublayer->providerKey, "FWPM_PROVIDER_");
    ADD_FLAGS(table, wall_symbols_sublayer_flag, "FWPM_SUBLAYER_FLAG_", sublayer->flags);
    add_name(table, sublayer->displayData.name);
}

static void add_layer(struct wall_table *table, const struct known *known, const void *object)
{
    const FWPM_LAYER0 *layer = object;
    wall_table_add_format(table, "%u", layer->layerId);
    add_key(table, &layer->layerKey, "FWPM_LAYER_");
    wall_table_add_format(table, "%u", (unsigned)layer->numFields);
    ADD_FLAGS(table, wall_symbols_layer_flag, "FWPM_LAYER_FLAG_", layer->flags);
}

static void add_callout(struct wall_table *table, const struct known *known, const void *object)
{
    const FWPM_CALLOUT0 *callout = object;
    wall_table_add_format(table, "%u", (unsigned)callout->calloutId);
    add_key(table, &callout->calloutKey, "FWPM_CALLOUT_");
    add_key(table, &callout->applicableLayer, "FWPM_LAYER_");
    ADD_FLAGS(table, wall_symbols_callout_flag, "FWPM_CALLOUT_FLAG_", callout->flags);
    add_name(table, callout->displayData.name);
}

// "app=/usr/bin/curl port=25": alternatives separated by commas.
static char *join_conditions(const FWPM_FILTER0 *filter)
{
    struct wall_rule_text text = { 0 };
    char *joined = NULL;
    bool good = wall_rule_describe(filter, &text) == 0;
    const struct {
        const char *name;
        const struct wall_texts *list;
    } lists[] = { { "app", &text.apps },           { "remote", &text.remotes }, { "port", &text.ports },
                  { "proto", &text.protocols },    { "and", &text.others } };
    for (size_t i = 0; good && i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (lists[i].list->count == 0)
            continue;
        char *list = wall_texts_join(lists[i].list);
        good = wall_text_append(&joined, "%s%s=%s", joined ? " " : "", lists[i].name, list ? list : "?");
        free(list);
    }
    if (good && !joined)
        (void)wall_text_append(&joined, "any");
    wall_rule_text_done(&text);
    return joined;
}

static void add_filter(struct wall_table *table, const struct known *known, const void *object)
{
    const FWPM_FILTER0 *filter = object;
    const char *action = wall_symbol_find(wall_symbols_action, filter->action.type);
    char *conditions = join_conditions(filter);
    wall_table_add_format(table, "%" PRIu64, filter->filterId);
    add_key(table, &filter->layerKey, "FWPM_LAYER_");
    add_reference(table, &known->sublayers, &filter->subLayerKey, "FWPM_SUBLAYER_");
    if (filter->effectiveWeight.type == FWP_UINT64 && filter->effectiveWeight.uint64)
        wall_table_add_format(table, "%016" PRIx64, *filter->effectiveWeight.uint64);
    else
        wall_table_add(table, NULL);
    wall_table_add(table, action ? action + strlen("FWP_ACTION_") : NULL);
    if (filter->action.type & FWP_ACTION_FLAG_CALLOUT)
        add_reference(table, &known->callouts, &filter->action.calloutKey, "FWPM_CALLOUT_");
    else
        wall_table_add(table, NULL);
    wall_table_add(table, conditions);
    ADD_FLAGS(table, wall_symbols_filter_flag, "FWPM_FILTER_FLAG_", filter->flags);
    add_name(table, filter->displayData.name);
    free(conditions);
}

static void add_session(struct wall_table *table, const struct known *known, const void *object)
{
    const FWPM_SESSION0 *session = object;
    add_key(table, &session->sessionKey, "");
    wall_table_add_format(table, "%u", (unsigned)session->processId);
    add_name(table, session->username);
    wall_table_add(table, session->kernelMode ? "driver" : "program");
    ADD_FLAGS(table, wall_symbols_session_flag, "FWPM_SESSION_FLAG_", session->flags);
    add_name(table, session->displayData.name);
}

// --- Net events ---

static void add_time(struct wall_table *table, const FILETIME *filetime)
{
    const uint64_t units_per_second = 10000000, seconds_to_1970 = 11644473600u;
    uint64_t units = (uint64_t)filetime->dwHighDateTime << 32 | filetime->dwLowDateTime;
    time_t seconds = (time_t)(units / units_per_second) - (time_t)seconds_to_1970;
    struct tm parts;
    char text[32];
    if (localtime_r(&seconds, &parts) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) > 0)
        wall_table_add_format(table, "%s.%03u", text, (unsigned)(units % units_per_second / 10000));
    else
        wall_table_add(table, NULL);
}

static void add_endpoint(struct wall_table *table, const FWPM_NET_EVENT_HEADER3 *header, bool is_remote)
{
    char text[INET6_ADDRSTRLEN];
    uint32_t v4 = htonl(is_remote ? header->remoteAddrV4 : header->localAddrV4);
    const void *v6 = is_remote ? &header->remoteAddrV6 : &header->localAddrV6;
    unsigned port = is_remote ? header->remotePort : header->localPort;
    if (!(header->flags & (is_remote ? FWPM_NET_EVENT_FLAG_REMOTE_ADDR_SET : FWPM_NET_EVENT_FLAG_LOCAL_ADDR_SET)))
        wall_table_add(table, NULL);
    else if (header->ipVersion == FWP_IP_VERSION_V6)
        wall_table_add_format(table, "[%s]:%u", inet_ntop(AF_INET6, v6, text, sizeof(text)), port);
    else
        wall_table_add_format(table, "%s:%u", inet_ntop(AF_INET, &v4, text, sizeof(text)), port);
}

static void add_app(struct wall_table *table, const FWP_BYTE_BLOB *app)
{
    size_t count = app->data ? app->size / 2 : 0;
    WCHAR *units = calloc(count + 1, sizeof(*units));
    if (units && count > 0)
        memcpy(units, app->data, count * sizeof(*units));
    add_name(table, units);
    free(units);
}

static void add_net_event(struct wall_table *table, const struct known *known, const void *object)
{
    const FWPM_NET_EVENT5 *event = object;
    const FWPM_NET_EVENT_HEADER3 *header = &event->header;
    const char *type = wall_symbol_find(wall_symbols_net_event_type, event->type);
    const char *protocol = wall_protocol_name(header->ipProtocol);
    uint64_t filter_id = 0;
    if (event->type == FWPM_NET_EVENT_TYPE_CLASSIFY_DROP && event->classifyDrop)
        filter_id = event->classifyDrop->filterId;
    else if (event->type == FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW && event->classifyAllow)
        filter_id = event->classifyAllow->filterId;
    add_time(table, &header->timeStamp);
    wall_table_add(table, type ? type + strlen("FWPM_NET_EVENT_TYPE_") : NULL);
    wall_table_add_format(table, "%" PRIu64, filter_id);
    add_app(table, &header->appId);
    add_endpoint(table, header, false);
    add_endpoint(table, header, true);
    if (!(header->flags & FWPM_NET_EVENT_FLAG_IP_PROTOCOL_SET))
        wall_table_add(table, NULL);
    else if (protocol)
        wall_table_add(table, protocol);
    else
        wall_table_add_format(table, "%u", header->ipProtocol);
}

// --- The command ---

static const struct {
    const char *titles[WALL_TABLE_COLUMNS_MAX];
    void (*add_row)(struct wall_table *table, const struct known *known, const void *object);
} views[WALL_KIND_COUNT_] = {
    [WALL_KIND_PROVIDERS] = { { "KEY", "FLAGS", "NAME" }, add_provider },
    [WALL_KIND_SUBLAYERS] = { { ">WEIGHT", "KEY", "PROVIDER", "FLAGS", "NAME" }, add_sublayer },
    [WALL_KIND_LAYERS] = { { ">ID", "LAYER", ">FIELDS", "FLAGS" }, add_layer },
    [WALL_KIND_CALLOUTS] = { { ">ID", "KEY", "LAYER", "FLAGS", "NAME" }, add_callout },
    [WALL_KIND_FILTERS] = { { ">ID", "LAYER", "SUBLAYER", "WEIGHT", "ACTION", "CALLOUT", "CONDITIONS", "FLAGS",
                              "NAME" },
                            add_filter },
    [WALL_KIND_SESSIONS] = { { "KEY", ">PROCESS", "USER", "MODE", "FLAGS", "NAME" }, add_session },
    [WALL_KIND_NETEVENTS] = { { "TIME", "EVENT", ">FILTER", "PROGRAM", "LOCAL", "REMOTE", "PROTO" }, add_net_event },
};

// What cannot be fetched is shown by its key.
static void fetch_known(HANDLE engine, struct known *ret_known)
{
    *ret_known = (struct known){ 0 };
    (void)wall_objects_fetch(engine, WALL_KIND_PROVIDERS, &ret_known->providers);
    (void)wall_objects_fetch(engine, WALL_KIND_SUBLAYERS, &ret_known->sublayers);
    (void)wall_objects_fetch(engine, WALL_KIND_CALLOUTS, &ret_known->callouts);
}

static int print_table(HANDLE engine, enum wall_kind kind, const struct wall_objects *objects)
{
    struct wall_table table;
    struct known known;
    fetch_known(engine, &known);
    wall_table_init(&table, views[kind].titles);
    for (size_t i = 0; i < objects->count; i++)
        views[kind].add_row(&table, &known, objects->objects[i]);
    int r = wall_table_print(&table, stdout);
    wall_table_done(&table);
    wall_objects_done(&known.providers);
    wall_objects_done(&known.sublayers);
    wall_objects_done(&known.callouts);
    return r;
}

static int print_json(const struct wall_objects *objects)
{
    json_t *list = json_array();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < objects->count && r == 0; i++)
        if (json_array_append_new(list, wall_json_from_object(objects->shape, objects->objects[i])) < 0)
            r = -ENOMEM;
    if (r == 0 && (json_dumpf(list, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF))
        r = -EIO;
    json_decref(list);
    return r;
}

static int run_show(const struct wall_arguments *arguments)
{
    const char *name = arguments->positional[0];
    struct wall_error err;
    int kind = 0;
    if (strcmp(name, "compile") == 0)
        return wall_compiled_show(wall_argument_given(arguments, "json"));
    while (kind < WALL_KIND_COUNT_ && strcmp(wall_kind_names[kind], name) != 0)
        kind++;
    if (kind == WALL_KIND_COUNT_) {
        wall_error_set(&err, -EINVAL, "'%s' cannot be shown", name);
        return wall_complain_usage(arguments, &err);
    }
    HANDLE engine;
    int code = wall_engine_open(false, &engine);
    if (code != 0)
        return code;
    struct wall_objects objects;
    uint32_t status = wall_objects_fetch(engine, (enum wall_kind)kind, &objects);
    if (status != ERROR_SUCCESS) {
        code = wall_complain_status(status, "list the %s", name);
    } else {
        int r = wall_argument_given(arguments, "json") ? print_json(&objects)
                                                       : print_table(engine, (enum wall_kind)kind, &objects);
        if (r < 0)
            code = wall_complain_error(r, NULL);
        wall_objects_done(&objects);
    }
    (void)FwpmEngineClose0(engine);
    return code;
}

static const struct wall_option options[] = {
    { "json", NULL, "Print JSON, with everything there is to know.", false },
    { 0 },
};

const struct wall_command wall_command_show = {
    .name = "show",
    .summary = "Show what the filter engine holds.",
    .usage = "KIND",
    .description = "KIND is providers, sublayers, layers, callouts, filters, sessions, netevents or\n"
                   "compile: how the filters became the tables that the kernel decides by.\n",
    .examples = "  ringwall show filters\n"
                "  ringwall show layers --json | jq '.[].layerKey'\n"
                "  ringwall show netevents\n"
                "  ringwall show compile\n",
    .options = options,
    .positional_min = 1,
    .positional_max = 1,
    .run = run_show,
};
