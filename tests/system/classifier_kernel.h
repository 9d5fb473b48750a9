// The evaluator in the kernel, for the test and the bench: tables in, questions in, decisions out.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compile/bundle.h"
#include "wire/question.bpf.h"

#define CLASSIFIER_QUESTIONS 4096u  // in the tables of classifier.bpf.c

struct classifier_bpf;

struct classifier {
    struct classifier_bpf *programs;
    struct wall_question *questions;        // mapped: CLASSIFIER_QUESTIONS of them
    const struct wall_decision *decisions;  // mapped: of the questions of the same number
};

// Loads the programs. Returns 0, or a negative errno (-EPERM: not root).
int classifier_open(struct classifier *classifier);
void classifier_close(struct classifier *classifier);

// Decides by this policy from now on. Returns 0 or a negative errno.
int classifier_load(struct classifier *classifier, const struct wall_bundle *bundle);

// Answers the first `count` questions; more than CLASSIFIER_QUESTIONS begins again with the first one. `idle`: does all
// but decide. Returns the time it took in nanoseconds, or a negative errno.
int64_t classifier_run(const struct classifier *classifier, uint32_t count, bool idle);
