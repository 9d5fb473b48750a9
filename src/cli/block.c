// `ringwall block` and `ringwall permit`
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fwpmu.h"

#include "base/guid.h"
#include "base/utf16.h"
#include "cli/command.h"
#include "cli/objects.h"
#include "cli/platform.h"
#include "cli/rule.h"
#include "cli/text.h"
#include "cli/wfp_status.h"

static const WCHAR provider_name[] = L"ringwall";
static const WCHAR provider_description[] = L"Rules of ringwall block and ringwall permit";

// --- Selectors ---

static int complain_too_many(const struct wall_arguments *arguments, const char *option)
{
    struct wall_error err;
    wall_error_set(&err, -EINVAL, "--%s is given more than %d times", option, WALL_RULE_SELECTORS_MAX);
    return wall_complain_usage(arguments, &err);
}

static int read_networks(const struct wall_arguments *arguments, struct wall_rule *rule)
{
    struct wall_error err;
    const char *text;
    for (size_t i = 0; (text = wall_argument(arguments, "remote", i)); i++) {
        if (i == WALL_RULE_SELECTORS_MAX)
            return complain_too_many(arguments, "remote");
        if (wall_network_parse(text, &rule->networks[i], &err) < 0)
            return wall_complain_usage(arguments, &err);
        rule->network_count++;
    }
    return 0;
}

static int read_ports(const struct wall_arguments *arguments, struct wall_rule *rule)
{
    struct wall_error err;
    const char *text;
    for (size_t i = 0; (text = wall_argument(arguments, "port", i)); i++) {
        if (i == WALL_RULE_SELECTORS_MAX)
            return complain_too_many(arguments, "port");
        if (wall_port_range_parse(text, &rule->ports[i], &err) < 0)
            return wall_complain_usage(arguments, &err);
        rule->port_count++;
    }
    return 0;
}

static int read_protocols(const struct wall_arguments *arguments, struct wall_rule *rule)
{
    struct wall_error err;
    const char *text;
    for (size_t i = 0; (text = wall_argument(arguments, "proto", i)); i++) {
        if (i == WALL_RULE_SELECTORS_MAX)
            return complain_too_many(arguments, "proto");
        if (wall_protocol_parse(text, &rule->protocols[i], &err) < 0)
            return wall_complain_usage(arguments, &err);
        rule->protocol_count++;
    }
    return 0;
}

static int read_apps(const struct wall_arguments *arguments, struct wall_rule *rule)
{
    const char *text;
    for (size_t i = 0; (text = wall_argument(arguments, "app", i)); i++) {
        if (i == WALL_RULE_SELECTORS_MAX)
            return complain_too_many(arguments, "app");
        int code = wall_platform_app_id(text, &rule->apps[i]);
        if (code != 0)
            return code;
        rule->app_count++;
    }
    return 0;
}

static int read_rule(const struct wall_arguments *arguments, struct wall_rule *rule)
{
    struct wall_error err;
    rule->block = strcmp(arguments->command->name, "block") == 0;
    rule->persistent = !wall_argument_given(arguments, "session");
    rule->weight = -1;
    const char *weight = wall_argument(arguments, "weight", 0);
    uint64_t number;
    if (weight && wall_count_parse(weight, 15, &number, &err) < 0)
        return wall_complain_usage(arguments, &err);
    if (weight)
        rule->weight = (int)number;
    int code = read_networks(arguments, rule);
    if (code == 0)
        code = read_ports(arguments, rule);
    if (code == 0)
        code = read_protocols(arguments, rule);
    if (code == 0)
        code = read_apps(arguments, rule);
    if (code != 0)
        return code;
    if (rule->app_count + rule->network_count + rule->port_count + rule->protocol_count == 0) {
        wall_error_set(&err, -EINVAL, "name at least one of --app, --remote, --port and --proto");
        return wall_complain_usage(arguments, &err);
    }
    return 0;
}

