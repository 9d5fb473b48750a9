#include "client/channel.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "client/callout.h"
#include "client/injection.h"
#include "client/link.h"
#include "client/worker.h"

struct wall_state_observer {
    struct wall_state_observer *next;
    wall_state_callback callback;
    void *context;
    uint64_t told;  // changes it knows of
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t keeper;
static bool running, stopping;
static uint64_t attempts;
static int last_error;  // of connecting
static bool wanted;     // callouts to register may be there

static struct wall_link *link_now;  // NULL while down
static bool link_lost;              // it has to be closed
static unsigned link_users;         // calls under way
static uint64_t generation;         // of the connection

static struct wall_state_observer *observers, *observer_running;
static uint64_t state_changes;

// --- Using the link ---

static struct wall_link *acquire(uint64_t wanted_generation)
{
    pthread_mutex_lock(&lock);
    struct wall_link *link = link_lost || (wanted_generation && wanted_generation != generation) ? NULL : link_now;
    if (link)
        link_users++;
    pthread_mutex_unlock(&lock);
    return link;
}

static void release(void)
{
    pthread_mutex_lock(&lock);
    bool awaited = --link_users == 0 && link_lost;
    pthread_mutex_unlock(&lock);
    if (awaited)
        pthread_cond_broadcast(&changed);
}

int wall_channel_call_serving(enum wall_message_type type, const void *request, bool (*serve)(void *context),
                              void *context, void **ret_reply)
{
    struct wall_link *link = acquire(0);
    if (!link)
        return -ENOTCONN;
    int r = wall_link_call_serving(link, type, request, serve, context, ret_reply);
    release();
    return r;
}

int wall_channel_call(enum wall_message_type type, const void *request, void **ret_reply)
{
    return wall_channel_call_serving(type, request, NULL, NULL, ret_reply);
}

void wall_channel_notify(enum wall_message_type type, const void *notification)
{
    struct wall_link *link = acquire(0);
    if (!link)
        return;
    (void)wall_link_notify(link, type, notification);
    release();
}

void wall_channel_wake_serving(void)
{
    struct wall_link *link = acquire(0);
    if (!link)
        return;
    wall_link_wake(link);
    release();
}

void wall_channel_reply(uint64_t wanted_generation, enum wall_message_type type, uint32_t serial, const void *reply)
{
    struct wall_link *link = acquire(wanted_generation);
    if (!link)
        return;
    (void)wall_link_reply(link, type, serial, reply);
    release();
}

void wall_channel_refuse(uint64_t wanted_generation, enum wall_message_type type, uint32_t serial, uint32_t status)
{
    struct wall_link *link = acquire(wanted_generation);
    if (!link)
        return;
    (void)wall_link_refuse(link, type, serial, status);
    release();
}

void wall_channel_report(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    wall_channel_notify(WALL_MESSAGE_REPORT, &(struct wall_report_notification){ text });
}

bool wall_channel_is_up(void)
{
    pthread_mutex_lock(&lock);
    bool up = link_now && !link_lost;
    pthread_mutex_unlock(&lock);
    return up;
}

// --- The keeper. Its functions are called with the lock held, and drop it for whatever may take time. ---

static void receive(void *context, enum wall_message_type type, uint32_t serial, void *object)
{
    // The keeper sets `generation` before the service knows of a callout to ask.
    pthread_mutex_lock(&lock);
    uint64_t current = generation;
    pthread_mutex_unlock(&lock);
    wall_worker_queue(current, type, serial, object);
}

static void lost(void *context)
{
    pthread_mutex_lock(&lock);
    link_lost = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for_retry(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WALL_CHANNEL_RETRY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(&changed, &lock, &until);
}

static void connect_now(void)
{
    struct wall_link_events events = { .message = receive, .closed = lost };
    struct wall_link *link = NULL;
    pthread_mutex_unlock(&lock);
    int r = wall_link_open(NULL, WALL_ROLE_CALLOUTS, NULL, &events, &link, NULL);
    pthread_mutex_lock(&lock);
    attempts++;
    last_error = r;
    if (r == 0) {
        link_now = link;
        generation++;
        state_changes++;
        wanted = true;
    }
    pthread_cond_broadcast(&changed);
}

static void disconnect(void)
{
    struct wall_link *link = link_now;
    wall_link_shutdown(link);
    link_lost = true;
    while (link_users)
        pthread_cond_wait(&changed, &lock);
    link_now = NULL;
    state_changes++;
    pthread_mutex_unlock(&lock);
    wall_link_close(link);
    wall_worker_drop();
    wall_callouts_disconnected();
    pthread_mutex_lock(&lock);
    link_lost = false;
    pthread_cond_broadcast(&changed);
}

// Tells one observer that is behind. Returns false when all are up to date.
static bool tell_observer(void)
{
    struct wall_state_observer *observer = observers;
    while (observer && observer->told == state_changes)
        observer = observer->next;
    if (!observer)
        return false;
    observer->told = state_changes;
    observer_running = observer;
    FWPM_SERVICE_STATE state = link_now && !link_lost ? FWPM_SERVICE_RUNNING : FWPM_SERVICE_STOPPED;
    pthread_mutex_unlock(&lock);
    observer->callback(observer->context, state);
    pthread_mutex_lock(&lock);
    observer_running = NULL;
    pthread_cond_broadcast(&changed);
    return true;
}

static void register_callouts(void)
{
    wanted = false;
    pthread_mutex_unlock(&lock);
    wall_callouts_register_pending();
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
}

static void *keep(void *argument)
{
    pthread_mutex_lock(&lock);
    while (!stopping) {
        if (link_lost)
            disconnect();
        else if (link_now && wanted)
            register_callouts();
        else if (tell_observer())
            continue;
        else if (link_now)
            pthread_cond_wait(&changed, &lock);
        else {
            connect_now();
            if (!link_now && !stopping)
                wait_for_retry();
        }
    }
    if (link_now)
        disconnect();
    running = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

// --- Starting and stopping ---

int wall_channel_start(void)
{
    int r = 0;
    pthread_mutex_lock(&lock);
    if (!running && !stopping) {
        attempts = 0;
        r = wall_thread_start(keep, NULL, &keeper);
        running = r == 0;
    }
    while (r == 0 && running && attempts == 0)
        pthread_cond_wait(&changed, &lock);
    if (r == 0 && (!link_now || link_lost)) {
        bool no_service = last_error == 0 || last_error == -ENOENT || last_error == -ECONNREFUSED;
        r = no_service ? -ENOTCONN : last_error;
    }
    pthread_mutex_unlock(&lock);
    return r;
}

void wall_channel_stop(void)
{
    pthread_mutex_lock(&lock);
    bool was_running = running;
    stopping = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (was_running)
        pthread_join(keeper, NULL);
    wall_injection_stop();
    wall_worker_stop();
    pthread_mutex_lock(&lock);
    stopping = false;
    pthread_mutex_unlock(&lock);
}

bool wall_channel_is_keeper(void)
{
    pthread_mutex_lock(&lock);
    bool is_keeper = running && pthread_equal(pthread_self(), keeper);
    pthread_mutex_unlock(&lock);
    return is_keeper;
}

void wall_channel_wake(void)
{
    pthread_mutex_lock(&lock);
    wanted = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void wall_channel_wait(bool (*done)(void *context), void *context)
{
    pthread_mutex_lock(&lock);
    while (running && link_now && !link_lost && !done(context))
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

// --- Observers ---

int wall_channel_observe(wall_state_callback callback, void *context, struct wall_state_observer **ret_observer)
{
    struct wall_state_observer *observer = calloc(1, sizeof(*observer));
    if (!observer)
        return -ENOMEM;
    observer->callback = callback;
    observer->context = context;
    pthread_mutex_lock(&lock);
    observer->told = state_changes;
    observer->next = observers;
    observers = observer;
    pthread_mutex_unlock(&lock);
    *ret_observer = observer;
    return 0;
}

void wall_channel_unobserve(struct wall_state_observer *observer)
{
    bool is_keeper = wall_channel_is_keeper();
    pthread_mutex_lock(&lock);
    struct wall_state_observer **at = &observers;
    while (*at && *at != observer)
        at = &(*at)->next;
    if (*at)
        *at = observer->next;
    while (observer_running == observer && !is_keeper)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    free(observer);
}
