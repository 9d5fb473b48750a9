// Operations that a driver pends: FwpsPendOperation0 and FwpsPendClassify0 with their completions (wfp-reference 4.4 to
// 4.6). Exactly one completion for each pend; what breaks a rule is reported, and never hangs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/messages.h"

struct wall_client_callout;

// Operations one process may have pended; further ones cannot be.
#define WALL_OPERATIONS_MAX 65536u

// A classification that runs on this thread. It lives on the stack of its caller.
struct wall_classifying {
    struct wall_classifying *outer;
    const struct wall_classify_request *request;
    struct wall_client_callout *callout;
    enum wall_pended pended;
    uint64_t id;  // of the operation
    struct wall_redirect_version *redirect;  // as the callout changed it; owned
};

// Around classifyFn. Its classifyContext is `classifying`.
void wall_operation_enter(struct wall_classifying *classifying, const struct wall_classify_request *request,
                          struct wall_client_callout *callout);
void wall_operation_leave(struct wall_classifying *classifying);
// Of the classification that runs on this thread; NULL: none does.
const struct wall_classify_request *wall_operation_request(void);
// The answer of a classification that pended is on its way to the service: it may be completed from now on, and is
// when the driver has already done so.
void wall_operation_settle(const struct wall_classifying *classifying);

// A classification that belongs to the completion of an operation: the thread that completes runs it. Returns false
// when no thread of this process does; then `object` stays the caller's.
bool wall_operation_route(uint64_t generation, uint32_t serial, struct wall_classify_request *request);

// Operations of a callout that are not complete.
unsigned wall_operations_of(const struct wall_client_callout *callout);
// The service is gone: what was pended has been forgotten there. Completing it does nothing.
void wall_operations_disconnected(void);
