#include "client/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fwpmu.h"

#include "fake_service.h"

#define FLOOD (WALL_CLIENT_NOTIFICATIONS_MAX + 500)

static struct fake_service service;
static HANDLE engine;

static bool notify_before_reply;
static unsigned unsubscribed;

static void send_change(struct fake_connection *connection, uint64_t subscription, uint32_t id)
{
    struct wall_change_notification change = { subscription, FWPM_CHANGE_ADD, { .Data1 = id }, id };
    fake_notify(connection, WALL_MESSAGE_CHANGE, &change);
}

static void send_event(struct fake_connection *connection, FWPM_NET_EVENT_TYPE type, uint64_t filter)
{
    FWPM_NET_EVENT_CLASSIFY_DROP2 drop = { .filterId = filter };
    FWPM_NET_EVENT_CLASSIFY_ALLOW0 allow = { .filterId = filter };
    FWPM_NET_EVENT5 event = { .type = type };
    if (type == FWPM_NET_EVENT_TYPE_CLASSIFY_DROP)
        event.classifyDrop = &drop;
    else
        event.classifyAllow = &allow;
    fake_notify(connection, WALL_MESSAGE_NET_EVENT, &(struct wall_net_event_notification){ 31, &event });
}

// Filters: subscription 21; net events: 31. The transaction messages of the test drive what is sent.
static bool answer(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    const struct wall_subscribe_request *subscribe = object;
    switch (frame->type) {
    case WALL_MESSAGE_SUBSCRIBE:
        if (notify_before_reply)
            send_change(connection, 21, 1);
        fake_reply(connection, frame,
                   &(struct wall_subscribe_reply){ .subscription_id =
                                                       subscribe->template_.type == WALL_ANY_NET_EVENT ? 31 : 21 });
        return true;
    case WALL_MESSAGE_UNSUBSCRIBE:
        unsubscribed++;
        return false;
    case WALL_MESSAGE_TRANSACTION_BEGIN:
        for (uint32_t i = 0; i < ((struct wall_transaction_begin_request *)object)->flags; i++)
            send_change(connection, 21, i + 1);
        return false;
    case WALL_MESSAGE_TRANSACTION_COMMIT:
        send_event(connection, FWPM_NET_EVENT_TYPE_CLASSIFY_ALLOW, 1);
        send_event(connection, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP, 2);
        return false;
    default:
        return false;
    }
}

static int start(void **state)
{
    service = (struct fake_service){ .handle = answer };
    notify_before_reply = false;
    unsubscribed = 0;
    fake_service_start(&service);
    return FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine) == ERROR_SUCCESS ? 0 : -1;
}

// Waits for the callback that runs. To be called before what callbacks use goes out of scope.
static void close_engine(void)
{
    if (engine)
        (void)FwpmEngineClose0(engine);
    engine = NULL;
}

static int stop(void **state)
{
    close_engine();
    fake_service_stop(&service);
    return 0;
}

struct counter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count;
    uint64_t last_id;
    pthread_t thread;
    // What the callback does.
    bool wait, waiting, close, calls;
    HANDLE subscription;
    DWORD status;
};

#define COUNTER                                                                                                        \
    {                                                                                                                  \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                                         \
    }

static void wait_for(struct counter *counter, unsigned count)
{
    pthread_mutex_lock(&counter->lock);
    while (counter->count < count)
        pthread_cond_wait(&counter->changed, &counter->lock);
    pthread_mutex_unlock(&counter->lock);
}

static void filter_changed(void *context, const FWPM_FILTER_CHANGE0 *change)
{
    struct counter *counter = context;
    if (counter->calls)
        counter->status = FwpmTransactionAbort0(engine);
    if (counter->close && counter->subscription)
        counter->status = FwpmFilterUnsubscribeChanges0(engine, counter->subscription);
    else if (counter->close) {
        counter->status = FwpmEngineClose0(engine);
        engine = NULL;
    }
    pthread_mutex_lock(&counter->lock);
    counter->waiting = true;
    pthread_cond_broadcast(&counter->changed);
    while (counter->wait)
        pthread_cond_wait(&counter->changed, &counter->lock);
    counter->count++;
    counter->last_id = change->filterId;
    counter->thread = pthread_self();
    assert_int_equal(change->changeType, FWPM_CHANGE_ADD);
    assert_int_equal(change->filterKey.Data1, change->filterId);
    pthread_cond_broadcast(&counter->changed);
    pthread_mutex_unlock(&counter->lock);
}

