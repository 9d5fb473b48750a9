#include "ringwall/control.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "client/link.h"

// A result with the message that holds its texts; the caller sees `value`.
struct holder {
    struct holder *next;  // while it waits in a stream
    void *message;
    _Alignas(max_align_t) unsigned char value[];
};

struct wall_control {
    struct wall_link *link;
    int event_fd;  // 1 while records wait or the link is gone

    pthread_mutex_t lock;
    pthread_cond_t gone;
    struct holder *first, **last;
    uint32_t waiting;
    uint64_t lost;
    bool closed;
};

static struct holder *new_holder(size_t size, void *message)
{
    struct holder *holder = calloc(1, sizeof(*holder) + size);
    if (holder)
        holder->message = message;
    return holder;
}

static void free_holder(struct holder *holder)
{
    if (holder)
        free(holder->message);
    free(holder);
}

void wall_control_free(void *result)
{
    if (result)
        free_holder((struct holder *)((unsigned char *)result - offsetof(struct holder, value)));
}

static int fail(char *error, int code, const char *text)
{
    if (error)
        (void)snprintf(error, WALL_CONTROL_ERROR_SIZE, "%s", text ? text : strerror(-code));
    return code;
}

// --- The stream ---

static void set_readable(const struct wall_control *control)
{
    (void)eventfd_write(control->event_fd, 1);
}

// Counts the record as lost when there is no room for it.
static bool has_room(struct wall_control *control)
{
    if (control->waiting < WALL_CONTROL_RECORDS_MAX)
        return true;
    control->lost++;
    return false;
}

static struct holder *wrap_decision(struct wall_monitor_decision *from)
{
    struct holder *holder = new_holder(sizeof(struct wall_control_record), from);
    if (!holder)
        return NULL;
    struct wall_control_record *record = (struct wall_control_record *)holder->value;
    record->kind = WALL_CONTROL_DECISION;
    record->time_us = from->time_us;
    record->decision = (struct wall_control_decision){
        .held_us = from->held_us,
        .filter_id = from->filter_id,
        .flow_id = from->flow_id,
        .repeats = from->repeats,
        .action = from->action,
        .process_id = from->process_id,
        .user_id = from->user_id,
        .layer_id = from->layer_id,
        .local_port = from->local_port,
        .remote_port = from->remote_port,
        .family = from->family,
        .protocol = from->protocol,
        .veto = from->veto,
        .executable = from->executable,
        .process_name = from->process_name,
        .filter_name = from->filter_name,
        .driver = from->driver,
    };
    memcpy(record->decision.local_address, from->local_address, sizeof(from->local_address));
    memcpy(record->decision.remote_address, from->remote_address, sizeof(from->remote_address));
    return holder;
}

static struct holder *wrap_line(struct wall_monitor_line *from)
{
    struct holder *holder = new_holder(sizeof(struct wall_control_record), from);
    if (!holder)
        return NULL;
    struct wall_control_record *record = (struct wall_control_record *)holder->value;
    record->kind = WALL_CONTROL_LINE;
    record->time_us = from->time_us;
    record->line.driver = from->driver ? from->driver : "";
    record->line.line = from->line ? from->line : "";
    return holder;
}

static void receive(void *context, enum wall_message_type type, uint32_t serial, void *object)
{
    struct wall_control *control = context;
    struct holder *holder = NULL;
    pthread_mutex_lock(&control->lock);
    if (type == WALL_MESSAGE_MONITOR_LOST) {
        control->lost += ((const struct wall_monitor_lost *)object)->count;
        set_readable(control);
    } else if ((type == WALL_MESSAGE_MONITOR_DECISION || type == WALL_MESSAGE_MONITOR_LINE) && has_room(control)) {
        holder = type == WALL_MESSAGE_MONITOR_DECISION ? wrap_decision(object) : wrap_line(object);
        control->lost += !holder;
    }
    if (holder) {
        *control->last = holder;
        control->last = &holder->next;
        control->waiting++;
        object = NULL;
        set_readable(control);
    }
    pthread_mutex_unlock(&control->lock);
    free(object);
}

static void link_closed(void *context)
{
    struct wall_control *control = context;
    pthread_mutex_lock(&control->lock);
    control->closed = true;
    pthread_cond_broadcast(&control->gone);
    set_readable(control);
    pthread_mutex_unlock(&control->lock);
}

// --- Opening and closing ---

