// Whether the service runs, for drivers: FwpmBfeState*.
#include <errno.h>
#include <stdlib.h>

#include "fwpmk.h"

#include "client/channel.h"
#include "client/handle.h"

struct subscription {
    struct wall_handle_object object;
    struct wall_state_observer *observer;
};

static void destroy_subscription(struct wall_handle_object *object)
{
    struct subscription *subscription = (struct subscription *)object;
    if (subscription->observer)
        wall_channel_unobserve(subscription->observer);
    free(subscription);
}

FWPM_SERVICE_STATE FwpmBfeStateGet0(void)
{
    if (wall_channel_is_keeper())
        return wall_channel_is_up() ? FWPM_SERVICE_RUNNING : FWPM_SERVICE_STOPPED;
    return wall_channel_start() == 0 ? FWPM_SERVICE_RUNNING : FWPM_SERVICE_STOPPED;
}

NTSTATUS FwpmBfeStateSubscribeChanges0(void *device, FWPM_SERVICE_STATE_CHANGE_CALLBACK0 callback, void *context,
                                       HANDLE *ret_handle)
{
    if (!callback || !ret_handle)
        return STATUS_INVALID_PARAMETER;
    (void)FwpmBfeStateGet0();  // changes are counted from here on
    struct subscription *subscription = calloc(1, sizeof(*subscription));
    if (!subscription)
        return STATUS_INSUFFICIENT_RESOURCES;
    subscription->object = (struct wall_handle_object){ .references = 1, .destroy = destroy_subscription };
    if (wall_channel_observe(callback, context, &subscription->observer) < 0 ||
        wall_handle_new(WALL_HANDLE_STATE, &subscription->object, ret_handle) < 0) {
        wall_handle_unref(subscription);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

NTSTATUS FwpmBfeStateUnsubscribeChanges0(HANDLE handle)
{
    struct subscription *subscription = wall_handle_take(handle, WALL_HANDLE_STATE, NULL);
    if (!subscription)
        return STATUS_INVALID_HANDLE;
    wall_handle_unref(subscription);
    return STATUS_SUCCESS;
}
