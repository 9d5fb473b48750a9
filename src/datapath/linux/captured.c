#include "datapath/linux/captured.h"

#include <errno.h>
#include <stdlib.h>

#include "datapath/linux/instance.h"
#include "datapath/linux/packet.h"
#include "datapath/linux/split.h"
#include "wire/redirect.bpf.h"

// Sends one IP packet, in fragments where the way is too narrow for it. Those of a socket that is bound elsewhere could
// not be translated.
static int send_prepared(struct wall_datapath *datapath, struct wall_held *held, const uint8_t *data, size_t size)
{
    struct wall_split split;
    struct wall_rebinding binding;
    int r = wall_packet_send(&datapath->namespaces, held->ns, data, size, &held->route);
    if (r != -EMSGSIZE || wall_rebindings_find(datapath, held->name.cookie, &binding))
        return r;
    uint8_t *fragment = malloc(size + WALL_SPLIT_ROOM);
    r = fragment ? wall_split_fragments(data, size, (uint32_t)held->flow_id | 1, &split) : -ENOMEM;
    while (r == 0 && (size = wall_split_next(&split, fragment)))
        r = wall_packet_send(&datapath->namespaces, held->ns, fragment, size, &held->route);
    free(fragment);
    return r;
}

static int send_one(struct wall_datapath *datapath, struct wall_held *held, uint8_t *data, size_t size)
{
    struct wall_packet_ends ends = { 0 };
    struct wall_endpoints answer;
    if (held->key.kind != WALL_FLOW_PACKET && held->key.kind != WALL_FLOW_ACCEPT) {
        ends.remote_address = held->name.remote_address;
        ends.remote_port = held->name.remote_port;
    }
    if (held->key.kind == WALL_FLOW_STREAM || held->is_redirected) {
        ends.local_address = held->name.local_address;
        ends.local_port = held->name.local_port;
    }
    if (wall_redirects_find_answer(datapath, held, &answer)) {
        ends.remote_address = answer.destination;
        ends.remote_port = answer.destination_port;
    }
    int r = wall_packet_prepare(data, size, &ends);
    return r < 0 ? r : send_prepared(datapath, held, data, size);
}

// Sends a captured packet again. What cannot be sent is lost, as any packet may be; TCP sends another SYN by itself.
static void send_again(struct wall_datapath *datapath, struct wall_held *held, struct wall_held_packet *packet)
{
    struct wall_split split;
    size_t size;
    if (!held->ns || packet->flags & WALL_RECORD_SENDER_TOLD)
        return;
    if (!packet->segment_bytes) {
        send_one(datapath, held, packet->data, packet->length);
        return;
    }
    uint8_t *segment = malloc(packet->length + WALL_SPLIT_ROOM);
    if (segment && wall_split_segments(packet->data, packet->length, packet->segment_bytes, &split) == 0)
        while ((size = wall_split_next(&split, segment)))
            send_one(datapath, held, segment, size);
    free(segment);
}

// What is sent here is not seen by the guard at the cgroup. So packets of a socket that is bound elsewhere, or of a
// redirected connection, leave by the interface they were to leave by, whatever the routes are now, and only when they
// are translated there: it may be new. Returns whether they may.
static bool prepare_translation(struct wall_datapath *datapath, struct wall_held *held)
{
    struct wall_rebinding binding;
    struct wall_endpoints ends;
    uint32_t interface_index = held->route.interface_index;
    if (!held->ns || held->key.kind == WALL_FLOW_ACCEPT ||
        (!wall_rebindings_find(datapath, held->name.cookie, &binding) && !wall_redirects_find(datapath, held, &ends)))
        return true;
    if (interface_index != WALL_INTERFACE_LOOPBACK)
        held->route.bound_interface = interface_index;
    return interface_index && wall_translators_attach(datapath, held->ns, interface_index, NULL) == 0;
}

void wall_captured_send(struct wall_datapath *datapath, struct wall_held *held)
{
    if (!prepare_translation(datapath, held))
        return;
    for (struct wall_held_packet *packet = held->packets; packet; packet = packet->next)
        send_again(datapath, held, packet);
}