int wall_control_open(const char *runtime_directory, struct wall_control **ret_control, char *error)
{
    struct wall_control *control = calloc(1, sizeof(*control));
    if (!control)
        return fail(error, -ENOMEM, NULL);
    control->last = &control->first;
    control->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&control->lock, NULL);
    pthread_cond_init(&control->gone, NULL);

    struct wall_error err = { .text = "" };
    struct wall_link_events events = { .context = control, .message = receive, .closed = link_closed };
    int r = control->event_fd < 0
                ? -errno
                : wall_link_open(runtime_directory, WALL_ROLE_CONTROL, NULL, &events, &control->link, &err);
    if (r < 0) {
        wall_control_close(control);
        return fail(error, r, err.text[0] ? err.text : NULL);
    }
    *ret_control = control;
    return 0;
}

void wall_control_close(struct wall_control *control)
{
    if (!control)
        return;
    if (control->link)
        wall_link_close(control->link);
    if (control->event_fd >= 0)
        close(control->event_fd);
    while (control->first) {
        struct holder *holder = control->first;
        control->first = holder->next;
        free_holder(holder);
    }
    pthread_mutex_destroy(&control->lock);
    pthread_cond_destroy(&control->gone);
    free(control);
}

// --- Calls ---

// On success *ret_reply (unless NULL) is the reply, for free().
static int call(struct wall_control *control, enum wall_message_type type, const void *request, void **ret_reply,
                char *error)
{
    struct wall_reply *reply;
    int r = wall_link_call(control->link, type, request, (void **)&reply);
    if (r < 0)
        return fail(error, r, r == -ECONNRESET ? "the service has closed the connection" : NULL);

    // Control replies carry an errno; anything else is a fault of the service.
    r = reply->status > INT_MAX ? -EPROTO : -(int)reply->status;
    if (r < 0)
        (void)fail(error, r, reply->error);
    if (r == 0 && ret_reply)
        *ret_reply = reply;
    else
        free(reply);
    return r;
}

int wall_control_status(struct wall_control *control, struct wall_control_status **ret_status, char *error)
{
    struct wall_status_reply *reply;
    int r = call(control, WALL_MESSAGE_STATUS, NULL, (void **)&reply, error);
    if (r < 0)
        return r;
    struct holder *holder = new_holder(sizeof(struct wall_control_status), reply);
    if (!holder) {
        free(reply);
        return fail(error, -ENOMEM, NULL);
    }
    struct wall_control_status *status = (struct wall_control_status *)holder->value;
    *status = (struct wall_control_status){
        .version = reply->version,
        .scope = reply->scope,
        .datapath = reply->datapath,
        .process_id = reply->process_id,
        .uptime_ms = reply->uptime_ms,
        .generation = reply->generation,
        .filters = reply->filters,
        .callouts = reply->callouts,
        .sublayers = reply->sublayers,
        .providers = reply->providers,
        .sessions = reply->sessions,
        .connections = reply->connections,
        .drivers = reply->drivers,
        .flows_seen = reply->flows_seen,
        .flows_held_now = reply->flows_held_now,
        .flows_permitted = reply->flows_permitted,
        .flows_blocked = reply->flows_blocked,
        .flows_gone = reply->flows_gone,
        .events_lost = reply->events_lost,
        .fail_closed = reply->fail_closed,
        .table_bytes = reply->table_bytes,
        .compile_us = reply->compile_us,
        .load_us = reply->load_us,
    };
    *ret_status = status;
    return 0;
}

int wall_control_coverage(struct wall_control *control, struct wall_control_coverage **ret_coverage, char *error)
{
    struct wall_coverage_reply *reply;
    int r = call(control, WALL_MESSAGE_COVERAGE, NULL, (void **)&reply, error);
    if (r < 0)
        return r;
    size_t size = sizeof(struct wall_control_coverage) + reply->count * sizeof(struct wall_control_coverage_item);
    struct holder *holder = new_holder(size, reply);
    if (!holder) {
        free(reply);
        return fail(error, -ENOMEM, NULL);
    }
    struct wall_control_coverage *coverage = (struct wall_control_coverage *)holder->value;
    struct wall_control_coverage_item *items = (struct wall_control_coverage_item *)(coverage + 1);
    for (uint32_t i = 0; i < reply->count; i++) {
        const struct wall_coverage_record *from = &reply->items[i];
        items[i] = (struct wall_control_coverage_item){ from->name, from->state, from->detail };
    }
    *coverage = (struct wall_control_coverage){ reply->count, items };
    *ret_coverage = coverage;
    return 0;
}

