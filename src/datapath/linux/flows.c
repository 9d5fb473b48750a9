#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/error.h"
#include "datapath/linux/address.h"
#include "datapath/linux/captured.h"
#include "datapath/linux/facts.h"
#include "datapath/linux/instance.h"
#include "datapath/linux/notice.h"
#include "engine/policy.h"
#include "wire/redirect.bpf.h"

// Facts without an entry: the hook is between the two, or was refused there. Older ones are left-overs.
#define ORPHAN_NS (10ull * 1000000000)

// The peer has given up its SYN after this time without another one: Linux waits 64 s at most between two.
#define PATIENCE_NS (130ull * 1000000000)

uint64_t wall_boot_time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t policy_generation(const struct wall_datapath *datapath)
{
    return WALL_POLICY_GENERATION(__atomic_load_n(&datapath->hooks.state->policy, __ATOMIC_RELAXED));
}

// Gives back what captured packets took of the common limit.
static void give_back(struct wall_datapath *datapath, uint64_t bytes)
{
    __atomic_fetch_sub(&datapath->hooks.state->captured_bytes, bytes, __ATOMIC_RELAXED);
}

static bool read_facts(const struct wall_datapath *datapath, uint64_t flow_id)
{
    return wall_facts_read(datapath, datapath->hooks.facts_fd, flow_id);
}

// Flows that may be held without their sockets, so that a program that sends from ever new ones does not fill the
// table.
#define SOCKETLESS_MAX 256

static void forget_kernel_side(const struct wall_datapath *datapath, const struct wall_flow_key *key, uint64_t flow_id)
{
    bpf_map_delete_elem(datapath->hooks.flows_fd, key);
    bpf_map_delete_elem(datapath->hooks.facts_fd, &flow_id);
}

static void remove_held(struct wall_datapath *datapath, struct wall_held *held)
{
    datapath->socketless_count -= held->is_socketless;
    give_back(datapath, wall_held_drop_packets(&datapath->table, held));
    wall_namespace_unref(&datapath->namespaces, held->ns);
    wall_held_remove(&datapath->table, held);
}

// The socket of the flow is closed.
static void end_flow(struct wall_datapath *datapath, struct wall_held *held)
{
    uint64_t flow_id = held->flow_id;
    bool tell = held->state == WALL_FLOW_HELD && held->reported;
    forget_kernel_side(datapath, &held->key, flow_id);
    datapath->stats.flows_gone += held->state == WALL_FLOW_HELD;
    remove_held(datapath, held);
    if (tell && datapath->events.flow_gone)
        datapath->events.flow_gone(datapath->events.context, flow_id);
}

// What the kernel keeps of a socket itself, and the ring had no place to tell of.
static void forget_socket(const struct wall_datapath *datapath, uint64_t cookie, enum wall_flow_kind kind)
{
    struct wall_flow_key key = { .number = cookie, .kind = (uint8_t)kind };
    struct wall_flow_entry entry;
    if (!bpf_map_lookup_elem(datapath->hooks.flows_fd, &key, &entry))
        forget_kernel_side(datapath, &key, entry.flow_id);
}

// Whether a flow stays held without its socket: the program has done what it had to, and its datagrams go out when they
// are permitted. A connection is over with its socket.
static bool outlives_socket(struct wall_datapath *datapath, struct wall_held *held)
{
    bool has_datagrams = held->key.kind == WALL_FLOW_DATAGRAM || held->key.kind == WALL_FLOW_PACKET;
    if (held->is_socketless)
        return true;
    if (!has_datagrams || held->state != WALL_FLOW_HELD || !held->packets ||
        datapath->socketless_count >= SOCKETLESS_MAX)
        return false;
    held->is_socketless = true;
    datapath->socketless_count++;
    return true;
}

