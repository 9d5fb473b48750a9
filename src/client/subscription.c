// Subscriptions of an engine handle, and the thread that delivers to them.
//
// The link's reader only queues: a callback may call the API, and the reader has to be free to read the reply.
#include "client/session.h"

#include <stdlib.h>

#include "winerror.h"

#include "client/net_event.h"
#include "client/status.h"

struct subscription {
    struct wall_handle_object object;
    struct subscription *next;
    uint64_t id;
    uint32_t type;
    unsigned version;
    struct wall_client_callback callback;
};

struct notification {
    struct notification *next;
    enum wall_message_type type;
    void *object;
};

static void destroy_subscription(struct wall_handle_object *object)
{
    free(object);
}

static void free_notification(struct notification *notification)
{
    free(notification->object);
    free(notification);
}

// --- Delivering ---

static void deliver_change(const struct subscription *subscription, const struct wall_change_notification *change)
{
    const struct wall_client_callback *callback = &subscription->callback;
    FWPM_CHANGE_TYPE kind = (FWPM_CHANGE_TYPE)change->change;
    switch (subscription->type) {
    case WALL_OBJECT_PROVIDER:
        callback->provider(callback->context, &(FWPM_PROVIDER_CHANGE0){ kind, change->key });
        break;
    case WALL_OBJECT_PROVIDER_CONTEXT:
        callback->provider_context(callback->context,
                                   &(FWPM_PROVIDER_CONTEXT_CHANGE0){ kind, change->key, change->id });
        break;
    case WALL_OBJECT_SUBLAYER:
        callback->sublayer(callback->context, &(FWPM_SUBLAYER_CHANGE0){ kind, change->key });
        break;
    case WALL_OBJECT_CALLOUT:
        callback->callout(callback->context, &(FWPM_CALLOUT_CHANGE0){ kind, change->key, (UINT32)change->id });
        break;
    case WALL_OBJECT_FILTER:
        callback->filter(callback->context, &(FWPM_FILTER_CHANGE0){ kind, change->key, change->id });
        break;
    default:
        break;
    }
}

static void deliver_net_event(const struct subscription *subscription, const FWPM_NET_EVENT5 *event)
{
    const struct wall_client_callback *callback = &subscription->callback;
    union wall_net_event converted;
    if (!event || !wall_net_event_known(event->type, subscription->version))
        return;
    wall_net_event_convert(event, subscription->version, &converted);
    switch (subscription->version) {
    case 1:
        callback->net_event1(callback->context, &converted.v1);
        break;
    case 2:
        callback->net_event2(callback->context, &converted.v2);
        break;
    case 3:
        callback->net_event3(callback->context, &converted.v3);
        break;
    case 4:
        callback->net_event4(callback->context, &converted.v4);
        break;
    default:
        callback->net_event5(callback->context, &converted.v5);
        break;
    }
}

static void deliver(const struct subscription *subscription, const struct notification *notification)
{
    bool is_event = subscription->type == WALL_ANY_NET_EVENT;
    if (notification->type == WALL_MESSAGE_CHANGE && !is_event)
        deliver_change(subscription, notification->object);
    else if (notification->type == WALL_MESSAGE_NET_EVENT && is_event)
        deliver_net_event(subscription, ((struct wall_net_event_notification *)notification->object)->event);
}

static struct subscription *find(struct wall_client_engine *engine, uint64_t id)
{
    struct subscription *subscription = engine->subscriptions;
    while (subscription && subscription->id != id)
        subscription = subscription->next;
    return subscription;
}

// Both notifications begin with the id.
static struct subscription *find_addressee(struct wall_client_engine *engine, const struct notification *notification)
{
    uint64_t id = *(const uint64_t *)notification->object;
    struct subscription *subscription;
    while (!(subscription = find(engine, id)) && engine->subscribing && !engine->stopping)
        pthread_cond_wait(&engine->changed, &engine->lock);
    return subscription;
}

static void *run_delivery(void *argument)
{
    struct wall_client_engine *engine = argument;
    pthread_mutex_lock(&engine->lock);
    while (!engine->stopping) {
        struct notification *notification = engine->first;
        if (!notification) {
            pthread_cond_wait(&engine->changed, &engine->lock);
            continue;
        }
        engine->first = notification->next;
        if (!engine->first)
            engine->last = &engine->first;
        engine->waiting--;

        struct subscription *subscription = find_addressee(engine, notification);
        if (subscription && !engine->stopping) {
            engine->running = subscription;
            wall_handle_object_ref(subscription);  // the callback may unsubscribe
            pthread_mutex_unlock(&engine->lock);
            deliver(subscription, notification);
            wall_handle_unref(subscription);
            pthread_mutex_lock(&engine->lock);
            engine->running = NULL;
            pthread_cond_broadcast(&engine->changed);
        }
        free_notification(notification);
    }
    engine->delivering = false;
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
    wall_handle_unref(engine);
    return NULL;
}

void wall_client_notified(struct wall_client_engine *engine, enum wall_message_type type, void *object)
{
    bool wanted = type == WALL_MESSAGE_CHANGE || type == WALL_MESSAGE_NET_EVENT;
    struct notification *notification = wanted ? malloc(sizeof(*notification)) : NULL;
    pthread_mutex_lock(&engine->lock);
    if (notification && engine->waiting < WALL_CLIENT_NOTIFICATIONS_MAX && !engine->stopping) {
        *notification = (struct notification){ .type = type, .object = object };
        *engine->last = notification;
        engine->last = &notification->next;
        engine->waiting++;
        notification = NULL;
        object = NULL;
        pthread_cond_broadcast(&engine->changed);
    } else {
        engine->dropped += wanted;
    }
    pthread_mutex_unlock(&engine->lock);
    free(notification);
    free(object);
}

