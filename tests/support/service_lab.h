// The whole service in this process, over the fake datapath: no root, no kernel. Clients speak to its socket; the
// event loop turns only in service_lab_turn(), so that everything happens in a known order.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "service/service.h"
#include "wire/messages.h"

struct lab_client {
    int fd;
    uint32_t serial;
    struct wall_frame_reader reader;
};

extern struct wall_service lab_service;

// False when this machine cannot have one (no cgroup v2 mount); aborts on other failures.
bool service_lab_start(void);
void service_lab_stop(void);     // as after `ringwall stop`; what is stored stays
void service_lab_restart(void);  // … and starts again over what is stored
void service_lab_done(void);     // stops and removes the directory
// Until nothing is left to do at once. Returns false when the service has been told to stop.
bool service_lab_turn(void);

// Connected, without HELLO. It may change the policy whoever runs the test.
struct lab_client *lab_connect(void);
struct lab_client *lab_hello(enum wall_role role);
// A stranger to the service: it may only look.
void lab_demote(void);  // the client that connected last
void lab_close(struct lab_client *client);
void lab_send(struct lab_client *client, const void *bytes, size_t size);
void lab_send_message(struct lab_client *client, enum wall_message_type type, const void *object);
// The next frame for the client, decoded (free() it; NULL when it is empty); false: nothing came.
bool lab_receive(struct lab_client *client, struct wall_frame *ret_frame, void **ret_object);
bool lab_closed(struct lab_client *client);  // by the service, with nothing left to read
// Sends a request and returns its reply, to be freed.
void *lab_call(struct lab_client *client, enum wall_message_type type, const void *object);
// … and returns only its status.
uint32_t lab_status(struct lab_client *client, enum wall_message_type type, const void *object);