int wall_control_stop(struct wall_control *control, char *error)
{
    int r = call(control, WALL_MESSAGE_STOP, NULL, NULL, error);
    if (r < 0)
        return r;
    pthread_mutex_lock(&control->lock);
    while (!control->closed)
        pthread_cond_wait(&control->gone, &control->lock);
    pthread_mutex_unlock(&control->lock);
    return 0;
}

int wall_control_load(struct wall_control *control, const char *path, const char *name, const char *const *parameters,
                      uint32_t *ret_process_id, char *error)
{
    uint32_t count = 0;
    while (parameters && parameters[count])
        count++;
    struct wall_text *texts = calloc(count ? count : 1, sizeof(*texts));
    if (!texts)
        return fail(error, -ENOMEM, NULL);
    for (uint32_t i = 0; i < count; i++)
        texts[i].text = parameters[i];

    struct wall_driver_load_request request = { path, name, count, texts };
    struct wall_driver_load_reply *reply;
    int r = call(control, WALL_MESSAGE_DRIVER_LOAD, &request, (void **)&reply, error);
    free(texts);
    if (r < 0)
        return r;
    if (ret_process_id)
        *ret_process_id = reply->process_id;
    free(reply);
    return 0;
}

int wall_control_unload(struct wall_control *control, const char *name, char *error)
{
    return call(control, WALL_MESSAGE_DRIVER_UNLOAD, &(struct wall_driver_unload_request){ name }, NULL, error);
}

int wall_control_drivers(struct wall_control *control, struct wall_control_drivers **ret_drivers, char *error)
{
    struct wall_driver_list_reply *reply;
    int r = call(control, WALL_MESSAGE_DRIVER_LIST, NULL, (void **)&reply, error);
    if (r < 0)
        return r;
    size_t size = sizeof(struct wall_control_drivers) + reply->count * sizeof(struct wall_control_driver);
    struct holder *holder = new_holder(size, reply);
    if (!holder) {
        free(reply);
        return fail(error, -ENOMEM, NULL);
    }
    struct wall_control_drivers *list = (struct wall_control_drivers *)holder->value;
    struct wall_control_driver *drivers = (struct wall_control_driver *)(list + 1);
    for (uint32_t i = 0; i < reply->count; i++) {
        const struct wall_driver_record *from = &reply->drivers[i];
        drivers[i] = (struct wall_control_driver){
            .name = from->name,
            .path = from->path,
            .state = from->state,
            .failure = from->failure,
            .process_id = from->process_id,
            .callouts = from->callouts,
            .uptime_ms = from->uptime_ms,
            .classifies = from->classifies,
            .timeouts = from->timeouts,
        };
    }
    *list = (struct wall_control_drivers){ reply->count, drivers };
    *ret_drivers = list;
    return 0;
}

static struct wall_control_compiled_filter compiled_filter(const struct wall_compiled_filter_record *from)
{
    return (struct wall_control_compiled_filter){
        .filter_id = from->filter_id,
        .layer_id = from->layer_id,
        .field_id = from->field_id,
        .place = (enum wall_control_place)from->kind,
        .reason = (enum wall_control_reason)from->reason,
        .late = from->needs != 0,
    };
}

int wall_control_compiled(struct wall_control *control, struct wall_control_compiled **ret_compiled, char *error)
{
    struct wall_compiled_reply *reply;
    int r = call(control, WALL_MESSAGE_COMPILED, NULL, (void **)&reply, error);
    if (r < 0)
        return r;
    size_t size = sizeof(struct wall_control_compiled) +
                  reply->layer_count * sizeof(struct wall_control_compiled_layer) +
                  reply->filter_count * sizeof(struct wall_control_compiled_filter);
    struct holder *holder = new_holder(size, reply);
    if (!holder) {
        free(reply);
        return fail(error, -ENOMEM, NULL);
    }
    struct wall_control_compiled *compiled = (struct wall_control_compiled *)holder->value;
    struct wall_control_compiled_filter *filters = (struct wall_control_compiled_filter *)(compiled + 1);
    struct wall_control_compiled_layer *layers =
        (struct wall_control_compiled_layer *)(filters + reply->filter_count);
    for (uint32_t i = 0; i < reply->filter_count; i++)
        filters[i] = compiled_filter(&reply->filters[i]);
    for (uint32_t i = 0; i < reply->layer_count; i++) {
        const struct wall_compiled_layer_record *from = &reply->layers[i];
        layers[i] = (struct wall_control_compiled_layer){
            .layer_id = from->layer_id,
            .filters = from->filters,
            .in_kernel = from->in_kernel,
            .bytes = (uint64_t)from->pages << 16,
            .slots = from->slots,
            .groups = from->groups,
            .largest_group = from->largest,
        };
    }
    *compiled = (struct wall_control_compiled){ reply->layer_count, layers, reply->filter_count, filters,
                                                reply->filters_left_out };
    *ret_compiled = compiled;
    return 0;
}