static void handle_release(struct wall_datapath *datapath, uint64_t cookie, uint64_t flow_id)
{
    if (flow_id) {
        struct wall_flow_key key = { .number = flow_id, .kind = WALL_FLOW_STREAM };
        struct wall_held *held = wall_held_find(&datapath->table, flow_id);
        bool was_told = wall_notices_end(datapath, flow_id);
        if (held)
            end_flow(datapath, held);
        else if (!was_told)
            forget_kernel_side(datapath, &key, flow_id);
        return;
    }
    wall_notices_end_socket(datapath, cookie);
    bool sends = false;
    struct wall_held *next = wall_held_of_socket(&datapath->table, cookie);
    for (struct wall_held *held; (held = next);) {
        next = held->next;
        if (outlives_socket(datapath, held))
            sends = true;
        else
            end_flow(datapath, held);
    }
    wall_rebindings_close(datapath, cookie, sends);
    forget_socket(datapath, cookie, WALL_FLOW_LISTENER);
    forget_socket(datapath, cookie, WALL_FLOW_BINDING);
}

static bool is_of_socket(const struct wall_flow_key *key)
{
    return key->kind == WALL_FLOW_LISTENER || key->kind == WALL_FLOW_BINDING;
}

// A redirected connection that is judged again is judged by where it goes, and what is of a socket that is bound
// elsewhere by where it comes from.
static void describe_redirected(const struct wall_datapath *datapath, const struct wall_held *held,
                                struct wall_flow *flow)
{
    bool is_v6 = flow->family == AF_INET6;
    struct wall_endpoints ends;
    struct wall_rebinding binding;
    if (wall_rebindings_find(datapath, held->name.cookie, &binding)) {
        if (!wall_address_is_any(binding.to))
            wall_address_unmap(flow->local_address, binding.to, is_v6);
        flow->local_port = binding.to_port;
    }
    if (!flow->reauthorize_reason || !wall_redirects_find(datapath, held, &ends))
        return;
    flow->redirected = true;
    wall_address_unmap(flow->local_address, ends.source, is_v6);
    wall_address_unmap(flow->remote_address, ends.destination, is_v6);
    flow->local_port = ends.source_port;
    flow->remote_port = ends.destination_port;
}

static void handle_held(struct wall_datapath *datapath, uint64_t flow_id, bool decided);

// Whether the flow waits for the binding of its socket: until that is decided, nobody is told of it. The facts at hand
// are others afterwards when it does.
static bool waits_for_binding(struct wall_datapath *datapath, const struct wall_held *held)
{
    const struct wall_flow_key key = { .number = held->name.cookie, .kind = WALL_FLOW_BINDING };
    struct wall_flow_entry entry;
    if (is_of_socket(&held->key) || held->key.kind == WALL_FLOW_ACCEPT ||
        bpf_map_lookup_elem(datapath->hooks.flows_fd, &key, &entry) || entry.state != WALL_FLOW_HELD)
        return false;
    if (!wall_held_find(&datapath->table, entry.flow_id))  // the ring had no place to tell of it
        handle_held(datapath, entry.flow_id, false);
    return true;
}

static void report(struct wall_datapath *datapath, struct wall_held *held)
{
    if (waits_for_binding(datapath, held))
        return;
    struct wall_flow flow;
    wall_facts_describe(datapath->facts, &flow);
    flow.handle = is_of_socket(&held->key) ? 0 : held->flow_id;
    flow.adopted = held->adopted;
    describe_redirected(datapath, held, &flow);
    flow.packet = held->packets ? held->packets->data : NULL;
    flow.packet_bytes = held->packets ? held->packets->length : 0;
    held->reported = true;
    datapath->stats.flows_seen++;
    if (datapath->events.flow_held)
        datapath->events.flow_held(datapath->events.context, &flow);
}

void wall_flows_report(struct wall_datapath *datapath)
{
    size_t cursor = 0;
    datapath->unreported = false;
    for (struct wall_held *held; (held = wall_map_next(&datapath->table.by_id, &cursor));)
        if (!held->reported && held->state == WALL_FLOW_HELD && read_facts(datapath, held->flow_id))
            report(datapath, held);
}

// Puts a flow whose facts have just been read into the table.
static struct wall_held *add_flow(struct wall_datapath *datapath)
{
    const struct wall_flow_facts *facts = datapath->facts;
    struct wall_held *held = wall_held_add(&datapath->table, facts);
    if (!held)
        return NULL;
    held->adopted = datapath->adopting;
    if (held->key.kind == WALL_FLOW_ACCEPT)  // the programs know their own packets by it
        held->route = (struct wall_route){
            .mark = datapath->hooks.state->pass_mark, .interface_index = facts->interface_index,
        };
    // Now, while the process most likely lives.
    held->ns = wall_namespace_get(&datapath->namespaces, facts->netns_cookie, facts->process_id, facts->thread_id);
    return held;
}

