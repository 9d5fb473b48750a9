#include "datapath/linux/policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/error.h"
#include "base/random.h"
#include "base/utf16.h"
#include "compile/reading.h"
#include "engine/catalog.h"
#include "engine/policy.h"
#include "fwpslayers.h"
#include "fwptypes.h"
#include "wire/path_hash.bpf.h"

#define PATH_BYTES_MAX (WALL_PATH_MAX - 1)

// Filters of one transaction that are read before they are committed.
#define EXPECTED_MAX 200000u

uint16_t wall_kernel_policy_layer_id(enum wall_layer layer)
{
    static const uint16_t ids[WALL_LAYER_COUNT_] = {
        [WALL_LAYER_CONNECT_V4] = FWPS_LAYER_ALE_AUTH_CONNECT_V4,
        [WALL_LAYER_CONNECT_V6] = FWPS_LAYER_ALE_AUTH_CONNECT_V6,
        [WALL_LAYER_ACCEPT_V4] = FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4,
        [WALL_LAYER_ACCEPT_V6] = FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6,
        [WALL_LAYER_LISTEN_V4] = FWPS_LAYER_ALE_AUTH_LISTEN_V4,
        [WALL_LAYER_LISTEN_V6] = FWPS_LAYER_ALE_AUTH_LISTEN_V6,
        [WALL_LAYER_ASSIGNMENT_V4] = FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4,
        [WALL_LAYER_ASSIGNMENT_V6] = FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V6,
        [WALL_LAYER_REDIRECT_V4] = FWPS_LAYER_ALE_CONNECT_REDIRECT_V4,
        [WALL_LAYER_REDIRECT_V6] = FWPS_LAYER_ALE_CONNECT_REDIRECT_V6,
        [WALL_LAYER_BIND_REDIRECT_V4] = FWPS_LAYER_ALE_BIND_REDIRECT_V4,
        [WALL_LAYER_BIND_REDIRECT_V6] = FWPS_LAYER_ALE_BIND_REDIRECT_V6,
        [WALL_LAYER_ESTABLISHED_V4] = FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4,
        [WALL_LAYER_ESTABLISHED_V6] = FWPS_LAYER_ALE_FLOW_ESTABLISHED_V6,
        [WALL_LAYER_CLOSURE_V4] = FWPS_LAYER_ALE_ENDPOINT_CLOSURE_V4,
        [WALL_LAYER_CLOSURE_V6] = FWPS_LAYER_ALE_ENDPOINT_CLOSURE_V6,
        [WALL_LAYER_RELEASE_V4] = FWPS_LAYER_ALE_RESOURCE_RELEASE_V4,
        [WALL_LAYER_RELEASE_V6] = FWPS_LAYER_ALE_RESOURCE_RELEASE_V6,
    };
    return ids[layer];
}

enum wall_layer wall_kernel_policy_layer(uint16_t layer_id)
{
    enum wall_layer layer = 0;
    while (layer < WALL_LAYER_COUNT_ && wall_kernel_policy_layer_id(layer) != layer_id)
        layer++;
    return layer;
}

// The hash under which the kernel looks for an app id. False: no executable can have it.
static bool hash_of(const uint64_t seed[2], const FWP_BYTE_BLOB *app_id, struct wall_path_hash *ret_hash)
{
    char path[WALL_PATH_MAX + 8] = { 0 };
    const uint16_t *units = (const uint16_t *)(const void *)app_id->data;
    size_t count = app_id->size / sizeof(*units), length;
    if (app_id->size % sizeof(*units) || count < 2 || units[count - 1] != 0 ||
        !wall_utf16_to_path(units, count - 1, path, PATH_BYTES_MAX, &length) || length > PATH_BYTES_MAX)
        return false;
    wall_path_hash_begin(ret_hash, seed, (uint32_t)length);
    for (size_t i = 0; i < length; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, path + i, sizeof(bytes));
        wall_path_hash_add(ret_hash, bytes);
    }
    return true;
}

