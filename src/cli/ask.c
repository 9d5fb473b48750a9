#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/control.h"
#include "cli/question.h"
#include "cli/table.h"
#include "cli/text.h"

#define DRIVER_DEFAULT "ask"

// --- list ---

static void add_row(struct wall_table *table, const struct wall_question *question, bool first)
{
    char age[WALL_TEXT_SHORT_MAX], remote[WALL_QUESTION_TEXT_SIZE], protocol[4];
    wall_text_duration(question->record.age_ms * 1000000, age);
    wall_question_remote(question, remote);
    wall_table_add(table, first ? question->program : "");
    wall_table_add_format(table, "%llu", question->record.id);
    wall_table_add_format(table, "%u", question->record.process_id);
    wall_table_add(table, wall_question_direction(question));
    wall_table_add(table, wall_question_protocol(question, protocol));
    wall_table_add(table, remote);
    wall_table_add(table, age);
}

static int print_table(const struct wall_questions *questions)
{
    struct wall_table table;
    if (questions->count == 0) {
        puts("No connection waits for an answer.");
        return 0;
    }
    wall_table_init(&table, (const char *const[]){ "PROGRAM", ">ID", ">PROCESS", "WAY", "PROTOCOL", "REMOTE", "FOR",
                                                   NULL });
    for (size_t i = 0; i < questions->count; i++) {
        const struct wall_question *question = &questions->list[i];
        add_row(&table, question, i == 0 || strcmp(question->program, questions->list[i - 1].program) != 0);
    }
    int r = wall_table_print(&table, stdout);
    wall_table_done(&table);
    return r;
}

static int print_json(const struct wall_questions *questions)
{
    json_t *list = json_array();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < questions->count && r == 0; i++)
        r = json_array_append_new(list, wall_question_json(&questions->list[i])) < 0 ? -ENOMEM : 0;
    json_t *all = r == 0 ? json_pack("{s:O, s:i, s:i, s:i}", "questions", list, "waiting",
                                     (int)questions->state.waiting, "refused", (int)questions->state.refused,
                                     "timedOut", (int)questions->state.timed_out)
                         : NULL;
    if (r == 0 && !all)
        r = -ENOMEM;
    if (r == 0 && (json_dumpf(all, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF))
        r = -EIO;
    json_decref(all);
    json_decref(list);
    return r;
}

static int print_line(const struct wall_question *question, bool as_json)
{
    if (as_json) {
        json_t *json = wall_question_json(question);
        int r = json ? json_dumpf(json, stdout, JSON_COMPACT) : -ENOMEM;
        json_decref(json);
        if (r < 0)
            return json ? -EIO : -ENOMEM;
        putchar('\n');
        return 0;
    }
    char remote[WALL_QUESTION_TEXT_SIZE], protocol[4];
    char *program = wall_text_clean(question->program);
    wall_question_remote(question, remote);
    printf("%llu  %s  process %u  %s %s %s\n", question->record.id, program ? program : "?",
           question->record.process_id, wall_question_direction(question), wall_question_protocol(question, protocol),
           remote);
    free(program);
    return 0;
}

// Prints questions as they come, until the driver or the service goes away.
static int follow(struct wall_questions *questions, bool as_json, char *error)
{
    uint64_t last = 0;
    for (;;) {
        int r = wall_questions_fetch(questions, last, error);
        for (size_t i = 0; i < questions->count && r == 0; i++) {
            r = print_line(&questions->list[i], as_json);
            last = questions->list[i].record.id;
        }
        if (r == 0 && fflush(stdout) != 0)
            r = -errno;
        if (r == 0)
            r = wall_questions_wait(questions, error);
        if (r < 0)
            return r;
    }
}

static int list(const struct wall_arguments *arguments, struct wall_questions *questions)
{
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    bool as_json = wall_argument_given(arguments, "json");
    int r;
    if (wall_argument_given(arguments, "follow")) {
        r = follow(questions, as_json, error);
    } else {
        r = wall_questions_fetch(questions, 0, error);
        wall_questions_group(questions);
        if (r == 0)
            r = as_json ? print_json(questions) : print_table(questions);
    }
    return r < 0 ? wall_control_complain(r, error) : WALL_EXIT_OK;
}

// --- answer ---