// The selectors as they were written: what the filter is called unless --name says otherwise.
static char *make_name(const struct wall_arguments *arguments)
{
    static const struct {
        const char *option, *word;
    } parts[] = { { "app", "" }, { "remote", "to " }, { "port", "port " }, { "proto", "" } };
    char *name = NULL;
    bool good = wall_text_append(&name, "%s", arguments->command->name);
    for (size_t part = 0; part < sizeof(parts) / sizeof(parts[0]); part++) {
        const char *text;
        for (size_t i = 0; good && (text = wall_argument(arguments, parts[part].option, i)); i++)
            good = wall_text_append(&name, "%s%s%s", i == 0 ? " " : ",", i == 0 ? parts[part].word : "", text);
    }
    return name;
}

// --- Objects ---

uint32_t wall_rule_ensure_provider(HANDLE engine)
{
    FWPM_PROVIDER0 provider = { 0 };
    provider.providerKey = wall_rule_provider;
    provider.displayData.name = (WCHAR *)provider_name;
    provider.displayData.description = (WCHAR *)provider_description;
    provider.flags = FWPM_PROVIDER_FLAG_PERSISTENT;
    uint32_t status = FwpmProviderAdd0(engine, &provider, NULL);
    if (status != ERROR_SUCCESS && status != FWP_E_ALREADY_EXISTS)
        return status;

    FWPM_SUBLAYER0 sublayer = { 0 };
    sublayer.subLayerKey = wall_rule_sublayer;
    sublayer.displayData.name = (WCHAR *)provider_name;
    sublayer.displayData.description = (WCHAR *)provider_description;
    sublayer.flags = FWPM_SUBLAYER_FLAG_PERSISTENT;
    sublayer.providerKey = (GUID *)&wall_rule_provider;
    sublayer.weight = WALL_RULE_SUBLAYER_WEIGHT;
    status = FwpmSubLayerAdd0(engine, &sublayer, NULL);
    return status == FWP_E_ALREADY_EXISTS ? ERROR_SUCCESS : status;
}

static uint32_t add_filters(HANDLE engine, const struct wall_rule *rule, uint64_t ret_ids[2])
{
    struct wall_rule_filter *filter = malloc(sizeof(*filter));
    GUID key;
    uint32_t status = filter && wall_guid_random(&key) == 0 ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
    if (status == ERROR_SUCCESS)
        status = FwpmTransactionBegin0(engine, 0);
    if (status != ERROR_SUCCESS) {
        free(filter);
        return status;
    }
    for (int family = 0; family < 2 && status == ERROR_SUCCESS; family++)
        if (wall_rule_build(rule, &key, family == 1, filter))
            status = FwpmFilterAdd0(engine, &filter->filter, NULL, &ret_ids[family]);
    if (status == ERROR_SUCCESS)
        status = FwpmTransactionCommit0(engine);
    if (status != ERROR_SUCCESS)
        (void)FwpmTransactionAbort0(engine);
    free(filter);
    return status;
}

// Waits until it is interrupted, or the service is gone and the rule with it. Returns the exit code.
static int hold_session(HANDLE session, uint64_t filter_id)
{
    while (!wall_platform_interrupted(1000)) {
        FWPM_FILTER0 *filter = NULL;
        uint32_t status = FwpmFilterGetById0(session, filter_id, &filter);
        if (status != ERROR_SUCCESS)
            return wall_complain_status(status, "keep the rule");
        FwpmFreeMemory0((void **)&filter);
    }
    return WALL_EXIT_OK;
}

static int add_rule(HANDLE engine, const struct wall_rule *rule, const char *how, uint64_t *ret_id)
{
    uint64_t ids[2] = { 0, 0 };
    uint32_t status = add_filters(engine, rule, ids);
    if (status != ERROR_SUCCESS)
        return wall_complain_status(status, "add the rule");
    *ret_id = ids[0] ? ids[0] : ids[1];
    printf("Rule %" PRIu64 " is in force%s.\n", *ret_id, how);
    fflush(stdout);
    return WALL_EXIT_OK;
}

