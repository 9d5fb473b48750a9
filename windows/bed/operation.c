// Pending and completing authorizations, as wfp-reference 4.4 and 4.5 describe them.
//
// An operation lives from the classification that offers its completion handle. Completing it while that classification
// still runs postpones the completion until it has returned. Completing reclassifies at once, on the completing thread,
// at the layers where Windows does. At ALE_AUTH_RECV_ACCEPT there is no reauthorization: the classification of the
// packet that the driver injects decides, and without a packet the attempt is blocked.
#include "packet.h"

#include <stdlib.h>

struct bed_operation {
    struct bed_operation *next;
    UINT64 id;
    struct bed_attempt attempt;
    struct bed_verdict verdict;
    bool classifying, pended, completed, awaits_packet;
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
    bed_lock();
    operation->id = next_id++;
    bed_unlock();
    operation->attempt = *attempt;
    operation->classifying = true;
    return operation;
}

UINT64 bed_operation_id(const struct bed_operation *operation)
{
    return operation->id;
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

static void settle(struct bed_operation *operation, const struct bed_verdict *verdict)
{
    bed_lock();
    operation->verdict = *verdict;
    operation->verdict.operation = operation->id;
    operation->verdict.known = 1;
    operation->awaits_packet = false;
    pending_count--;
    forget_oldest();
    bed_unlock();
}

// Ends a pended operation: the verdict is that of the reauthorization, which the callout decides, or of the packet.
static void finish(struct bed_operation *operation)
{
    struct bed_verdict verdict = { .action = FWP_ACTION_BLOCK };
    if (operation->awaits_packet)
        return;
    if (is_reauthorized(operation->attempt.layer_id)) {
        struct bed_attempt attempt = operation->attempt;
        attempt.irql = bed_irql();
        bed_reauthorize(&attempt, FWP_CONDITION_REAUTHORIZE_REASON_CLASSIFY_COMPLETION, &verdict);
        verdict.reauthorizations = 1;
    }
    settle(operation, &verdict);
}

static struct bed_operation *find_id(UINT64 id)
{
    struct bed_operation *at = operations;
    while (at && at->id != id)
        at = at->next;
    return at;
}

void bed_operation_injected(const struct bed_attempt *attempt, NET_BUFFER_LIST *packet)
{
    struct bed_verdict verdict;
    bed_classify_injected(attempt, packet, &verdict);
    bed_lock();
    struct bed_operation *operation = find_id(bed_packet_operation(packet));
    bool awaited = operation && operation->awaits_packet;
    if (operation)
        operation->verdict.injected++;
    bed_unlock();
    verdict.injected = 1;
    if (awaited)
        settle(operation, &verdict);
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
    bed_expect_irql("FwpsCompleteOperation0", DISPATCH_LEVEL);
    bed_lock();
    bool known = false;
    for (struct bed_operation *at = operations; at && !known; at = at->next)
        known = at == operation;
    bool again = known && operation->completed;
    bool at_once = known && !again && !operation->classifying;
    if (known && !again) {
        operation->completed = true;
        operation->awaits_packet = packet && !is_reauthorized(operation->attempt.layer_id);
    }
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
    const struct bed_operation *operation = find_id(id);
    if (operation)
        *ret_verdict = operation->verdict;
    bed_unlock();
}