static int parse_id(const char *text, uint64_t *ret_id)
{
    char *end;
    errno = 0;
    *ret_id = strtoull(text, &end, 10);
    return errno || *text < '0' || *text > '9' || *end || *ret_id == 0 ? -EINVAL : 0;
}

// Each of the questions; those that are not open any more make the exit code, and do not keep the others back.
static int answer(const struct wall_arguments *arguments, struct wall_questions *questions)
{
    size_t last = arguments->positional_count - 1;
    enum ask_verdict verdict = strcmp(arguments->positional[last], "allow") == 0 ? ASK_ALLOW : ASK_BLOCK;
    bool remember = wall_argument_given(arguments, "remember");
    int code = WALL_EXIT_OK;
    for (size_t i = 1; i < last; i++) {
        char error[WALL_CONTROL_ERROR_SIZE] = "";
        uint64_t id = 0;
        uint32_t answered = 0;
        (void)parse_id(arguments->positional[i], &id);
        int r = wall_questions_answer(questions, id, verdict, remember, &answered, error);
        if (r == -ENOENT) {
            wall_complain("question %" PRIu64 " is not open any more", id);
            code = WALL_EXIT_NOT_FOUND;
        } else if (r < 0) {
            return wall_control_complain(r, error);
        } else if (answered > 1) {
            printf("Question %" PRIu64 " and %u more of this program are answered.\n", id, answered - 1);
        }
    }
    return code;
}

static int check_answer(const struct wall_arguments *arguments, struct wall_error *err)
{
    size_t count = arguments->positional_count;
    const char *verdict = count > 2 ? arguments->positional[count - 1] : "";
    if (strcmp(verdict, "allow") != 0 && strcmp(verdict, "block") != 0)
        return wall_error_set(err, -EINVAL, "give the questions and then allow or block");
    for (size_t i = 1; i + 1 < count; i++) {
        uint64_t id;
        if (parse_id(arguments->positional[i], &id) < 0)
            return wall_error_set(err, -EINVAL, "'%s' is not the number of a question", arguments->positional[i]);
    }
    return 0;
}

// --- The command ---

static int run_ask(const struct wall_arguments *arguments)
{
    struct wall_error err;
    struct wall_control *control;
    struct wall_questions questions;
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    const char *driver = wall_argument(arguments, "driver", 0);
    const char *word = arguments->positional_count ? arguments->positional[0] : "list";
    bool answers = strcmp(word, "answer") == 0;
    int r = 0;
    if (answers)
        r = check_answer(arguments, &err);
    else if (strcmp(word, "list") != 0 || arguments->positional_count > 1)
        r = wall_error_set(&err, -EINVAL, "'%s' is neither list nor answer", word);
    if (r < 0)
        return wall_complain_usage(arguments, &err);
    int code = wall_control_reach(&control);
    if (code != 0)
        return code;
    r = wall_questions_open(driver ? driver : DRIVER_DEFAULT, control, &questions, error);
    if (r == -ENODEV) {
        wall_complain("the driver %s is not loaded; load it with: ringwall load ask.so",
                      driver ? driver : DRIVER_DEFAULT);
        code = WALL_EXIT_NOT_FOUND;
    } else if (r < 0) {
        code = wall_control_complain(r, error);
    } else {
        code = answers ? answer(arguments, &questions) : list(arguments, &questions);
        wall_questions_done(&questions);
    }
    wall_control_close(control);
    return code;
}

static const struct wall_option options[] = {
    { "remember", NULL, "Answer this program's later connections in this direction as well.", false },
    { "follow", NULL, "Print questions as they come, one on a line.", false },
    { "json", NULL, "Print JSON.", false },
    { "driver", "NAME", "The name the driver was loaded under; ask if not given.", false },
    { 0 },
};

const struct wall_command wall_command_ask = {
    .name = "ask",
    .summary = "List connections that wait for an answer, and answer them.",
    .usage = "[list | answer ID... allow|block]",
    .description = "The ask driver keeps a connection waiting until it is answered here, and lets the same connection\n"
                   "go on. Questions may be answered in any order and from several terminals at once.\n",
    .examples = "  ringwall ask\n"
                "  ringwall ask answer 17 allow --remember\n"
                "  ringwall ask answer 18 19 block\n"
                "  ringwall ask --follow --json\n",
    .options = options,
    .positional_max = 1024,
    .run = run_ask,
};