static int add_for_session(const struct wall_rule *rule)
{
    HANDLE session;
    uint64_t id;
    int code = wall_engine_open(true, &session);
    if (code != 0)
        return code;
    code = add_rule(session, rule, " until this command ends", &id);
    if (code == 0)
        code = hold_session(session, id);
    (void)FwpmEngineClose0(session);
    return code;
}

static int apply(const struct wall_rule *rule)
{
    HANDLE engine;
    uint64_t id;
    int code = wall_engine_open(false, &engine);
    if (code != 0)
        return code;
    uint32_t status = wall_rule_ensure_provider(engine);
    if (status != ERROR_SUCCESS)
        code = wall_complain_status(status, "add the provider and sublayer 'ringwall'");
    else if (rule->persistent)
        code = add_rule(engine, rule, "", &id);
    (void)FwpmEngineClose0(engine);
    return code == 0 && !rule->persistent ? add_for_session(rule) : code;
}

static int run_block(const struct wall_arguments *arguments)
{
    struct wall_rule rule = { 0 };
    int code = read_rule(arguments, &rule);
    if (code == 0) {
        const char *given = wall_argument(arguments, "name", 0);
        char *name = given ? strdup(given) : make_name(arguments);
        uint16_t *wide = NULL;
        int r = name ? 0 : -ENOMEM;
        if (r == 0 && given)
            r = wall_utf16_new_from_utf8(name, &wide);
        else if (r == 0 && !(wide = wall_utf16_new_from_path(name)))  // it may hold paths, which need not be UTF-8
            r = -ENOMEM;
        rule.name = wide;
        code = r == 0 ? apply(&rule) : wall_complain_error(r, NULL);
        free(wide);
        free(name);
    }
    for (size_t i = 0; i < rule.app_count; i++)
        FwpmFreeMemory0((void **)&rule.apps[i]);
    return code;
}

static const struct wall_option options[] = {
    { "app", "PATH", "The program.", true },
    { "remote", "NET", "The remote address: 192.0.2.1, 192.0.2.0/24, 2001:db8::/32.", true },
    { "port", "N[-M]", "The remote port, or a range.", true },
    { "proto", "PROTOCOL", "tcp, udp, icmp, icmpv6 … or a number.", true },
    { "session", NULL, "Only as long as this command runs.", false },
    { "weight", "N", "0 to 15: of two rules that match, the heavier decides.", false },
    { "name", "TEXT", "What the rule is called.", false },
    { 0 },
};

#define DESCRIPTION                                                                   \
    "At least one of --app, --remote, --port and --proto is needed. A connection\n"   \
    "matches when it fits all kinds that are given, and one of each kind. --port\n"   \
    "without --proto means TCP and UDP; an IPv4 network is meant for sockets of IPv6\n" \
    "that use IPv4, too. Rules are kept over restarts of the service\n"              \
    "unless --session is given. Without --weight the more specific rule decides.\n"

const struct wall_command wall_command_block = {
    .name = "block",
    .summary = "Block outgoing connections.",
    .usage = "SELECTOR...",
    .description = DESCRIPTION,
    .examples = "  ringwall block --app /usr/bin/curl\n"
                "  ringwall block --remote 192.0.2.0/24 --remote 2001:db8::/32 --port 25\n"
                "  ringwall block --app /opt/game/run --proto udp --session\n",
    .options = options,
    .run = run_block,
};

const struct wall_command wall_command_permit = {
    .name = "permit",
    .summary = "Permit outgoing connections that other rules would block.",
    .usage = "SELECTOR...",
    .description = DESCRIPTION,
    .examples = "  ringwall permit --app /usr/bin/curl --remote 192.0.2.7 --port 443\n"
                "  ringwall permit --remote 10.0.0.0/8 --weight 15\n",
    .options = options,
    .run = run_block,
};