// --- Devices ---

int wall_control_device_open(struct wall_control *control, const char *driver, const char *device, uint64_t *ret_file,
                             char *error)
{
    const struct wall_file_open_request request = { driver, device };
    struct wall_file_open_reply *reply;
    int r = call(control, WALL_MESSAGE_FILE_OPEN, &request, (void **)&reply, error);
    if (r < 0)
        return r;
    *ret_file = reply->file_id;
    free(reply);
    return 0;
}

int wall_control_device_control(struct wall_control *control, uint64_t file, uint32_t code, const void *input,
                                size_t input_size, size_t output_size, struct wall_control_output **ret_output,
                                char *error)
{
    if (input_size > UINT32_MAX || output_size > UINT32_MAX)
        return fail(error, -EINVAL, NULL);
    const struct wall_file_control_request request = {
        .file_id = file, .code = code, .output_size = (uint32_t)output_size,
        .input = { (UINT32)input_size, (UINT8 *)(uintptr_t)input },
    };
    struct wall_file_control_reply *reply;
    int r = call(control, WALL_MESSAGE_FILE_CONTROL, &request, (void **)&reply, error);
    if (r < 0)
        return r;
    struct holder *holder = new_holder(sizeof(struct wall_control_output), reply);
    if (!holder) {
        free(reply);
        return fail(error, -ENOMEM, NULL);
    }
    *ret_output = (struct wall_control_output *)holder->value;
    **ret_output = (struct wall_control_output){ reply->driver_status, reply->output.size, reply->output.data };
    return 0;
}

// --- Watching ---

int wall_control_monitor(struct wall_control *control, uint32_t flags, char *error)
{
    _Static_assert(WALL_CONTROL_MONITOR_DECISIONS == WALL_MONITOR_DECISIONS &&
                       WALL_CONTROL_MONITOR_LINES == WALL_MONITOR_LINES,
                   "the flags of the message");
    return call(control, WALL_MESSAGE_MONITOR, &(struct wall_monitor_request){ flags }, NULL, error);
}

int wall_control_fd(const struct wall_control *control)
{
    return control->event_fd;
}

static struct holder *wrap_lost(uint64_t lost)
{
    struct holder *holder = new_holder(sizeof(struct wall_control_record), NULL);
    if (!holder)
        return NULL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct wall_control_record *record = (struct wall_control_record *)holder->value;
    record->kind = WALL_CONTROL_LOST;
    record->time_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    record->lost = lost;
    return holder;
}

// Returns 0, -EAGAIN or -ECONNRESET.
static int take_record(struct wall_control *control, struct holder **ret_holder)
{
    int r = -EAGAIN;
    pthread_mutex_lock(&control->lock);
    if (control->first) {
        *ret_holder = control->first;
        control->first = (*ret_holder)->next;
        if (!control->first)
            control->last = &control->first;
        control->waiting--;
        r = 0;
    } else if (control->lost) {
        *ret_holder = wrap_lost(control->lost);
        r = *ret_holder ? 0 : -ENOMEM;
        if (r == 0)
            control->lost = 0;
    } else if (control->closed) {
        r = -ECONNRESET;
    }
    if (!control->first && !control->lost && !control->closed) {
        eventfd_t value;
        (void)eventfd_read(control->event_fd, &value);
    }
    pthread_mutex_unlock(&control->lock);
    return r;
}

int wall_control_next(struct wall_control *control, int timeout_ms, struct wall_control_record **ret_record)
{
    struct holder *holder = NULL;
    int r;
    while ((r = take_record(control, &holder)) == -EAGAIN && timeout_ms != 0) {
        struct pollfd readable = { .fd = control->event_fd, .events = POLLIN };
        int n = poll(&readable, 1, timeout_ms);
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EAGAIN;
    }
    if (r == 0)
        *ret_record = (struct wall_control_record *)holder->value;
    return r;
}