bool wall_client_is_delivery(const struct wall_client_engine *engine)
{
    return engine->delivering && pthread_equal(pthread_self(), engine->delivery);
}

void wall_client_stop_delivery(struct wall_client_engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->stopping = true;
    pthread_cond_broadcast(&engine->changed);
    while (engine->delivering && !wall_client_is_delivery(engine))
        pthread_cond_wait(&engine->changed, &engine->lock);
    struct notification *notification = engine->first;
    engine->first = NULL;
    engine->last = &engine->first;
    engine->subscriptions = NULL;  // the handle table frees them
    pthread_mutex_unlock(&engine->lock);

    while (notification) {
        struct notification *following = notification->next;
        free_notification(notification);
        notification = following;
    }
}

// --- Subscribing ---

static int start_delivery(struct wall_client_engine *engine)
{
    int r = 0;
    pthread_mutex_lock(&engine->lock);
    if (!engine->delivering && !engine->stopping) {
        wall_handle_object_ref(engine);
        r = wall_thread_start(run_delivery, engine, &engine->delivery);
        if (r == 0)
            pthread_detach(engine->delivery);
        engine->delivering = r == 0;
    }
    pthread_mutex_unlock(&engine->lock);
    if (r < 0)
        wall_handle_unref(engine);
    return r;
}

static void add_subscription(struct wall_client_engine *engine, struct subscription *subscription)
{
    pthread_mutex_lock(&engine->lock);
    engine->subscribing--;
    if (subscription && !engine->stopping) {
        subscription->next = engine->subscriptions;
        engine->subscriptions = subscription;
    }
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
}

static void remove_subscription(struct wall_client_engine *engine, struct subscription *subscription)
{
    pthread_mutex_lock(&engine->lock);
    struct subscription **at = &engine->subscriptions;
    while (*at && *at != subscription)
        at = &(*at)->next;
    if (*at)
        *at = subscription->next;
    while (engine->running == subscription && !wall_client_is_delivery(engine))
        pthread_cond_wait(&engine->changed, &engine->lock);
    pthread_mutex_unlock(&engine->lock);
}

static uint32_t subscribe(struct wall_client_engine *engine, const struct wall_subscribe_request *request,
                          struct subscription *subscription, HANDLE *ret_subscription)
{
    struct wall_subscribe_reply *reply;
    uint32_t status = wall_client_call(engine, WALL_MESSAGE_SUBSCRIBE, request, (void **)&reply);
    if (status == ERROR_SUCCESS) {
        subscription->id = reply->subscription_id;
        free(reply);
    }
    add_subscription(engine, status == ERROR_SUCCESS ? subscription : NULL);
    if (status != ERROR_SUCCESS)
        return status;

    int r = wall_handle_new(WALL_HANDLE_SUBSCRIPTION, &subscription->object, ret_subscription);
    if (r < 0) {
        struct wall_unsubscribe_request unsubscribe = { subscription->id };
        (void)wall_client_call(engine, WALL_MESSAGE_UNSUBSCRIBE, &unsubscribe, NULL);
        remove_subscription(engine, subscription);
    }
    return wall_status_from_errno(r);
}

uint32_t wall_client_subscribe(HANDLE handle, uint32_t type, unsigned version, const void *template_, uint32_t flags,
                               const struct wall_client_callback *callback, HANDLE *ret_subscription)
{
    if (!callback->provider || !ret_subscription)
        return FWP_E_NULL_POINTER;
    struct wall_client_engine *engine = wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL);
    if (!engine)
        return ERROR_INVALID_HANDLE;
    struct subscription *subscription = calloc(1, sizeof(*subscription));
    uint32_t status = subscription ? wall_status_from_errno(start_delivery(engine)) : ERROR_NOT_ENOUGH_MEMORY;
    if (status == ERROR_SUCCESS) {
        subscription->object = (struct wall_handle_object){ 1, destroy_subscription, &engine->object };
        subscription->type = type;
        subscription->version = version;
        subscription->callback = *callback;
        struct wall_subscribe_request request = { { type, { .pointer = (void *)template_ } }, flags };
        pthread_mutex_lock(&engine->lock);
        engine->subscribing++;
        pthread_mutex_unlock(&engine->lock);
        status = subscribe(engine, &request, subscription, ret_subscription);
    }
    if (status != ERROR_SUCCESS)
        free(subscription);
    wall_handle_unref(engine);
    return status;
}

uint32_t wall_client_unsubscribe(HANDLE handle, HANDLE subscription_handle, uint32_t type)
{
    struct wall_client_engine *engine = wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL);
    struct subscription *subscription =
        engine ? wall_handle_ref(subscription_handle, WALL_HANDLE_SUBSCRIPTION, engine) : NULL;
    uint32_t status = ERROR_INVALID_HANDLE;
    if (subscription && subscription->type == type &&
        wall_handle_take(subscription_handle, WALL_HANDLE_SUBSCRIPTION, engine)) {
        struct wall_unsubscribe_request request = { subscription->id };
        status = wall_client_call(engine, WALL_MESSAGE_UNSUBSCRIBE, &request, NULL);
        remove_subscription(engine, subscription);
        wall_handle_unref(subscription);  // the table's reference
    }
    wall_handle_unref(subscription);
    wall_handle_unref(engine);
    return status;
}

uint64_t wall_client_dropped(HANDLE handle)
{
    struct wall_client_engine *engine = wall_handle_ref(handle, WALL_HANDLE_ENGINE, NULL);
    if (!engine)
        return 0;
    pthread_mutex_lock(&engine->lock);
    uint64_t dropped = engine->dropped;
    pthread_mutex_unlock(&engine->lock);
    wall_handle_unref(engine);
    return dropped;
}
