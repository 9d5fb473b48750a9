#include "datapath/linux/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t map_seed[2];  // ids and cookies come from the kernel: nobody can choose them

void wall_held_init(struct wall_held_table *table)
{
    *table = (struct wall_held_table){ 0 };
    wall_map_init(&table->by_id, map_seed);
    wall_map_init(&table->by_cookie, map_seed);
}

void wall_held_done(struct wall_held_table *table)
{
    size_t cursor = 0;
    for (struct wall_held *held; (held = wall_map_next(&table->by_id, &cursor));)
        wall_held_remove(table, held);
    wall_map_done(&table->by_id);
    wall_map_done(&table->by_cookie);
}

// The flows of one socket.
struct wall_held_socket {
    uint64_t cookie;
    struct wall_held *first;
};

static int link_socket(struct wall_held_table *table, struct wall_held *held)
{
    uint64_t cookie = held->name.cookie;
    struct wall_held_socket *socket = wall_map_get(&table->by_cookie, &cookie, sizeof(cookie));
    if (!socket) {
        socket = malloc(sizeof(*socket));
        if (!socket)
            return -ENOMEM;
        *socket = (struct wall_held_socket){ .cookie = cookie };
        int r = wall_map_put(&table->by_cookie, &socket->cookie, sizeof(socket->cookie), socket);
        if (r < 0) {
            free(socket);
            return r;
        }
    }
    held->socket = socket;
    held->next = socket->first;
    if (held->next)
        held->next->previous = held;
    socket->first = held;
    return 0;
}

static void unlink_socket(struct wall_held_table *table, struct wall_held *held)
{
    struct wall_held_socket *socket = held->socket;
    if (held->next)
        held->next->previous = held->previous;
    if (held->previous)
        held->previous->next = held->next;
    else
        socket->first = held->next;
    if (!socket->first) {
        wall_map_remove(&table->by_cookie, &socket->cookie, sizeof(socket->cookie));
        free(socket);
    }
}

struct wall_held *wall_held_add(struct wall_held_table *table, const struct wall_flow_facts *facts)
{
    struct wall_held *held = calloc(1, sizeof(*held));
    if (!held)
        return NULL;
    held->flow_id = facts->flow_id;
    held->key = facts->key;
    held->layer = facts->layer;
    held->state = WALL_FLOW_HELD;
    held->packets_end = &held->packets;
    held->route = (struct wall_route){
        .bound_interface = facts->bound_interface, .interface_index = facts->interface_index, .mark = facts->mark,
    };
    held->name = (struct wall_socket_name){
        .family = facts->family, .protocol = facts->protocol, .local_port = facts->local_port,
        .remote_port = facts->remote_port, .bound_interface = facts->bound_interface, .cookie = facts->socket_cookie,
    };
    memcpy(held->name.local_address, facts->local_address, 16);
    memcpy(held->name.remote_address, facts->remote_address, 16);
    if (wall_map_put(&table->by_id, &held->flow_id, sizeof(held->flow_id), held) < 0) {
        free(held);
        return NULL;
    }
    if (link_socket(table, held) < 0) {
        wall_map_remove(&table->by_id, &held->flow_id, sizeof(held->flow_id));
        free(held);
        return NULL;
    }
    table->held_count++;
    return held;
}

struct wall_held *wall_held_find(const struct wall_held_table *table, uint64_t flow_id)
{
    return wall_map_get(&table->by_id, &flow_id, sizeof(flow_id));
}

struct wall_held *wall_held_of_socket(const struct wall_held_table *table, uint64_t cookie)
{
    const struct wall_held_socket *socket = wall_map_get(&table->by_cookie, &cookie, sizeof(cookie));
    return socket ? socket->first : NULL;
}

void wall_held_set_state(struct wall_held_table *table, struct wall_held *held, enum wall_flow_state state)
{
    table->held_count -= held->state == WALL_FLOW_HELD;
    table->held_count += state == WALL_FLOW_HELD;
    held->state = state;
}

void wall_held_remove(struct wall_held_table *table, struct wall_held *held)
{
    wall_held_drop_packets(table, held);
    table->held_count -= held->state == WALL_FLOW_HELD;
    unlink_socket(table, held);
    wall_map_remove(&table->by_id, &held->flow_id, sizeof(held->flow_id));
    free(held->notice);
    free(held);
}

int wall_held_queue(struct wall_held_table *table, struct wall_held *held, const struct wall_record *record)
{
    struct wall_held_packet *packet = malloc(sizeof(*packet) + record->length);
    if (!packet)
        return -ENOMEM;
    packet->next = NULL;
    packet->segment_bytes = record->segment_bytes;
    packet->flags = record->flags;
    packet->length = record->length;
    memcpy(packet->data, record->data, record->length);
    *held->packets_end = packet;
    held->packets_end = &packet->next;
    table->captured_bytes += record->length;
    return 0;
}

uint64_t wall_held_drop_packets(struct wall_held_table *table, struct wall_held *held)
{
    uint64_t bytes = 0;
    while (held->packets) {
        struct wall_held_packet *packet = held->packets;
        held->packets = packet->next;
        bytes += packet->length;
        free(packet);
    }
    held->packets_end = &held->packets;
    table->captured_bytes -= bytes;
    return bytes;
}