// The number that an instance before this one gave to an app id.
static uint32_t earlier_number(void *context, const FWP_BYTE_BLOB *app_id)
{
    const struct wall_kernel_policy *kernel = context;
    struct wall_path_hash hash;
    uint32_t number = 0;
    if (hash_of(kernel->state->path_seed, app_id, &hash))
        (void)bpf_map_lookup_elem(kernel->apps_fd, &hash, &number);
    return number;
}

int wall_kernel_policy_init(struct wall_kernel_policy *kernel, struct wall_state *state, int policy_fd, int apps_fd)
{
    uint64_t seed[2];
    int r = wall_random_bytes(seed, sizeof(seed));
    if (r < 0)
        return r;
    *kernel = (struct wall_kernel_policy){ .state = state, .apps_fd = apps_fd };
    wall_tables_switch_init(&kernel->tables, policy_fd);
    wall_apps_init(&kernel->apps, seed);
    if (state->path_seed[0] == 0)
        return wall_random_bytes(state->path_seed, sizeof(state->path_seed));
    wall_apps_continue(&kernel->apps, state->apps_known, earlier_number, kernel);
    return 0;
}

void wall_kernel_policy_done(struct wall_kernel_policy *kernel)
{
    if (!kernel->state)
        return;
    wall_tables_switch_done(&kernel->tables);
    for (int i = 0; i < WALL_LAYER_COUNT_; i++)
        wall_compiled_free(kernel->compiled[i]);
    for (int i = 0; i < WALL_LAYER_COUNT_; i++)
        wall_readings_free(kernel->readings[i]);
    wall_apps_done(&kernel->apps);
    kernel->state = NULL;
}

static uint64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

// --- What the policy needs ---

