#include "cli/question.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ntdef.h"
#include "ntstatus.h"

#include "base/utf16.h"
#include "cli/selector.h"

// Room for some hundred questions at once; the driver tells when there are more.
#define PAGE_SIZE (256u << 10)

int wall_questions_open(const char *driver, struct wall_control *control, struct wall_questions *ret_questions,
                        char *error)
{
    *ret_questions = (struct wall_questions){ .control = control };
    return wall_control_device_open(control, driver, ASK_DEVICE_NAME, &ret_questions->file, error);
}

static void clear(struct wall_questions *questions)
{
    for (size_t i = 0; i < questions->count; i++)
        free(questions->list[i].program);
    free(questions->list);
    questions->list = NULL;
    questions->count = 0;
}

void wall_questions_done(struct wall_questions *questions)
{
    clear(questions);
}

static int error_of(uint32_t status)
{
    switch (status) {
    case (uint32_t)STATUS_SUCCESS:
        return 0;
    case (uint32_t)STATUS_NOT_FOUND:
        return -ENOENT;
    case (uint32_t)STATUS_ACCESS_DENIED:
        return -EACCES;
    default:
        return -EIO;
    }
}

static int control(struct wall_questions *questions, uint32_t code, const void *input, size_t input_size,
                   size_t output_size, struct wall_control_output **ret_output, char *error)
{
    struct wall_control_output *output;
    int r = wall_control_device_control(questions->control, questions->file, code, input, input_size, output_size,
                                        &output, error);
    if (r < 0)
        return r;
    r = error_of(output->status);
    if (r == -EIO)
        (void)snprintf(error, WALL_CONTROL_ERROR_SIZE, "the driver answers with status 0x%08x", output->status);
    if (r < 0)
        wall_control_free(output);
    else
        *ret_output = output;
    return r;
}

// What a driver sends is checked: it is another program.
static int add_record(struct wall_questions *questions, const uint8_t *at, size_t left, size_t *ret_bytes)
{
    struct ask_question record;
    if (left < sizeof(record))
        return -EBADMSG;
    memcpy(&record, at, sizeof(record));
    if (record.bytes > left || record.bytes < sizeof(record) + record.path_bytes)
        return -EBADMSG;
    uint16_t *path = calloc(1, record.path_bytes + sizeof(*path));
    if (!path)
        return -ENOMEM;
    memcpy(path, at + sizeof(record), record.path_bytes);
    char *program = wall_utf16_new_utf8(path);
    free(path);
    struct wall_question *list = reallocarray(questions->list, questions->count + 1, sizeof(*list));
    if (list)
        questions->list = list;
    if (!program || !list) {
        free(program);
        return -ENOMEM;
    }
    list[questions->count++] = (struct wall_question){ record, program };
    *ret_bytes = record.bytes;
    return 0;
}

static int add_page(struct wall_questions *questions, const struct wall_control_output *page)
{
    const uint8_t *at = page->data;
    size_t left = page->size;
    if (left < sizeof(questions->state))
        return -EBADMSG;
    memcpy(&questions->state, at, sizeof(questions->state));
    at += sizeof(questions->state);
    left -= sizeof(questions->state);
    int r = 0;
    for (uint32_t i = 0; i < questions->state.count && r == 0; i++) {
        size_t bytes = 0;
        r = add_record(questions, at, left, &bytes);
        at += bytes;
        left -= bytes;
    }
    return r;
}

int wall_questions_fetch(struct wall_questions *questions, uint64_t after, char *error)
{
    struct ask_list_input input = { after };
    int r;
    clear(questions);
    do {
        struct wall_control_output *page;
        r = control(questions, ASK_CODE_LIST, &input, sizeof(input), PAGE_SIZE, &page, error);
        if (r < 0)
            return r;
        r = add_page(questions, page);
        wall_control_free(page);
        if (r < 0)
            (void)snprintf(error, WALL_CONTROL_ERROR_SIZE, "%s",
                           r == -ENOMEM ? "no memory" : "the driver sends no list of questions");
        if (questions->count)
            input.after_id = questions->list[questions->count - 1].record.id;
    } while (r == 0 && questions->state.more && questions->state.count);
    return r;
}

static int by_program(const void *a, const void *b)
{
    const struct wall_question *left = a, *right = b;
    int order = strcmp(left->program, right->program);
    if (order != 0)
        return order;
    return left->record.id < right->record.id ? -1 : left->record.id > right->record.id;
}

void wall_questions_group(struct wall_questions *questions)
{
    if (questions->count)
        qsort(questions->list, questions->count, sizeof(questions->list[0]), by_program);
}

int wall_questions_wait(struct wall_questions *questions, char *error)
{
    const struct ask_wait known = { questions->state.sequence };
    struct wall_control_output *output;
    int r = control(questions, ASK_CODE_WAIT, &known, sizeof(known), sizeof(known), &output, error);
    if (r == 0)
        wall_control_free(output);
    return r;
}

int wall_questions_answer(struct wall_questions *questions, uint64_t id, enum ask_verdict verdict, bool remember,
                          uint32_t *ret_answered, char *error)
{
    const struct ask_answer_input input = { id, verdict, remember };
    struct wall_control_output *output;
    struct ask_answer_output answered = { 0 };
    int r = control(questions, ASK_CODE_ANSWER, &input, sizeof(input), sizeof(answered), &output, error);
    if (r < 0)
        return r;
    if (output->size >= sizeof(answered))
        memcpy(&answered, output->data, sizeof(answered));
    *ret_answered = answered.answered;
    wall_control_free(output);
    return 0;
}

// --- Showing ---

static const char *print_address(const struct ask_question *record, const unsigned char *address,
                                 char text[INET6_ADDRSTRLEN])
{
    return inet_ntop(record->family == 6 ? AF_INET6 : AF_INET, address, text, INET6_ADDRSTRLEN);
}

void wall_question_remote(const struct wall_question *question, char text[WALL_QUESTION_TEXT_SIZE])
{
    const struct ask_question *record = &question->record;
    char address[INET6_ADDRSTRLEN] = "?";
    (void)print_address(record, record->remote_address, address);
    (void)snprintf(text, WALL_QUESTION_TEXT_SIZE, record->family == 6 ? "[%s]:%u" : "%s:%u", address,
                   record->remote_port);
}

const char *wall_question_direction(const struct wall_question *question)
{
    return question->record.inbound ? "in" : "out";
}

const char *wall_question_protocol(const struct wall_question *question, char text[4])
{
    const char *name = wall_protocol_name(question->record.protocol);
    if (name)
        return name;
    (void)snprintf(text, 4, "%u", question->record.protocol);
    return text;
}

json_t *wall_question_json(const struct wall_question *question)
{
    const struct ask_question *record = &question->record;
    char local[INET6_ADDRSTRLEN] = "", remote[INET6_ADDRSTRLEN] = "", protocol[4];
    (void)print_address(record, record->local_address, local);
    (void)print_address(record, record->remote_address, remote);
    return json_pack("{s:I, s:s, s:i, s:s, s:s, s:s, s:i, s:s, s:i, s:I}", "id", (json_int_t)record->id, "program",
                     question->program, "processId", (int)record->process_id, "direction",
                     wall_question_direction(question), "protocol", wall_question_protocol(question, protocol),
                     "localAddress", local, "localPort", record->local_port, "remoteAddress", remote, "remotePort",
                     record->remote_port, "ageMs", (json_int_t)record->age_ms);
}
