#include "client/device.h"

#include <pthread.h>
#include <stdlib.h>

#include "ntdef.h"
#include "ntstatus.h"

#include "client/channel.h"
#include "client/link.h"
#include "ntos/ntos.h"

// Weak: absent in programs without libntos, whose devices they are.
#pragma weak ntos_file_open
#pragma weak ntos_file_close
#pragma weak ntos_request_start
#pragma weak ntos_request_result
#pragma weak ntos_request_free

struct file {
    struct file *next;
    uint64_t id;
    struct ntos_file *file;
    unsigned users;  // requests that are being started
};

// A request under way. Unless it is complete when it has been started, its answer is sent by a thread of its own:
// completion may be at any IRQL and must not wait.
struct asked {
    struct asked *next;
    uint64_t generation;
    uint32_t serial;
    bool started;                  // ntos_request_start() has returned: only then may its reference be dropped
    struct ntos_request *request;  // NULL: not complete
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t to_answer = PTHREAD_COND_INITIALIZER, file_unused = PTHREAD_COND_INITIALIZER;
static struct file *files;
static unsigned file_count;
static struct asked *answered, **last_answered = &answered;
static bool running;

static struct file **find(uint64_t id)
{
    struct file **at = &files;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static uint32_t open_file(const struct wall_device_open_request *request)
{
    struct file *file = ntos_file_open ? calloc(1, sizeof(*file)) : NULL;
    if (!file)
        return (uint32_t)(ntos_file_open ? STATUS_INSUFFICIENT_RESOURCES : STATUS_NOT_SUPPORTED);
    file->id = request->file_id;
    pthread_mutex_lock(&lock);
    bool room = file_count < WALL_DEVICE_FILES_MAX;
    file_count += room;
    pthread_mutex_unlock(&lock);
    int32_t status = room ? ntos_file_open(request->name ? request->name : "", NTOS_ACCESS_READ | NTOS_ACCESS_WRITE,
                                           request->process_id, &file->file)
                          : STATUS_INSUFFICIENT_RESOURCES;
    pthread_mutex_lock(&lock);
    if (status == STATUS_SUCCESS) {
        file->next = files;
        files = file;
    } else {
        file_count -= room;
    }
    pthread_mutex_unlock(&lock);
    if (status != STATUS_SUCCESS)
        free(file);
    return (uint32_t)status;
}

// With the lock held. Ends the file once nobody starts a request on it.
static void close_file(struct file *file)
{
    *find(file->id) = file->next;
    file_count--;
    while (file->users)
        pthread_cond_wait(&file_unused, &lock);
    pthread_mutex_unlock(&lock);
    ntos_file_close(file->file);
    free(file);
    pthread_mutex_lock(&lock);
}

void wall_device_close(uint64_t file_id)
{
    pthread_mutex_lock(&lock);
    struct file *file = *find(file_id);
    if (file)
        close_file(file);
    pthread_mutex_unlock(&lock);
}

void wall_devices_disconnected(void)
{
    pthread_mutex_lock(&lock);
    while (files)
        close_file(files);
    pthread_mutex_unlock(&lock);
}

static void answer(struct asked *asked)
{
    const void *output = NULL;
    uint32_t size = 0;
    struct wall_device_control_reply reply = { 0 };
    reply.reply.status = (uint32_t)ntos_request_result(asked->request, &output, &size);
    reply.output = (FWP_BYTE_BLOB){ size, (UINT8 *)(uintptr_t)output };
    wall_channel_reply(asked->generation, WALL_MESSAGE_DEVICE_CONTROL, asked->serial, &reply);
    ntos_request_free(asked->request);
    free(asked);
}

static void *send_answers(void *unused)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        struct asked *asked = answered;
        if (!asked) {
            pthread_cond_wait(&to_answer, &lock);
            continue;
        }
        if (!(answered = asked->next))
            last_answered = &answered;
        pthread_mutex_unlock(&lock);
        answer(asked);
        pthread_mutex_lock(&lock);
    }
    return NULL;
}

static void on_done(void *context, struct ntos_request *request)
{
    struct asked *asked = context;
    pthread_mutex_lock(&lock);
    asked->request = request;
    bool queued = asked->started;
    if (queued) {
        *last_answered = asked;
        last_answered = &asked->next;
    }
    pthread_mutex_unlock(&lock);
    if (queued)
        pthread_cond_signal(&to_answer);
}

// The thread lasts as long as the process: requests may complete at any time.
static bool start_answering(void)
{
    pthread_t thread;
    pthread_mutex_lock(&lock);
    if (!running && wall_thread_start(send_answers, NULL, &thread) == 0) {
        pthread_detach(thread);
        running = true;
    }
    bool good = running;
    pthread_mutex_unlock(&lock);
    return good;
}

static uint32_t control(uint64_t generation, uint32_t serial, const struct wall_device_control_request *request)
{
    struct asked *asked = start_answering() ? calloc(1, sizeof(*asked)) : NULL;
    if (!asked)
        return (uint32_t)STATUS_INSUFFICIENT_RESOURCES;
    *asked = (struct asked){ .generation = generation, .serial = serial };
    pthread_mutex_lock(&lock);
    struct file *file = *find(request->file_id);
    if (file)
        file->users++;
    pthread_mutex_unlock(&lock);
    const struct ntos_request_options options = {
        .kind = NTOS_REQUEST_CONTROL, .code = request->code, .input = request->input.data,
        .input_size = request->input.size, .output_size = request->output_size, .done = on_done, .context = asked,
    };
    struct ntos_request *started;
    bool asks = file && ntos_request_start(file->file, &options, &started) == 0;
    pthread_mutex_lock(&lock);
    if (file)
        file->users--;
    asked->started = true;
    bool complete = asked->request;
    pthread_mutex_unlock(&lock);
    pthread_cond_broadcast(&file_unused);
    if (asks && complete)
        answer(asked);
    if (asks)
        return 0;  // unless it was complete, the other thread owns it
    free(asked);
    return (uint32_t)(file ? STATUS_INVALID_PARAMETER : STATUS_INVALID_HANDLE);
}

void wall_device_run(uint64_t generation, enum wall_message_type type, uint32_t serial, void *object)
{
    if (type == WALL_MESSAGE_DEVICE_OPEN) {
        wall_channel_refuse(generation, type, serial, open_file(object));
        return;
    }
    uint32_t status = control(generation, serial, object);
    if (status)
        wall_channel_refuse(generation, type, serial, status);
}
