// Pending and completing authorizations, as wfp-reference 4.4 and 4.5 describe them.
//
// An operation lives from the classification that offers its completion handle. Completing it while that classification
// still runs postpones the completion until it has returned. Completing reclassifies at once, on the completing thread,
// at the layers where Windows does; at ALE_AUTH_RECV_ACCEPT there is no reauthorization: the packet's injection decides,
// which the bed does not have, and the attempt ends blocked.
#include "callout.h"

#include <stdlib.h>

struct bed_operation {
    struct bed_operation *next;
    UINT64 id;
    struct bed_attempt attempt;
    struct bed_verdict verdict;
    bool classifying, pended, completed, reauthorized;
};

// Operations that tests have not asked for are forgotten, the oldest first.
#define OPERATIONS_KEPT 4096

static struct bed_operation *operations;
static UINT64 next_id = 1;
static UINT32 pending_count, kept_count;

static bool can_pend(UINT16 layer_id)
{
    switch (layer_id) {
    case FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4:
    case FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V6:
    case FWPS_LAYER_ALE_AUTH_LISTEN_V4:
    case FWPS_LAYER_ALE_AUTH_LISTEN_V6:
    case FWPS_LAYER_ALE_AUTH_CONNECT_V4:
    case FWPS_LAYER_ALE_AUTH_CONNECT_V6:
    case FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4:
    case FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6:
        return true;
    default:
        return false;
    }
}

static bool is_reauthorized(UINT16 layer_id)
{
    return layer_id != FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4 && layer_id != FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6;
}

UINT32 bed_operation_count(void)
{
    return pending_count;
}

struct bed_operation *bed_operation_new(const struct bed_attempt *attempt)
{
    struct bed_operation *operation = can_pend(attempt->layer_id) ? calloc(1, sizeof(*operation)) : NULL;
    if (!operation)
        return NULL;
    operation->attempt = *attempt;
    operation->classifying = true;
    return operation;
}

static void forget_oldest(void)
{
    struct bed_operation **oldest = NULL;
    for (struct bed_operation **at = &operations; *at; at = &(*at)->next)
        if ((*at)->completed)
            oldest = at;  // new ones are put in front
    if (oldest && kept_count > OPERATIONS_KEPT) {
        struct bed_operation *gone = *oldest;
        *oldest = gone->next;
        kept_count--;
        free(gone);
    }
}

// Ends a pended operation: the verdict is that of the reauthorization, which the callout decides.
static void finish(struct bed_operation *operation)
{
    struct bed_verdict verdict = { .action = FWP_ACTION_BLOCK };
    if (is_reauthorized(operation->attempt.layer_id)) {
        struct bed_attempt attempt = operation->attempt;
        attempt.irql = bed_irql();
        bed_reauthorize(&attempt, FWP_CONDITION_REAUTHORIZE_REASON_CLASSIFY_COMPLETION, &verdict);
        verdict.reauthorizations = 1;
    }
    bed_lock();
    verdict.operation = operation->id;
    verdict.known = 1;
    operation->verdict = verdict;
    operation->reauthorized = true;
    pending_count--;
    forget_oldest();
    bed_unlock();
}

void bed_operation_classified(struct bed_operation *operation, struct bed_verdict *verdict)
{
    bed_lock();
    operation->classifying = false;
    bool pended = operation->pended, completed = operation->completed;
    if (pended) {
        if (verdict->action != FWP_ACTION_BLOCK || !verdict->absorbed)
            bed_violation("pended, but the callout did not answer BLOCK with ABSORB");
        verdict->operation = operation->id;
        verdict->pending = !completed;
    }
    bed_unlock();
    if (!pended) {
        free(operation);
    } else if (completed) {
        finish(operation);
        *verdict = operation->verdict;
    }
}

NTSTATUS NTAPI FwpsPendOperation0(HANDLE completion_handle, HANDLE *ret_context)
{
    struct bed_operation *operation = completion_handle;
    bed_expect_irql("FwpsPendOperation0", DISPATCH_LEVEL);
    if (bed_fault("FwpsPendOperation0"))
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!operation || !ret_context)
        return STATUS_FWP_CANNOT_PEND;
    bed_lock();
    bool good = operation->classifying && !operation->pended;
    if (good) {
        operation->pended = true;
        operation->id = next_id++;
        operation->verdict = (struct bed_verdict){ .pending = 1, .known = 1, .operation = operation->id };
        operation->next = operations;
        operations = operation;
        pending_count++;
        kept_count++;
    }
    bed_unlock();
    if (!good)
        return STATUS_FWP_CANNOT_PEND;
    *ret_context = operation;
    return STATUS_SUCCESS;
}

void NTAPI FwpsCompleteOperation0(HANDLE completion_context, NET_BUFFER_LIST *packet)
{
    struct bed_operation *operation = completion_context;
    UNREFERENCED_PARAMETER(packet);
    bed_expect_irql("FwpsCompleteOperation0", DISPATCH_LEVEL);
    bed_lock();
    bool known = false;
    for (struct bed_operation *at = operations; at && !known; at = at->next)
        known = at == operation;
    bool again = known && operation->completed;
    bool at_once = known && !again && !operation->classifying;
    if (known)
        operation->completed = true;
    bed_unlock();
    if (!known || again)
        bed_violation("FwpsCompleteOperation0 %s", known ? "called twice" : "without FwpsPendOperation0");
    else if (at_once)
        finish(operation);
}

void bed_operation_get(UINT64 id, struct bed_verdict *ret_verdict)
{
    *ret_verdict = (struct bed_verdict){ 0 };
    bed_lock();
    for (struct bed_operation *at = operations; at; at = at->next) {
        if (at->id == id) {
            *ret_verdict = at->verdict;
            break;
        }
    }
    bed_unlock();
}
