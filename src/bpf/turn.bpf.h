// Taking turns at what each CPU has for itself: a program may be interrupted there by another one. A number that is odd
// while somebody writes, and changes with each writing, tells readers what not to believe. Other CPUs do not matter.
#pragma once

#include "program.bpf.h"

// The compiler must not move what is read or written here across it.
#define here_in_order() __asm__ volatile("" ::: "memory")

static __always_inline uint64_t turn_read(const uint64_t *turn)
{
    uint64_t now = *(const volatile uint64_t *)turn;
    here_in_order();
    return now;
}

// Whether what was read since turn_read() is sound: it was written, once, and nobody has been writing since.
static __always_inline bool turn_is_sound(const uint64_t *turn, uint64_t before)
{
    here_in_order();
    return before && !(before & 1) && *(const volatile uint64_t *)turn == before;
}

// Returns false when somebody else is writing.
static __always_inline bool turn_begin(uint64_t *turn)
{
    uint64_t now = turn_read(turn);
    return !(now & 1) && __sync_val_compare_and_swap(turn, now, now + 1) == now;
}

static __always_inline void turn_end(uint64_t *turn)
{
    here_in_order();
    *(volatile uint64_t *)turn += 1;
}
