#include "callout_script.h"

#include "client/channel.h"

// --- What libntos would be ---

static _Thread_local uint8_t irql;
static _Thread_local uint32_t process;

uint8_t KeGetCurrentIrql(void);
uint8_t KfRaiseIrql(uint8_t to);
void KeLowerIrql(uint8_t to);
uint32_t ntos_process_enter(uint32_t id);

uint8_t KeGetCurrentIrql(void)
{
    return irql;
}

uint8_t KfRaiseIrql(uint8_t to)
{
    uint8_t before = irql;
    irql = to;
    return before;
}

void KeLowerIrql(uint8_t to)
{
    irql = to;
}

uint32_t ntos_process_enter(uint32_t id)
{
    uint32_t before = process;
    process = id;
    return before;
}

// --- The service's side ---

struct fake_service service;
struct fake_connection *channel;  // of the callouts

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
unsigned registrations, unregistrations;
uint32_t refuse_registration, refuse_unregistration, refuse_flow;
uint32_t first_id;  // given to the first registration
static char report[512];
GUID registered_key;
uint8_t registered_flow_delete;

struct answer answers[SERIALS];

static void note_answer(const struct wall_frame *frame, void *object)
{
    const struct wall_reply *reply = object;
    pthread_mutex_lock(&lock);
    answers[frame->serial].answered = true;
    answers[frame->serial].status = reply->status;
    if (frame->type == WALL_MESSAGE_CLASSIFY)
        answers[frame->serial].out = ((struct wall_classify_reply *)object)->out;
    if (frame->type == WALL_MESSAGE_NOTIFY)
        answers[frame->serial].filter_context = ((struct wall_notify_reply *)object)->filter_context;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void note_registration(struct fake_connection *connection, const struct wall_frame *frame,
                              const struct wall_callout_register_request *request)
{
    channel = connection;
    registered_key = request->key;
    registered_flow_delete = request->flow_delete;
    if (refuse_registration)
        fake_refuse(connection, frame, refuse_registration, NULL);
    else
        fake_reply(connection, frame, &(struct wall_callout_register_reply){ .callout_id = first_id + registrations });
    pthread_mutex_lock(&lock);
    registrations++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static bool answer(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    if (frame->flags & WALL_FRAME_REPLY) {
        note_answer(frame, object);
        return true;
    }
    switch (frame->type) {
    case WALL_MESSAGE_CALLOUT_REGISTER:
        note_registration(connection, frame, object);
        return true;
    case WALL_MESSAGE_CALLOUT_UNREGISTER:
        unregistrations++;
        fake_refuse(connection, frame, refuse_unregistration, NULL);
        return true;
    case WALL_MESSAGE_FLOW_ASSOCIATE:
        fake_refuse(connection, frame, refuse_flow, NULL);
        return true;
    case WALL_MESSAGE_FLOW_REMOVE:
        fake_refuse(connection, frame, refuse_flow, NULL);
        return true;
    case WALL_MESSAGE_REPORT:
        pthread_mutex_lock(&lock);
        snprintf(report, sizeof(report), "%s", ((struct wall_report_notification *)object)->text);
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
        return true;
    default:
        return false;
    }
}

uint32_t wait_answer(uint32_t serial)
{
    pthread_mutex_lock(&lock);
    while (!answers[serial].answered)
        pthread_cond_wait(&changed, &lock);
    uint32_t status = answers[serial].status;
    pthread_mutex_unlock(&lock);
    return status;
}

void wait_report(const char *text)
{
    pthread_mutex_lock(&lock);
    while (!strstr(report, text))
        pthread_cond_wait(&changed, &lock);
    report[0] = '\0';
    pthread_mutex_unlock(&lock);
}

int start(void **state)
{
    service.handle = answer;
    service.protocol = 0;
    fake_service_start(&service);
    registrations = unregistrations = 0;
    refuse_registration = refuse_unregistration = refuse_flow = 0;
    first_id = 300;
    report[0] = '\0';
    memset(answers, 0, sizeof(answers));
    return 0;
}

int stop(void **state)
{
    fake_service_stop(&service);
    wall_channel_stop();
    return 0;
}

// --- The driver's side ---

struct driver driver;

void classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                     void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                     FWPS_CLASSIFY_OUT0 *out)
{
    pthread_mutex_lock(&lock);
    driver.calls++;
    driver.running++;
    if (driver.running > driver.most_running)
        driver.most_running = driver.running;
    driver.irql = irql;
    driver.process = process;
    driver.layer_id = values->layerId;
    driver.remote_port = values->valueCount > 1 ? values->incomingValue[1].value.uint16 : 0;
    driver.metadata = *metadata;
    if (FWPS_IS_METADATA_FIELD_PRESENT(metadata, FWPS_METADATA_FIELD_PROCESS_PATH))
        memcpy(driver.path, metadata->processPath->data, metadata->processPath->size);
    driver.had_classify_context = context != NULL;
    driver.had_layer_data = layer_data != NULL;
    driver.seen_context = filter->context;
    driver.callout_id = filter->action.calloutId;
    driver.condition_port = filter->numFilterConditions ? filter->filterCondition[0].conditionValue.uint16 : 0;
    driver.flow_context = flow_context;
    driver.suggested = out->actionType;
    pthread_cond_broadcast(&changed);
    while (driver.wait)
        pthread_cond_wait(&changed, &lock);
    out->actionType = driver.answer;
    if (driver.answer == FWP_ACTION_BLOCK)
        out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
    driver.running--;
    uint8_t leave = driver.leave_irql;
    pthread_mutex_unlock(&lock);
    if (leave)
        irql = (uint8_t)(leave - 1);
}

NTSTATUS notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER3 *filter)
{
    pthread_mutex_lock(&lock);
    driver.notifications++;
    driver.type = type;
    driver.had_key = key != NULL;
    driver.irql = irql;
    driver.deleted_context = filter->context;
    if (type == FWPS_CALLOUT_NOTIFY_ADD_FILTER && driver.give_context)
        filter->context = driver.give_context;
    NTSTATUS status = driver.notify_answer;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return status;
}

