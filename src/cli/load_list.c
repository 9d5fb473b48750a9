// `ringwall block-list`: a published list of addresses as block filters, in force at once and as a whole.
//
// A list is as many filters as its ranges need, with one key as their provider data (cli/rule.h), so that `list` shows
// and `remove` takes them as one rule. The key is made of the list's name: loading a list of the same name replaces it.
// Names are kept in provider contexts with the same key.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fwpmu.h"

#include "base/utf16.h"
#include "cli/address_list.h"
#include "cli/block_list.h"
#include "cli/command.h"
#include "cli/objects.h"
#include "cli/rule.h"
#include "cli/text.h"
#include "cli/wfp_status.h"

// One filter or context has to fit a message of 1 MiB.
#define RANGES_PER_FILTER 8192
#define NAME_BYTES_PER_CONTEXT (512u << 10)

struct load {
    HANDLE engine;
    GUID key;
    const WCHAR *name;
    size_t done, total;  // ranges and bytes of names
};

// --- Progress ---

static void show(const char *what, size_t count)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%zu %s", count, what);
    fflush(stderr);
}

static void show_lines(size_t count)
{
    show("lines read", count);
}

static void show_sent(struct load *load, size_t count)
{
    load->done += count;
    show(load->done == load->total ? "% sent; putting all in force" : "% sent", load->done * 100 / load->total);
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

// --- Objects ---

static uint32_t remove_filters(const struct load *load)
{
    struct wall_objects objects;
    uint32_t status = wall_objects_fetch(load->engine, WALL_KIND_FILTERS, &objects);
    if (status != ERROR_SUCCESS)
        return status;
    for (size_t i = 0; i < objects.count && status == ERROR_SUCCESS; i++) {
        const FWPM_FILTER0 *filter = objects.objects[i];
        if (wall_block_list_owns(&load->key, filter->providerKey, &filter->providerData))
            status = FwpmFilterDeleteByKey0(load->engine, &filter->filterKey);
    }
    wall_objects_done(&objects);
    return status;
}

struct chunk {
    FWPM_FILTER_CONDITION0 conditions[RANGES_PER_FILTER];
    FWP_RANGE0 ranges[RANGES_PER_FILTER];
    FWP_BYTE_ARRAY16 ends[RANGES_PER_FILTER][2];
};

// How the addresses of a filter are written. Sockets of IPv6 that use IPv4 are judged at the layers of IPv6.
enum form { FORM_V4, FORM_V6, FORM_MAPPED };

static void set_end(FWP_VALUE0 *value, const uint32_t *words, enum form form, FWP_BYTE_ARRAY16 *room)
{
    const uint32_t mapped[4] = { 0, 0, 0xffff, words[3] };
    if (form == FORM_V4) {
        *value = (FWP_VALUE0){ .type = FWP_UINT32, .uint32 = words[3] };
        return;
    }
    if (form == FORM_MAPPED)
        words = mapped;
    for (int i = 0; i < 16; i++)
        room->byteArray16[i] = (UINT8)(words[i / 4] >> (24 - 8 * (i % 4)));
    *value = (FWP_VALUE0){ .type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = room };
}

// Most are of one address, which takes the shorter way.
static void set_condition(struct chunk *chunk, size_t i, const struct wall_address_range *range, enum form form)
{
    FWPM_FILTER_CONDITION0 *condition = &chunk->conditions[i];
    *condition = (FWPM_FILTER_CONDITION0){ .fieldKey = FWPM_CONDITION_IP_REMOTE_ADDRESS, .matchType = FWP_MATCH_EQUAL };
    if (memcmp(range->first, range->last, sizeof(range->first)) == 0) {
        // Both structures begin with the same type and the same union.
        set_end((FWP_VALUE0 *)&condition->conditionValue, range->first, form, &chunk->ends[i][0]);
        return;
    }
    set_end(&chunk->ranges[i].valueLow, range->first, form, &chunk->ends[i][0]);
    set_end(&chunk->ranges[i].valueHigh, range->last, form, &chunk->ends[i][1]);
    condition->matchType = FWP_MATCH_RANGE;
    condition->conditionValue.type = FWP_RANGE_TYPE;
    condition->conditionValue.rangeValue = &chunk->ranges[i];
}

static uint32_t add_filter(struct load *load, const struct wall_address_range *ranges, size_t count, enum form form,
                           struct chunk *chunk)
{
    GUID provider = wall_rule_provider;
    FWPM_FILTER0 filter = {
        .displayData.name = (WCHAR *)(uintptr_t)load->name,
        .flags = FWPM_FILTER_FLAG_PERSISTENT,
        .providerKey = &provider,
        .providerData = { sizeof(load->key), (UINT8 *)&load->key },
        .layerKey = form == FORM_V4 ? FWPM_LAYER_ALE_AUTH_CONNECT_V4 : FWPM_LAYER_ALE_AUTH_CONNECT_V6,
        .subLayerKey = wall_rule_sublayer,
        .numFilterConditions = (UINT32)count,
        .filterCondition = chunk->conditions,
        .action.type = FWP_ACTION_BLOCK,
    };
    for (size_t i = 0; i < count; i++)
        set_condition(chunk, i, &ranges[i], form);
    return FwpmFilterAdd0(load->engine, &filter, NULL, NULL);
}

static uint32_t add_ranges(struct load *load, const struct wall_vector *vector, enum form form, struct chunk *chunk)
{
    uint32_t status = ERROR_SUCCESS;
    for (size_t at = 0, count; at < vector->count && status == ERROR_SUCCESS; at += count) {
        count = vector->count - at < RANGES_PER_FILTER ? vector->count - at : RANGES_PER_FILTER;
        status = add_filter(load, wall_vector_at(vector, at), count, form, chunk);
        show_sent(load, count);
    }
    return status;
}

static uint32_t add_names(struct load *load, const struct wall_address_list *list)
{
    GUID provider = wall_rule_provider;
    uint32_t status = ERROR_SUCCESS;
    for (size_t at = 0, bytes; at < list->name_bytes && status == ERROR_SUCCESS; at += bytes) {
        bytes = list->name_bytes - at;
        if (bytes > NAME_BYTES_PER_CONTEXT)
            for (bytes = NAME_BYTES_PER_CONTEXT; list->names[at + bytes - 1] != '\0';)
                bytes--;
        FWP_BYTE_BLOB blob = { (UINT32)bytes, (UINT8 *)list->names + at };
        FWPM_PROVIDER_CONTEXT0 context = {
            .displayData.name = (WCHAR *)(uintptr_t)load->name,
            .flags = FWPM_PROVIDER_CONTEXT_FLAG_PERSISTENT,
            .providerKey = &provider,
            .providerData = { sizeof(load->key), (UINT8 *)&load->key },
            .type = FWPM_GENERAL_CONTEXT,
            .dataBuffer = &blob,
        };
        status = FwpmProviderContextAdd0(load->engine, &context, NULL, NULL);
        show_sent(load, bytes);
    }
    return status;
}

static uint32_t replace(struct load *load, const struct wall_address_list *list)
{
    size_t removed;
    struct chunk *chunk = malloc(sizeof(*chunk));
    uint32_t status = chunk ? FwpmTransactionBegin0(load->engine, 0) : ERROR_NOT_ENOUGH_MEMORY;
    if (status != ERROR_SUCCESS) {
        free(chunk);
        return status;
    }
    status = remove_filters(load);
    if (status == ERROR_SUCCESS)
        status = wall_block_list_remove_names(load->engine, &load->key, &removed);
    if (status == ERROR_SUCCESS)
        status = add_ranges(load, &list->v4, FORM_V4, chunk);
    if (status == ERROR_SUCCESS)
        status = add_ranges(load, &list->v4, FORM_MAPPED, chunk);
    if (status == ERROR_SUCCESS)
        status = add_ranges(load, &list->v6, FORM_V6, chunk);
    if (status == ERROR_SUCCESS)
        status = add_names(load, list);
    free(chunk);
    if (status == ERROR_SUCCESS)
        status = FwpmTransactionCommit0(load->engine);
    if (status != ERROR_SUCCESS)
        (void)FwpmTransactionAbort0(load->engine);
    end_progress();
    return status;
}

// --- The command ---

static int load_list(const struct wall_address_list *list, const char *name)
{
    uint16_t *wide = NULL;
    struct load load = { .total = 2 * list->v4.count + list->v6.count + list->name_bytes };
    int r = wall_utf16_new_from_utf8(name, &wide);
    if (r < 0)
        return wall_complain_error(r, NULL);
    load.name = wide;
    wall_block_list_key(name, &load.key);
    int code = wall_engine_open(false, &load.engine);
    if (code == 0) {
        uint32_t status = wall_rule_ensure_provider(load.engine);
        if (status == ERROR_SUCCESS)
            status = replace(&load, list);
        if (status != ERROR_SUCCESS)
            code = wall_complain_status(status, "load the block list '%s'; what was there before stays", name);
        (void)FwpmEngineClose0(load.engine);
    }
    free(wide);
    return code;
}

static double seconds_since(const struct timespec *begun)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begun->tv_sec) + (double)(now.tv_nsec - begun->tv_nsec) / 1e9;
}

