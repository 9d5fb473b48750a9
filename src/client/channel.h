// The callout channel: this process's one connection to the service for callouts, kept up by a thread of its own.
//
// The keeper connects when the first callout is registered or the service's state is asked for, connects again when
// the service went away, and registers the process's callouts with each new service.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpmtypes.h"

#include "wire/messages.h"

// How long between two attempts to connect.
#define WALL_CHANNEL_RETRY_MS 500

// Starts the keeper if it does not run, and waits until its first attempt to connect has ended.
// Returns 0 when the channel is up; -ENOTCONN when there is no service now; another negative errno when there is one
// that cannot be used (-EACCES, -EPROTO), or for lack of resources.
int wall_channel_start(void);
// Closes the connection and ends all threads: callouts are as if the service had gone away. For tests.
void wall_channel_stop(void);
bool wall_channel_is_up(void);
// Whether this is the keeper: it must not wait for itself.
bool wall_channel_is_keeper(void);
// Has the keeper look for callouts to register.
void wall_channel_wake(void);
// Has the calls that serve look for work.
void wall_channel_wake_serving(void);
// Waits until `done` says so, or the channel is down. `done` is asked after each thing the keeper did, with the
// channel's lock held: it must not call the channel.
void wall_channel_wait(bool (*done)(void *context), void *context);

// As wall_link_call(), over the channel of now; -ENOTCONN when it is down.
int wall_channel_call(enum wall_message_type type, const void *request, void **ret_reply);
int wall_channel_call_serving(enum wall_message_type type, const void *request, bool (*serve)(void *context),
                              void *context, void **ret_reply);
void wall_channel_notify(enum wall_message_type type, const void *notification);
// Answers a request that came with `generation`; dropped when that connection is gone.
void wall_channel_reply(uint64_t generation, enum wall_message_type type, uint32_t serial, const void *reply);
void wall_channel_refuse(uint64_t generation, enum wall_message_type type, uint32_t serial, uint32_t status);
// Tells the service that a driver broke a rule: one sentence. Dropped while the channel is down.
void wall_channel_report(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Called by the keeper for each change, until it is removed. Returns 0 or -ENOMEM.
typedef void (*wall_state_callback)(void *context, FWPM_SERVICE_STATE state);
struct wall_state_observer;
int wall_channel_observe(wall_state_callback callback, void *context, struct wall_state_observer **ret_observer);
// No call of it runs any more when it returns, unless it is called by one.
void wall_channel_unobserve(struct wall_state_observer *observer);
