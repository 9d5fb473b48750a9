// What each CPU has for itself: an element of the map `cpus`, some pages each, so that no CPU waits for another one's
// writes. Found by arithmetic; in the kernel's own arrays for each CPU, an element takes a load to be found and lies
// anywhere.
#pragma once

#include "wire/flow.bpf.h"
#include "wire/question.bpf.h"

#define WALL_CPU_BYTES 12288u
#define WALL_QUESTION_WORDS 10u

// What the tables said to a question lately (recent.bpf.h). Two cache lines.
struct wall_answer {
    uint64_t turn;  // turn.bpf.h
    uint32_t generation, layer;
    uint64_t question[WALL_QUESTION_WORDS];
    uint64_t filter_id;
    uint64_t verdict;  // enum wall_verdict
    uint64_t reserved[2];
};

_Static_assert(sizeof(struct wall_question) == WALL_QUESTION_WORDS * sizeof(uint64_t), "all of it is kept");
_Static_assert(sizeof(struct wall_answer) == 128, "two cache lines");

// An executable that was looked up lately (place.bpf.h). One cache line.
struct wall_near_executable {
    uint64_t turn;
    struct wall_executable_key key;
    struct wall_executable value;
    uint64_t forgotten;  // as in the state, when it was found
};

_Static_assert(sizeof(struct wall_near_executable) == 64, "one cache line");

#define WALL_ANSWER_BITS 6u
#define WALL_NEAR_BITS 4u

struct wall_cpu {
    struct wall_answer answers[1u << WALL_ANSWER_BITS];
    struct wall_near_executable executables[1u << WALL_NEAR_BITS];
    uint64_t counters[WALL_COUNTER_COUNT_];
    uint8_t reserved[WALL_CPU_BYTES - (sizeof(struct wall_answer) << WALL_ANSWER_BITS) -
                     (sizeof(struct wall_near_executable) << WALL_NEAR_BITS) -
                     WALL_COUNTER_COUNT_ * sizeof(uint64_t)];
};

_Static_assert(sizeof(struct wall_cpu) == WALL_CPU_BYTES, "whole pages");