// Sends the queue, and empties it.
static void send_queue(struct wall_datapath *datapath, struct wall_held *held)
{
    wall_captured_send(datapath, held);
    give_back(datapath, wall_held_drop_packets(&datapath->table, held));
}

// Makes the kernel announce the flow again with its next packet.
static void ask_again(const struct wall_datapath *datapath, const struct wall_flow_key *key, uint64_t flow_id)
{
    struct wall_flow_entry entry;
    if (bpf_map_lookup_elem(datapath->hooks.flows_fd, key, &entry) || entry.flow_id != flow_id)
        return;
    entry.captured_packets = 0;
    entry.captured_bytes = 0;
    bpf_map_update_elem(datapath->hooks.flows_fd, key, &entry, BPF_EXIST);
}

static void handle_packet(struct wall_datapath *datapath, const struct wall_record *record)
{
    struct wall_held *held = wall_held_find(&datapath->table, record->flow_id);
    bool is_new = !held;
    if (is_new && read_facts(datapath, record->flow_id)) {
        held = add_flow(datapath);
        if (!held)
            ask_again(datapath, &datapath->facts->key, record->flow_id);
    }
    if (!held || held->state == WALL_FLOW_BLOCKED || wall_held_queue(&datapath->table, held, record) < 0)
        give_back(datapath, record->length);
    else if (held->state == WALL_FLOW_PERMITTED)  // it was on its way while the decision was
        send_queue(datapath, held);
    if (!is_new || !held)
        return;
    if (datapath->adopting)
        datapath->unreported = true;
    else
        report(datapath, held);
}

// Ends the socket of a blocked flow, where it is the flow's alone, and keeps what the kernel must go on refusing.
static void apply_block(struct wall_datapath *datapath, struct wall_held *held)
{
    bool is_alone = held->key.kind == WALL_FLOW_STREAM || is_of_socket(&held->key);
    if (is_alone && held->ns)
        wall_socket_destroy(held->ns, &held->name);
    bpf_map_delete_elem(datapath->hooks.facts_fd, &held->flow_id);
    if (held->is_socketless)
        bpf_map_delete_elem(datapath->hooks.flows_fd, &held->key);
    if (held->is_socketless || held->key.kind == WALL_FLOW_STREAM) {  // the kernel's side ends with the socket
        remove_held(datapath, held);
        return;
    }
    // Its namespace stays open until the next wall_flows_expire(): a packet may still be on its way through the ring.
    give_back(datapath, wall_held_drop_packets(&datapath->table, held));
    wall_held_set_state(&datapath->table, held, WALL_FLOW_BLOCKED);
}

static void apply_permit(struct wall_datapath *datapath, struct wall_held *held)
{
    send_queue(datapath, held);
    bpf_map_delete_elem(datapath->hooks.facts_fd, &held->flow_id);
    bool is_over = is_of_socket(&held->key) || held->is_socketless;
    if (is_over)
        bpf_map_delete_elem(datapath->hooks.flows_fd, &held->key);
    if (is_over || held->key.kind == WALL_FLOW_STREAM)  // the kernel's side ends with its first packet
        remove_held(datapath, held);
    else
        wall_held_set_state(&datapath->table, held, WALL_FLOW_PERMITTED);
}

// A flow without a packet. `decided`: by the kernel, which blocks it; only its socket is still there.
static void handle_held(struct wall_datapath *datapath, uint64_t flow_id, bool decided)
{
    if (wall_held_find(&datapath->table, flow_id) || !read_facts(datapath, flow_id))
        return;
    struct wall_held *held = add_flow(datapath);
    if (!held)
        return;  // as long as nobody decides, nothing passes
    if (decided)
        apply_block(datapath, held);
    else if (datapath->adopting)
        datapath->unreported = true;
    else
        report(datapath, held);
}