static HANDLE subscribe(struct counter *counter)
{
    FWPM_FILTER_SUBSCRIPTION0 subscription = { .flags = FWPM_SUBSCRIPTION_FLAG_NOTIFY_ON_ADD };
    HANDLE handle = NULL;
    assert_int_equal(FwpmFilterSubscribeChanges0(engine, &subscription, filter_changed, counter, &handle),
                     ERROR_SUCCESS);
    return handle;
}

static void changes_arrive_in_order(void **state)
{
    struct counter counter = COUNTER;
    HANDLE handle = subscribe(&counter);
    assert_int_equal(FwpmTransactionBegin0(engine, 100), ERROR_SUCCESS);
    wait_for(&counter, 100);
    assert_int_equal(counter.last_id, 100);
    assert_false(pthread_equal(counter.thread, pthread_self()));
    assert_int_equal(FwpmProviderUnsubscribeChanges0(engine, handle), ERROR_INVALID_HANDLE);
    assert_int_equal(FwpmFilterUnsubscribeChanges0(engine, handle), ERROR_SUCCESS);
    assert_int_equal(unsubscribed, 1);
    assert_int_equal(FwpmFilterUnsubscribeChanges0(engine, handle), ERROR_INVALID_HANDLE);

    // Whatever comes late has no addressee.
    assert_int_equal(FwpmTransactionBegin0(engine, 10), ERROR_SUCCESS);
    assert_int_equal(FwpmTransactionAbort0(engine), ERROR_SUCCESS);
    assert_int_equal(counter.count, 100);
}

static void a_change_before_the_reply_is_not_lost(void **state)
{
    struct counter counter = COUNTER;
    notify_before_reply = true;
    (void)subscribe(&counter);
    wait_for(&counter, 1);
    close_engine();
}

static void unsubscribing_waits_for_the_callback(void **state)
{
    struct counter counter = COUNTER;
    counter.wait = true;
    HANDLE handle = subscribe(&counter);
    assert_int_equal(FwpmTransactionBegin0(engine, 1), ERROR_SUCCESS);
    pthread_mutex_lock(&counter.lock);
    while (!counter.waiting)
        pthread_cond_wait(&counter.changed, &counter.lock);
    counter.wait = false;
    pthread_cond_broadcast(&counter.changed);
    pthread_mutex_unlock(&counter.lock);
    assert_int_equal(FwpmFilterUnsubscribeChanges0(engine, handle), ERROR_SUCCESS);
    assert_int_equal(counter.count, 1);  // it has run to its end
}

static void callbacks_may_call_the_engine(void **state)
{
    struct counter counter = COUNTER;
    counter.calls = true;
    counter.status = 1;
    (void)subscribe(&counter);
    assert_int_equal(FwpmTransactionBegin0(engine, 3), ERROR_SUCCESS);
    wait_for(&counter, 3);
    assert_int_equal(counter.status, ERROR_SUCCESS);
    close_engine();
}

static void callbacks_may_unsubscribe(void **state)
{
    struct counter counter = COUNTER;
    counter.subscription = subscribe(&counter);
    counter.close = true;
    assert_int_equal(FwpmTransactionBegin0(engine, 1), ERROR_SUCCESS);
    wait_for(&counter, 1);
    assert_int_equal(counter.status, ERROR_SUCCESS);
}

static void callbacks_may_close_the_engine(void **state)
{
    struct counter counter = COUNTER;
    counter.close = true;
    (void)subscribe(&counter);
    (void)FwpmTransactionBegin0(engine, 1);
    wait_for(&counter, 1);
    assert_int_equal(counter.status, ERROR_SUCCESS);
    usleep(10000);  // its thread ends by itself
}

