// Redirection of connections and bindings by callouts: FwpsAcquireWritableLayerDataPointer0 with its
// FWPS_CONNECT_REQUEST0 or FWPS_BIND_REQUEST0, redirect handles, and who has redirected what (wfp-reference 4.7).
#pragma once

#include "fwpsk.h"

#include "wire/messages.h"

struct wall_redirect_data;

// The writable data of a classification that runs. NULL: its layer has none, or there is no memory.
struct wall_redirect_data *wall_redirect_data_new(const struct wall_classify_request *request);
void wall_redirect_data_free(struct wall_redirect_data *data);
// What a callout may write to: a FWPS_CONNECT_REQUEST0 or FWPS_BIND_REQUEST0.
void *wall_redirect_data_request(struct wall_redirect_data *data);
// Takes over what it wrote, with a localRedirectContext. One block from malloc(); NULL with *ret_status STATUS_SUCCESS:
// nothing is changed, or another status.
struct wall_redirect_version *wall_redirect_data_take(struct wall_redirect_data *data, NTSTATUS *ret_status);

// An address as callouts see it.
void wall_redirect_address(bool is_v6, const uint8_t *address, uint16_t port, SOCKADDR_STORAGE *ret_address);