int wall_flows_record(void *context, void *data, size_t size)
{
    struct wall_datapath *datapath = context;
    const struct wall_record *record = data;
    if (size < sizeof(*record))
        return 0;
    if (record->kind == WALL_RECORD_RELEASED)
        handle_release(datapath, record->socket_cookie, record->flow_id);
    else if (record->kind == WALL_RECORD_HELD || record->kind == WALL_RECORD_CUT)
        handle_held(datapath, record->flow_id, record->kind == WALL_RECORD_CUT);
    else if (record->kind == WALL_RECORD_TOLD)
        wall_notices_fetch(datapath, record->flow_id);
    else if (record->kind == WALL_RECORD_PACKET && record->length <= size - sizeof(*record))
        handle_packet(datapath, record);
    return --datapath->budget ? 0 : -EAGAIN;
}

static void adopt_held(struct wall_datapath *datapath, uint64_t flow_id)
{
    struct wall_flow_entry entry;
    if (!read_facts(datapath, flow_id))
        return;
    const struct wall_flow_facts *facts = datapath->facts;
    if (bpf_map_lookup_elem(datapath->hooks.flows_fd, &facts->key, &entry) || entry.flow_id != flow_id) {
        if (wall_boot_time_ns() - facts->time_ns > ORPHAN_NS)
            bpf_map_delete_elem(datapath->hooks.facts_fd, &flow_id);
        return;
    }
    // A connect() whose SYN was not seen yet announces itself.
    if (entry.state == WALL_FLOW_HELD && facts->flags & WALL_FACTS_LOCAL_KNOWN && add_flow(datapath))
        datapath->unreported = true;
}

static void adopt_decided(struct wall_datapath *datapath, const struct wall_flow_key *key)
{
    struct wall_flow_entry entry;
    if (key->kind == WALL_FLOW_STREAM || bpf_map_lookup_elem(datapath->hooks.flows_fd, key, &entry) ||
        entry.state == WALL_FLOW_HELD)
        return;
    *datapath->facts = (struct wall_flow_facts){ .key = *key, .flow_id = entry.flow_id, .socket_cookie = key->number };
    struct wall_held *held = wall_held_add(&datapath->table, datapath->facts);
    if (held)
        wall_held_set_state(&datapath->table, held, entry.state);
}

int wall_flows_adopt(struct wall_datapath *datapath)
{
    uint64_t flow_id, next_id;
    int r = bpf_map_get_next_key(datapath->hooks.facts_fd, NULL, &next_id);
    while (r == 0) {
        flow_id = next_id;
        r = bpf_map_get_next_key(datapath->hooks.facts_fd, &flow_id, &next_id);
        adopt_held(datapath, flow_id);
    }
    struct wall_flow_key key, next_key;
    r = bpf_map_get_next_key(datapath->hooks.flows_fd, NULL, &next_key);
    while (r == 0) {
        key = next_key;
        r = bpf_map_get_next_key(datapath->hooks.flows_fd, &key, &next_key);
        adopt_decided(datapath, &key);
    }
    return 0;
}

void wall_flows_ask_again(struct wall_datapath *datapath)
{
    size_t cursor = 0;
    for (struct wall_held *held; (held = wall_map_next(&datapath->table.by_id, &cursor));)
        if (held->state == WALL_FLOW_HELD && !held->packets)
            ask_again(datapath, &held->key, held->flow_id);
}

void wall_flows_sweep_releases(struct wall_datapath *datapath)
{
    uint64_t releases = wall_hooks_counter(&datapath->hooks, WALL_COUNTER_RELEASES);
    if (releases == datapath->releases_seen)
        return;
    datapath->releases_seen = releases;
    uint64_t cookie, flow_id;
    while (bpf_map_get_next_key(datapath->hooks.releases_fd, NULL, &cookie) == 0) {
        if (bpf_map_lookup_and_delete_elem(datapath->hooks.releases_fd, &cookie, &flow_id))
            break;
        handle_release(datapath, cookie, flow_id);
    }
}

