// Loads policies through libwfp and says how long that took: `policy [OPTION]... ACTION`, to the service of
// $RINGWALL_RUNTIME_DIR. Prints one line of JSON.
//
//   load         --filters N in one transaction; --inbound adds one on arrivals
//   swap         the same, and then for --seconds exchanges two policies that agree, --rate times a second
//   block-list   --filters addresses, in as many filters as they need
//   clear        removes them all
//
//   --load FILE (the load generator)   --folder FOLDER (where program files are made)   --apps N
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules.h"

// What fits into one message with room to spare.
#define ADDRESSES_PER_FILTER 16000u
#define SWAP_FILTERS 5
#define SWAPS_MAX 100000u
// Of the other filters, with every swap.
#define CHURN 100u

struct options {
    uint32_t filters, apps, rate;
    double seconds;
    const char *load, *folder;
    bool inbound;
};

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void check(const char *what, DWORD status)
{
    if (status == ERROR_SUCCESS)
        return;
    fprintf(stderr, "%s failed: 0x%08x\n", what, (unsigned)status);
    exit(1);
}

static double commit(const struct rules *rules)
{
    double begin = now_ms();
    check("FwpmTransactionCommit0", FwpmTransactionCommit0(rules->engine));
    return now_ms() - begin;
}

static void begin(const struct rules *rules)
{
    check("FwpmTransactionBegin0", FwpmTransactionBegin0(rules->engine, 0));
}

// The last two decide about the load generator.
static void add_filters(struct rules *rules, const struct options *options, UINT64 *ids)
{
    const GUID *connect = &FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    for (uint32_t i = 0; i + 2 < options->filters; i++)
        check("FwpmFilterAdd0", rules_add_random(rules, 1000 + options->filters - i, ids ? &ids[i] : NULL));
    if (options->filters >= 2) {
        check("FwpmFilterAdd0", rules_add_port(rules, connect, true, RULES_PORT_DENIED, true, 101, NULL));
        check("FwpmFilterAdd0", rules_add_port(rules, connect, true, 0, false, 100, NULL));
    }
    if (options->inbound)
        check("inbound filter", rules_add_port(rules, &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, false, RULES_PORT_INBOUND,
                                               true, 100, NULL));
}

static void load(struct rules *rules, const struct options *options, UINT64 *ids)
{
    double start = now_ms();
    begin(rules);
    check("FwpmSubLayerAdd0", rules_add_sublayer(rules));
    add_filters(rules, options, ids);
    double add_ms = now_ms() - start, commit_ms = commit(rules);
    printf("{\"filters\": %u, \"add_ms\": %.2f, \"commit_ms\": %.3f", options->filters, add_ms, commit_ms);
}

// --- Two policies that give all ports the same verdicts, by different filters ---

struct swap_filter {
    int port;  // behind RULES_PORT_MIXED
    bool high, block;
};

// A filter of one policy beside those of the other would block a port that both permit, or permit the third. The fourth
// port only makes their numbers equal.
static const struct swap_filter policies[2][SWAP_FILTERS] = {
    { { 0, true, false }, { 2, true, true }, { 0, false, true }, { 1, false, false }, { 2, false, false } },
    { { 1, true, false }, { 3, true, false }, { 0, false, false }, { 1, false, true }, { 2, false, true } },
};

