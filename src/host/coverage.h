// What Ringwall sees and enforces on this machine right now, and what not: found out by asking the kernel.
#pragma once

#include <stddef.h>

enum wall_coverage_state {
    WALL_COVERAGE_OPEN,     // there is such traffic, and it is not judged
    WALL_COVERAGE_PARTIAL,  // part of it is not judged
    WALL_COVERAGE_IDLE,     // no rule needs the hooks: they are not attached, and all of it is permitted
    WALL_COVERAGE_COVERED,  // judged
    WALL_COVERAGE_ABSENT,   // this kernel has no such traffic
};

#define WALL_COVERAGE_ITEMS_MAX 32
#define WALL_COVERAGE_DETAIL_SIZE 512

struct wall_coverage_item {
    const char *name;
    enum wall_coverage_state state;
    char detail[WALL_COVERAGE_DETAIL_SIZE];  // a sentence or two for people; UTF-8 but for names of programs
};

struct wall_coverage {
    size_t count;
    struct wall_coverage_item items[WALL_COVERAGE_ITEMS_MAX];
};

// Looks at the hooks this process holds on the cgroup `scope` (an absolute path), at the kernel's protocols, and at the
// programs of the scope. Reads much of /proc: for people who ask, not for every moment. Needs root to see it all.
// Returns 0, or a negative errno when the scope cannot be read.
int wall_coverage_probe(const char *scope, struct wall_coverage *ret_coverage);