// Whether a flow is over that nobody uses any more. `is_known`: `entry` is the kernel's.
static bool is_expired(const struct wall_datapath *datapath, const struct wall_held *held, bool is_known,
                       const struct wall_flow_entry *entry, uint64_t now)
{
    if (!is_known)
        return held->state != WALL_FLOW_HELD;
    int64_t idle_ns = (int64_t)(now - entry->last_used_ns);
    if (held->state == WALL_FLOW_HELD)
        return held->key.kind == WALL_FLOW_ACCEPT && idle_ns >= (int64_t)PATIENCE_NS;
    return !is_of_socket(&held->key) && idle_ns >= (int64_t)datapath->hooks.state->idle_ns;
}

void wall_flows_expire(struct wall_datapath *datapath)
{
    uint64_t now = wall_boot_time_ns();
    uint32_t inbound = 0;
    size_t cursor = 0;
    for (struct wall_held *held; (held = wall_map_next(&datapath->table.by_id, &cursor));) {
        struct wall_flow_entry entry;
        if (held->state != WALL_FLOW_HELD) {
            wall_namespace_unref(&datapath->namespaces, held->ns);
            held->ns = NULL;
        } else if (held->key.kind != WALL_FLOW_ACCEPT) {
            continue;
        }
        bool is_known = !bpf_map_lookup_elem(datapath->hooks.flows_fd, &held->key, &entry) &&
                        entry.flow_id == held->flow_id;
        bool is_over = is_expired(datapath, held, is_known, &entry, now);
        inbound += held->key.kind == WALL_FLOW_ACCEPT && !is_over;
        if (!is_over)
            continue;
        if (is_known)
            bpf_map_delete_elem(datapath->hooks.flows_fd, &held->key);
        if (held->state == WALL_FLOW_HELD)
            end_flow(datapath, held);
        else
            remove_held(datapath, held);
    }
    __atomic_store_n(&datapath->hooks.state->inbound_flows, inbound, __ATOMIC_RELAXED);
    wall_notices_expire(datapath);
}

// Writes the decision where the programs read it.
static int write_state(struct wall_datapath *datapath, const struct wall_held *held, enum wall_flow_state state)
{
    struct wall_flow_entry entry;
    if (bpf_map_lookup_elem(datapath->hooks.flows_fd, &held->key, &entry) || entry.flow_id != held->flow_id)
        return -ENOENT;
    entry.state = state;
    entry.generation = policy_generation(datapath);
    entry.last_used_ns = wall_boot_time_ns();
    entry.is_redirected = held->is_redirected;
    return bpf_map_update_elem(datapath->hooks.flows_fd, &held->key, &entry, BPF_EXIST) ? -errno : 0;
}

static struct wall_held *find_undecided(const struct wall_datapath *datapath, uint64_t flow_id)
{
    struct wall_held *held = wall_held_find(&datapath->table, flow_id);
    return held && held->state == WALL_FLOW_HELD ? held : NULL;
}

// Whether the connection was there before it was held: it is judged again.
static bool is_live(const struct wall_datapath *datapath, const struct wall_held *held)
{
    return read_facts(datapath, held->flow_id) && datapath->facts->reauthorize_reason;
}

// Whether it is held since its socket sends without bind(), and a callout may say where from.
static bool is_first_of_socket(const struct wall_held *held)
{
    return held->key.kind == WALL_FLOW_DATAGRAM && wall_layer_pair(held->layer) == WALL_LAYER_BIND_REDIRECT_V4;
}

static int decide(struct wall_datapath *datapath, struct wall_held *held, enum wall_flow_state state);

// The binding of a socket is decided: its flows that have waited for that are judged now, or fall with it.
static void end_waiting(struct wall_datapath *datapath, uint64_t cookie, enum wall_flow_state state)
{
    struct wall_held *next = wall_held_of_socket(&datapath->table, cookie);
    for (struct wall_held *held; (held = next);) {
        next = held->next;
        if (held->reported || held->state != WALL_FLOW_HELD || is_of_socket(&held->key))
            continue;
        if (state == WALL_FLOW_BLOCKED)
            (void)decide(datapath, held, state);
        else if (read_facts(datapath, held->flow_id))
            report(datapath, held);
    }
}