static int report_bad(const struct wall_address_list *list, bool strict)
{
    if (list->bad_count == 0)
        return WALL_EXIT_OK;
    wall_complain("%s%s", list->first_bad.text, strict ? "; nothing was loaded" : "");
    if (list->bad_count > 1)
        wall_complain("%zu bad lines in all", list->bad_count);
    return strict ? WALL_EXIT_FAILED : WALL_EXIT_OK;
}

static int run_block_list(const struct wall_arguments *arguments)
{
    const char *path = arguments->positional[0], *name = wall_argument(arguments, "name", 0);
    bool is_stdin = strcmp(path, "-") == 0;
    struct wall_address_list list;
    struct wall_error err;
    struct timespec begun;
    (void)clock_gettime(CLOCK_MONOTONIC, &begun);
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (!file)
        return wall_complain_error(wall_error_set(&err, -errno, "%s: %s", path, strerror(errno)), &err);
    int r = wall_address_list_read(file, is_stdin ? "standard input" : path, show_lines, &list, &err);
    if (!is_stdin)
        (void)fclose(file);
    end_progress();
    name = name ? name : is_stdin ? "standard input" : path;
    int code = r < 0 ? wall_complain_error(r, &err) : report_bad(&list, wall_argument_given(arguments, "strict"));
    if (code == 0)
        code = load_list(&list, name);
    if (code == 0) {
        printf("Block list '%s': %zu ranges of addresses are blocked, after %.1f s.\n", name,
               list.v4.count + list.v6.count, seconds_since(&begun));
        if (list.name_count > 0)
            printf("%zu names are stored; they are not matched yet.\n", list.name_count);
    }
    wall_address_list_done(&list);
    return code;
}

static const struct wall_option options[] = {
    { "name", "TEXT", "What the list is called; a list of the same name is replaced.", false },
    { "strict", NULL, "Load nothing when a line is bad.", false },
    { 0 },
};

const struct wall_command wall_command_block_list = {
    .name = "block-list",
    .summary = "Block outgoing connections to all addresses of a list.",
    .usage = "FILE",
    .description = "FILE (- is the standard input) has an address, a network, a range, a name, or a\n"
                   "line of a hosts file on each line. The whole list comes into force at once and\n"
                   "is kept over restarts of the service; ringwall list shows it as one rule, and\n"
                   "ringwall remove takes it out. Names are stored, but not matched yet.\n",
    .examples = "  ringwall block-list blocked.txt\n"
                "  ringwall block-list --name ads --strict /tmp/hosts\n",
    .options = options,
    .positional_min = 1,
    .positional_max = 1,
    .run = run_block_list,
};