static void exchange(struct rules *rules, int which, UINT64 ids[SWAP_FILTERS])
{
    for (int i = 0; i < SWAP_FILTERS; i++) {
        const struct swap_filter *filter = &policies[which][i];
        if (ids[i])
            check("FwpmFilterDeleteById0", FwpmFilterDeleteById0(rules->engine, ids[i]));
        check("FwpmFilterAdd0",
              rules_add_port(rules, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, false, (uint16_t)(RULES_PORT_MIXED + filter->port),
                             filter->block, filter->high ? 1u << 30 : 200, &ids[i]));
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void swap(struct rules *rules, const struct options *options)
{
    UINT64 swapped[SWAP_FILTERS] = { 0 };
    UINT64 *others = calloc(options->filters + 1, sizeof(*others));
    double *times = calloc(SWAPS_MAX, sizeof(*times));
    if (!others || !times)
        check("memory", ERROR_OUTOFMEMORY);
    load(rules, options, others);
    begin(rules);
    exchange(rules, 0, swapped);
    commit(rules);
    fputs("ready\n", stderr);
    double start = now_ms(), due = start;
    uint32_t count = 0;
    uint32_t random_count = options->filters > 2 ? options->filters - 2 : 0;
    for (; due < start + options->seconds * 1e3 && count < SWAPS_MAX; due = start + count * 1e3 / options->rate) {
        double wait = due - now_ms();
        struct timespec pause = { (time_t)(wait / 1e3), (long)(wait * 1e6) % 1000000000 };
        if (wait > 0)
            nanosleep(&pause, NULL);
        begin(rules);
        exchange(rules, (int)(count + 1) % 2, swapped);
        for (uint32_t i = 0; i < CHURN && i < random_count; i++) {
            uint32_t at = (count * CHURN + i) % random_count;
            check("FwpmFilterDeleteById0", FwpmFilterDeleteById0(rules->engine, others[at]));
            check("FwpmFilterAdd0", rules_add_random(rules, 1000 + options->filters - at, &others[at]));
        }
        times[count++] = commit(rules);
    }
    double seconds = (now_ms() - start) / 1e3;
    qsort(times, count, sizeof(*times), by_value);
    printf(", \"swaps\": %u, \"seconds\": %.3f, \"swap_p50_ms\": %.3f, \"swap_p99_ms\": %.3f, \"swap_max_ms\": %.3f",
           count, seconds, times[count / 2], times[count - 1 - count / 100], times[count - 1]);
    free(times);
    free(others);
}

static void block_list(struct rules *rules, const struct options *options)
{
    double start = now_ms();
    begin(rules);
    check("FwpmSubLayerAdd0", rules_add_sublayer(rules));
    uint32_t filters = 0, count;
    for (uint32_t first = 0; first < options->filters; first += count, filters++) {
        count = options->filters - first < ADDRESSES_PER_FILTER ? options->filters - first : ADDRESSES_PER_FILTER;
        check("FwpmFilterAdd0", rules_add_addresses(rules, first, count, 500));
        fprintf(stderr, "\r%u of %u addresses", first + count, options->filters);
    }
    fputc('\n', stderr);
    double add_ms = now_ms() - start, commit_ms = commit(rules);
    printf("{\"addresses\": %u, \"filters\": %u, \"add_ms\": %.2f, \"commit_ms\": %.3f", options->filters, filters,
           add_ms, commit_ms);
}

static void clear(struct rules *rules)
{
    HANDLE enumeration;
    FWPM_FILTER0 **filters;
    UINT32 count;
    begin(rules);
    check("FwpmFilterCreateEnumHandle0", FwpmFilterCreateEnumHandle0(rules->engine, NULL, &enumeration));
    do {
        check("FwpmFilterEnum0", FwpmFilterEnum0(rules->engine, enumeration, 1000, &filters, &count));
        for (UINT32 i = 0; i < count; i++) {
            if (IsEqualGUID(&filters[i]->subLayerKey, &rules->sublayer))
                check("FwpmFilterDeleteById0", FwpmFilterDeleteById0(rules->engine, filters[i]->filterId));
        }
        FwpmFreeMemory0((void **)&filters);
    } while (count == 1000);
    FwpmFilterDestroyEnumHandle0(rules->engine, enumeration);
    printf("{\"commit_ms\": %.3f", commit(rules));
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        { "filters", 1, NULL, 'f' }, { "apps", 1, NULL, 'a' }, { "rate", 1, NULL, 'r' },
        { "seconds", 1, NULL, 's' }, { "load", 1, NULL, 'l' }, { "folder", 1, NULL, 'd' },
        { "inbound", 0, NULL, 'i' }, { 0 },
    };
    struct options options = { .apps = 1000, .rate = 10, .seconds = 1, .load = argv[0], .folder = "." };
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 'f':
            options.filters = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'a':
            options.apps = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'r':
            options.rate = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 's':
            options.seconds = strtod(optarg, NULL);
            break;
        case 'l':
            options.load = optarg;
            break;
        case 'd':
            options.folder = optarg;
            break;
        case 'i':
            options.inbound = true;
            break;
        default:
            return 2;
        }
    }
    const char *action = optind + 1 == argc ? argv[optind] : "";
    struct rules rules;
    check("the filter engine", rules_open(&rules, options.load, options.folder, options.apps));
    if (strcmp(action, "load") == 0)
        load(&rules, &options, NULL);
    else if (strcmp(action, "swap") == 0)
        swap(&rules, &options);
    else if (strcmp(action, "block-list") == 0)
        block_list(&rules, &options);
    else if (strcmp(action, "clear") == 0)
        clear(&rules);
    else
        return 2;
    puts("}");
    rules_close(&rules);
    return 0;
}