static int decide(struct wall_datapath *datapath, struct wall_held *held, enum wall_flow_state state)
{
    int r = write_state(datapath, held, state);
    if (r < 0) {
        bpf_map_delete_elem(datapath->hooks.facts_fd, &held->flow_id);
        datapath->stats.flows_gone++;
        remove_held(datapath, held);
        return -ENOENT;
    }
    datapath->stats.flows_permitted += state == WALL_FLOW_PERMITTED;
    datapath->stats.flows_blocked += state == WALL_FLOW_BLOCKED;
    uint64_t cookie = held->key.kind == WALL_FLOW_BINDING ? held->name.cookie : 0;
    if (state == WALL_FLOW_PERMITTED)
        apply_permit(datapath, held);
    else
        apply_block(datapath, held);
    if (cookie)
        end_waiting(datapath, cookie, state);
    return 0;
}

int wall_datapath_decide(struct wall_datapath *datapath, uint64_t flow_id, enum wall_flow_decision decision)
{
    struct wall_held *held = find_undecided(datapath, flow_id);
    if (!held)
        return -ENOENT;
    if (decision == WALL_FLOW_PERMIT && datapath->redirects.count && !is_live(datapath, held))
        wall_redirects_forget(datapath, held);
    if (decision == WALL_FLOW_PERMIT && is_first_of_socket(held))
        (void)wall_rebindings_settle(datapath, held);  // else the next flow is asked about, too
    return decide(datapath, held, decision == WALL_FLOW_PERMIT ? WALL_FLOW_PERMITTED : WALL_FLOW_BLOCKED);
}

int wall_datapath_redirect(struct wall_datapath *datapath, const struct wall_flow *flow, struct wall_error *err)
{
    struct wall_held *held = find_undecided(datapath, flow->id);
    if (!held)
        return wall_error_set(err, -ENOENT, "the connection is over");
    bool is_v6 = held->name.family == AF_INET6;
    struct wall_endpoints to = { .source_port = flow->local_port, .destination_port = flow->remote_port };
    wall_address_map(to.source, flow->local_address, is_v6);
    wall_address_map(to.destination, flow->remote_address, is_v6);
    bool is_socket = is_of_socket(&held->key);
    bool is_bound = is_socket || (held->key.kind == WALL_FLOW_DATAGRAM && flow->rebound);
    uint64_t cookie = held->name.cookie;
    int r = is_bound ? wall_rebindings_add(datapath, held, to.source, to.source_port, err) : 0;
    if (r >= 0 && !is_socket && (flow->redirected || !is_bound))
        r = wall_redirects_add(datapath, held, &to, flow, err);
    if (r >= 0 && !is_bound && is_first_of_socket(held))
        (void)wall_rebindings_settle(datapath, held);
    r = r < 0 ? r : decide(datapath, held, WALL_FLOW_PERMITTED);
    if (r < 0 && is_bound)
        wall_rebindings_close(datapath, cookie, false);  // the socket was closed meanwhile
    return r;
}

void wall_flows_refuse_all(struct wall_datapath *datapath)
{
    size_t cursor = 0;
    for (struct wall_held *held; (held = wall_map_next(&datapath->table.by_id, &cursor));) {
        if (held->state != WALL_FLOW_HELD)
            continue;
        write_state(datapath, held, WALL_FLOW_BLOCKED);
        apply_block(datapath, held);
    }
}

bool wall_flows_none(const struct wall_datapath *datapath, bool inbound_only)
{
    struct wall_flow_key key, next;
    int r = bpf_map_get_next_key(datapath->hooks.flows_fd, NULL, &next);
    while (r == 0) {
        key = next;
        if (!inbound_only || key.kind == WALL_FLOW_ACCEPT || is_of_socket(&key))
            return false;
        r = bpf_map_get_next_key(datapath->hooks.flows_fd, &key, &next);
    }
    return true;
}

void wall_flows_done(struct wall_datapath *datapath)
{
    size_t cursor = 0;
    for (struct wall_held *held; (held = wall_map_next(&datapath->table.by_id, &cursor));) {
        wall_namespace_unref(&datapath->namespaces, held->ns);
        held->ns = NULL;
    }
    wall_held_done(&datapath->table);
    wall_notices_done(datapath);
}