static void closing_waits_for_the_callback(void **state)
{
    struct counter counter = COUNTER;
    (void)subscribe(&counter);
    assert_int_equal(FwpmTransactionBegin0(engine, 50), ERROR_SUCCESS);
    assert_int_equal(FwpmEngineClose0(engine), ERROR_SUCCESS);
    engine = NULL;
    pthread_mutex_lock(&counter.lock);
    unsigned count = counter.count;
    pthread_mutex_unlock(&counter.lock);
    usleep(10000);
    assert_int_equal(counter.count, count);
}

static void a_slow_callback_loses_changes(void **state)
{
    struct counter counter = COUNTER;
    counter.wait = true;
    (void)subscribe(&counter);
    assert_int_equal(FwpmTransactionBegin0(engine, FLOOD), ERROR_SUCCESS);
    assert_true(wall_client_dropped(engine) >= FLOOD - WALL_CLIENT_NOTIFICATIONS_MAX - 1);
    pthread_mutex_lock(&counter.lock);
    counter.wait = false;
    pthread_cond_broadcast(&counter.changed);
    pthread_mutex_unlock(&counter.lock);
    wait_for(&counter, WALL_CLIENT_NOTIFICATIONS_MAX);
    close_engine();  // one more may be on its way
}

static uint64_t events[4];
static struct counter event_counter = COUNTER;

static void count_event(unsigned slot, uint64_t filter)
{
    pthread_mutex_lock(&event_counter.lock);
    events[slot] = filter;
    event_counter.count++;
    pthread_cond_broadcast(&event_counter.changed);
    pthread_mutex_unlock(&event_counter.lock);
}

static void on_event1(void *context, const FWPM_NET_EVENT1 *event)
{
    assert_int_equal(event->type, FWPM_NET_EVENT_TYPE_CLASSIFY_DROP);
    count_event(1, event->classifyDrop->filterId);
}

static void on_event5(void *context, const FWPM_NET_EVENT5 *event)
{
    bool is_drop = event->type == FWPM_NET_EVENT_TYPE_CLASSIFY_DROP;
    count_event(is_drop ? 2 : 3, is_drop ? event->classifyDrop->filterId : event->classifyAllow->filterId);
}

static void events_have_the_version_asked_for(void **state)
{
    FWPM_NET_EVENT_SUBSCRIPTION0 subscription = { 0 };
    HANDLE handle;
    assert_int_equal(FwpmNetEventSubscribe4(engine, &subscription, on_event5, NULL, &handle), ERROR_SUCCESS);
    assert_int_equal(FwpmTransactionCommit0(engine), ERROR_SUCCESS);
    wait_for(&event_counter, 2);
    assert_int_equal(events[2], 2);
    assert_int_equal(events[3], 1);
    assert_int_equal(FwpmNetEventUnsubscribe0(engine, handle), ERROR_SUCCESS);

    // Version 1 knows no CLASSIFY_ALLOW.
    event_counter.count = 0;
    assert_int_equal(FwpmNetEventSubscribe0(engine, &subscription, on_event1, NULL, &handle), ERROR_SUCCESS);
    assert_int_equal(FwpmTransactionCommit0(engine), ERROR_SUCCESS);
    wait_for(&event_counter, 1);
    assert_int_equal(events[1], 2);
    assert_int_equal(FwpmNetEventUnsubscribe0(engine, handle), ERROR_SUCCESS);
    assert_int_equal(event_counter.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_arrive_in_order, start, stop),
        cmocka_unit_test_setup_teardown(a_change_before_the_reply_is_not_lost, start, stop),
        cmocka_unit_test_setup_teardown(unsubscribing_waits_for_the_callback, start, stop),
        cmocka_unit_test_setup_teardown(callbacks_may_call_the_engine, start, stop),
        cmocka_unit_test_setup_teardown(callbacks_may_unsubscribe, start, stop),
        cmocka_unit_test_setup_teardown(callbacks_may_close_the_engine, start, stop),
        cmocka_unit_test_setup_teardown(closing_waits_for_the_callback, start, stop),
        cmocka_unit_test_setup_teardown(a_slow_callback_loses_changes, start, stop),
        cmocka_unit_test_setup_teardown(events_have_the_version_asked_for, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
