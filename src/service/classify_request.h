// The question to a callout, built from a held flow: fixed values, metadata, filter, packet.
#pragma once

#include "service/hold.h"
#include "wire/messages.h"

// Borrows from `hold`. Returns 0 or -ENOMEM.
int wall_classify_request_init(const struct wall_hold *hold, struct wall_classify_request *ret_request);
void wall_classify_request_done(struct wall_classify_request *request);