static void flow_deleted(UINT16 layer, UINT32 callout, UINT64 context)
{
    pthread_mutex_lock(&lock);
    driver.deletions++;
    driver.deleted_flow_context = context;
    driver.irql = irql;
    driver.callout_id = callout;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

const GUID callout_key = { 0x12345678, 1, 2, { 3, 4, 5, 6, 7, 8, 9, 10 } };

UINT32 register_driver(void)
{
    UINT32 id = 0;
    memset(&driver, 0, sizeof(driver));
    driver.answer = FWP_ACTION_PERMIT;
    FWPS_CALLOUT3 callout = { callout_key, 0, classify, notify, flow_deleted };
    assert_int_equal(FwpsCalloutRegister3(NULL, &callout, &id), STATUS_SUCCESS);
    return id;
}

void ask(uint32_t serial, uint8_t at_irql, uint32_t callout_id)
{
    FWPS_INCOMING_VALUE0 values[] = { { { .type = FWP_EMPTY } }, { { .type = FWP_UINT16, .uint16 = 443 } } };
    static WCHAR path[] = L"/usr/bin/curl";
    FWP_BYTE_BLOB blob = { sizeof(path), (UINT8 *)path };
    FWPS_FILTER_CONDITION0 condition = { .fieldId = 1, .conditionValue = { .type = FWP_UINT16, .uint16 = 80 } };
    struct wall_classify_request request = {
        .classify_id = 1000 + serial,
        .callout_id = callout_id,
        .irql = at_irql,
        .flow_context = 0xF10,
        .values = { .layerId = 48, .valueCount = 2, .incomingValue = values },
        .metadata = { .present = FWPS_METADATA_FIELD_PROCESS_PATH | FWPS_METADATA_FIELD_PROCESS_ID |
                                 FWPS_METADATA_FIELD_FLOW_HANDLE | FWPS_METADATA_FIELD_TRANSPORT_HEADER_INCLUDE_HEADER,
                      .process_path = &blob,
                      .process_id = 4242,
                      .flow_handle = 77 },
        .filter = { .filterId = 9,
                    .context = 0xC0,
                    .numFilterConditions = 1,
                    .filterCondition = &condition,
                    .action = { FWP_ACTION_CALLOUT_TERMINATING, callout_id } },
        .out = { .actionType = FWP_ACTION_CONTINUE, .rights = FWPS_RIGHT_ACTION_WRITE },
    };
    fake_request(channel, WALL_MESSAGE_CLASSIFY, serial, &request);
}

void tell(uint32_t serial, FWPS_CALLOUT_NOTIFY_TYPE type, uint64_t filter_id)
{
    GUID filter_key = { .Data1 = 5 };
    struct wall_notify_request request = { .callout_id = first_id,
                                           .type = type,
                                           .filter_key = type == FWPS_CALLOUT_NOTIFY_DELETE_FILTER ? NULL : &filter_key,
                                           .filter = { .filterId = filter_id, .context = 0xC0 } };
    fake_request(channel, WALL_MESSAGE_NOTIFY, serial, &request);
}

void hold_driver(void)
{
    pthread_mutex_lock(&lock);
    driver.wait = true;
    pthread_mutex_unlock(&lock);
}

void wait_running(unsigned count)
{
    pthread_mutex_lock(&lock);
    while (driver.running < count)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

void release_driver(void)
{
    pthread_mutex_lock(&lock);
    driver.wait = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void wait_registrations(unsigned count)
{
    pthread_mutex_lock(&lock);
    while (registrations < count)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}
