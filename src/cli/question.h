// Questions of the ask driver, as the command line shows and answers them.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <ringwall/ask.h>
#include <ringwall/control.h>

struct wall_question {
    struct ask_question record;
    char *program;  // UTF-8
};

struct wall_questions {
    struct wall_control *control;
    uint64_t file;
    struct ask_list_output state;  // of the last fetch
    struct wall_question *list;    // grouped by program, the oldest question of each first
    size_t count;
};

// Opens the device of the driver of this name. Returns 0 or a negative errno with `error` (WALL_CONTROL_ERROR_SIZE).
int wall_questions_open(const char *driver, struct wall_control *control, struct wall_questions *ret_questions,
                        char *error);
void wall_questions_done(struct wall_questions *questions);
// Fetches those with an id above `after`.
int wall_questions_fetch(struct wall_questions *questions, uint64_t after, char *error);
// Groups them by program.
void wall_questions_group(struct wall_questions *questions);
// Waits until anything has changed since the last fetch.
int wall_questions_wait(struct wall_questions *questions, char *error);
// Answers one: -ENOENT when it is not open any more. `ret_answered` counts those a remembered answer has settled too.
int wall_questions_answer(struct wall_questions *questions, uint64_t id, enum ask_verdict verdict, bool remember,
                          uint32_t *ret_answered, char *error);

// A new reference, NULL when memory is short.
json_t *wall_question_json(const struct wall_question *question);
// "out TCP 10.0.0.1:4711", and what the other side is.
#define WALL_QUESTION_TEXT_SIZE 80
void wall_question_remote(const struct wall_question *question, char text[WALL_QUESTION_TEXT_SIZE]);
const char *wall_question_direction(const struct wall_question *question);
const char *wall_question_protocol(const struct wall_question *question, char text[4]);