static bool is_of_ports(uint64_t protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

// Whether the filter matches TCP and UDP only. Conditions on one field are OR-ed.
static bool names_ports_only(uint16_t layer_id, const struct wall_filter *filter)
{
    bool named = false;
    for (uint32_t i = 0; i < filter->condition_count; i++) {
        const struct wall_condition *condition = &filter->conditions[i];
        struct wall_catalog_field field;
        if (!wall_catalog_field(layer_id, condition->field_id, &field) || field.key != WALL_KEY_IP_PROTOCOL)
            continue;
        if (condition->match_type != FWP_MATCH_EQUAL || condition->value.type != FWP_UINT8 ||
            !is_of_ports(condition->value.uint8))
            return false;
        named = true;
    }
    return named;
}

static bool judges_packets(const struct wall_policy_layer *layer)
{
    for (uint32_t s = 0; s < layer->sublayer_count; s++)
        for (uint32_t i = 0; i < layer->sublayers[s].filter_count; i++) {
            const struct wall_filter *filter = layer->sublayers[s].filters[i];
            if (filter->action != FWP_ACTION_PERMIT && !names_ports_only(layer->layer_id, filter))
                return true;
        }
    return false;
}

// `late`: facts that are missing where the layer is judged.
static bool may_hold(const struct wall_compiled *compiled, uint32_t late)
{
    for (uint32_t i = 0; i < compiled->filter_count; i++) {
        const struct wall_compiled_filter *filter = &compiled->filters[i];
        if (filter->kind == WALL_COMPILED_HOLDS || filter->kind == WALL_COMPILED_CUT ||
            filter->reason != WALL_COMPILE_REASON_NONE || filter->needs & late)
            return true;
    }
    return false;
}

static struct wall_policy_needs needs_of(const struct wall_kernel_policy *kernel, const struct wall_policy *policy)
{
    struct wall_policy_needs needs = { 0 };
    for (enum wall_layer i = 0; i < WALL_LAYER_COUNT_; i++) {
        if (!kernel->next[i])
            continue;
        needs.layers |= WALL_LAYERS(i);
        bool is_connect = i <= WALL_LAYER_CONNECT_V6, only_tells = i >= WALL_LAYER_ESTABLISHED_V4;
        bool is_early = is_connect || (i >= WALL_LAYER_REDIRECT_V4 && !only_tells);
        if (!only_tells)
            needs.holds = needs.holds || may_hold(kernel->next[i], is_early ? WALL_LATE_FACTS : 0);
        if (is_connect)
            needs.packets =
                needs.packets || judges_packets(wall_policy_layer(policy, wall_kernel_policy_layer_id(i)));
    }
    return needs;
}

// --- Apps ---

// Tells the kernel the app ids that are new. It looks executables up again whose app id was none of them.
static int load_apps(struct wall_kernel_policy *kernel, struct wall_error *err)
{
    const struct wall_vector *items = &kernel->apps.items;
    for (; kernel->apps_loaded < items->count; kernel->apps_loaded++) {
        const struct wall_app *app = wall_vector_at(items, kernel->apps_loaded);
        struct wall_path_hash hash;
        if (!hash_of(kernel->state->path_seed, &app->id, &hash))
            continue;
        if (bpf_map_update_elem(kernel->apps_fd, &hash, &app->number, BPF_ANY))
            return wall_error_set(err, -errno, "the kernel has no place for program %zu of the policy (at most %u): %s",
                                  kernel->apps_loaded, WALL_KERNEL_APPS_MAX, strerror(errno));
    }
    __atomic_store_n(&kernel->state->apps_known, kernel->apps.last, __ATOMIC_RELEASE);
    return 0;
}

// --- Preparing ---

static bool is_unchanged(const struct wall_kernel_policy *kernel, enum wall_layer i,
                         const struct wall_policy_layer *layer)
{
    // What a callout's filter does depends on whether the callout is registered.
    return kernel->compiled[i] && kernel->generations[i] == layer->generation && layer->callout_filter_count == 0 &&
           kernel->compiled[i]->filter_count == layer->filter_count;
}

// Without memory there are none: then the compiler reads all filters.
static struct wall_readings *readings_of(struct wall_kernel_policy *kernel, enum wall_layer i)
{
    if (!kernel->readings[i])
        kernel->readings[i] = wall_readings_new(wall_kernel_policy_layer_id(i), &kernel->apps, true);
    return kernel->readings[i];
}

static void drop_readings(struct wall_kernel_policy *kernel, enum wall_layer i)
{
    wall_readings_free(kernel->readings[i]);
    kernel->readings[i] = NULL;
}

static uint32_t used_readings(const struct wall_kernel_policy *kernel, enum wall_layer i)
{
    return kernel->compiled[i] ? kernel->compiled[i]->filter_count : 0;
}

void wall_kernel_policy_expect(struct wall_kernel_policy *kernel, uint16_t layer_id, const struct wall_filter *filter)
{
    enum wall_layer i = wall_kernel_policy_layer(layer_id);
    struct wall_readings *readings = i < WALL_LAYER_COUNT_ ? readings_of(kernel, i) : NULL;
    if (!readings)
        return;
    (void)wall_readings_add(readings, filter);  // or it is read with the commit
    // Of transactions that were aborted, most likely: nobody tells when.
    if (wall_readings_are_stale(readings, used_readings(kernel, i) + EXPECTED_MAX))
        drop_readings(kernel, i);
}

static void drop_stale_readings(struct wall_kernel_policy *kernel)
{
    for (enum wall_layer i = 0; i < WALL_LAYER_COUNT_; i++) {
        uint32_t used = used_readings(kernel, i);
        if (kernel->readings[i] && (!used || wall_readings_are_stale(kernel->readings[i], used)))
            drop_readings(kernel, i);
    }
}

static int compile_layers(struct wall_kernel_policy *kernel, const struct wall_policy *policy,
                          const struct wall_kernel_policy_options *options, struct wall_error *err)
{
    struct wall_compile_options compile = {
        .apps = &kernel->apps,
        .callout_registered = options->callout_registered,
        .context = options->context,
    };
    for (enum wall_layer i = 0; i < WALL_LAYER_COUNT_; i++) {
        const struct wall_policy_layer *layer = wall_policy_layer(policy, wall_kernel_policy_layer_id(i));
        // At the socket calls alone: to see what peers begin, a hook would have to look at every packet.
        bool is_told = options->everything && i <= WALL_LAYER_CONNECT_V6;
        if (!layer || (layer->filter_count == 0 && !is_told))
            continue;
        kernel->next_generations[i] = layer->generation;
        if (is_unchanged(kernel, i, layer)) {
            kernel->next[i] = kernel->compiled[i];
            continue;
        }
        compile.readings = readings_of(kernel, i);
        int r = wall_compile_layer(layer, &compile, &kernel->next[i]);
        if (r < 0)
            return wall_error_set(err, r, "the filters of layer %u cannot be compiled: %s", layer->layer_id,
                                  strerror(-r));
    }
    return 0;
}

static void drop_next(struct wall_kernel_policy *kernel)
{
    for (int i = 0; i < WALL_LAYER_COUNT_; i++) {
        if (kernel->next[i] != kernel->compiled[i])
            wall_compiled_free(kernel->next[i]);
        kernel->next[i] = NULL;
    }
}

static int load_bundle(struct wall_kernel_policy *kernel, uint64_t generation, struct wall_error *err)
{
    struct wall_bundle bundle;
    uint32_t count = WALL_LAYER_COUNT_;
    while (count > 1 && !kernel->next[count - 1])
        count--;
    int r = wall_bundle_init(&bundle, (const struct wall_compiled *const *)kernel->next, count, generation);
    if (r < 0)
        return wall_error_set(err, r, "the tables of the policy are too large: %s", strerror(-r));
    int fd = wall_tables_fill(&bundle);
    kernel->page_count = bundle.page_count;
    r = fd < 0 ? fd : wall_tables_put(&kernel->tables, generation & 1, fd);
    return r < 0 ? wall_error_set(err, r, "the kernel does not take the tables of the policy: %s", strerror(-r)) : 0;
}

static uint64_t word_of(const struct wall_kernel_policy *kernel, uint64_t generation)
{
    uint64_t word = generation << WALL_POLICY_SHIFT;
    for (enum wall_layer i = 0; i < WALL_LAYER_COUNT_; i++)
        word |= WALL_POLICY_MODES(i, kernel->next[i] ? WALL_MODE_TABLES : WALL_MODE_PERMIT);
    return word;
}

int wall_kernel_policy_prepare(struct wall_kernel_policy *kernel, const struct wall_policy *policy,
                               const struct wall_kernel_policy_options *options, struct wall_policy_needs *ret_needs,
                               struct wall_error *err)
{
    uint64_t begun = now_us();
    uint64_t generation = (WALL_POLICY_GENERATION(kernel->state->policy) + 1) & UINT32_MAX;
    int r = compile_layers(kernel, policy, options, err);
    uint64_t compiled = now_us();
    r = r < 0 ? r : load_apps(kernel, err);
    r = r < 0 ? r : load_bundle(kernel, generation, err);
    if (r < 0) {
        drop_next(kernel);
        return r;
    }
    kernel->compile_us = compiled - begun;
    kernel->load_us = now_us() - compiled;
    kernel->next_word = word_of(kernel, generation);
    *ret_needs = needs_of(kernel, policy);
    return 0;
}

void wall_kernel_policy_switch(struct wall_kernel_policy *kernel, bool commit)
{
    if (commit)
        __atomic_store_n(&kernel->state->policy, kernel->next_word, __ATOMIC_RELEASE);
    wall_tables_finish(&kernel->tables, commit);
    if (!commit) {
        drop_next(kernel);
        return;
    }
    for (int i = 0; i < WALL_LAYER_COUNT_; i++) {
        if (kernel->compiled[i] != kernel->next[i])
            wall_compiled_free(kernel->compiled[i]);
        kernel->compiled[i] = kernel->next[i];
        kernel->generations[i] = kernel->next_generations[i];
        kernel->next[i] = NULL;
    }
    drop_stale_readings(kernel);
}
