#include "stack.h"

#include <stdbool.h>
#include <stdlib.h>

#define FRAME_STEP 32
#define REGISTERS 11
#define DEPTH_MAX 64  // of the search: a program that calls itself is refused by every kernel

struct program {
    const struct bpf_insn *instructions;
    size_t count;
    bool *is_start;  // of a function, by instruction
};

static bool is_call(const struct bpf_insn *at)
{
    return at->code == (BPF_JMP | BPF_CALL) && at->src_reg == BPF_PSEUDO_CALL;
}

// A function that is handed to a helper, which calls it.
static bool is_callback(const struct bpf_insn *at)
{
    return at->code == (BPF_LD | BPF_IMM | BPF_DW) && at->src_reg == BPF_PSEUDO_FUNC;
}

static size_t target(const struct program *program, size_t at)
{
    return (size_t)((long)at + program->instructions[at].imm + 1);
}

static bool find_starts(struct program *program)
{
    program->is_start[0] = true;
    for (size_t i = 0; i < program->count; i++) {
        const struct bpf_insn *at = &program->instructions[i];
        if (!is_call(at) && !is_callback(at))
            continue;
        if (target(program, i) >= program->count)
            return false;
        program->is_start[target(program, i)] = true;
    }
    return true;
}

static int deeper(int frame, int offset)
{
    return -offset > frame ? -offset : frame;
}

// The register whose memory an instruction reads or writes, or -1.
static int base_of(const struct bpf_insn *at)
{
    switch (BPF_CLASS(at->code)) {
    case BPF_LDX:
        return at->src_reg;
    case BPF_ST:
    case BPF_STX:
        return at->dst_reg;
    default:
        return -1;
    }
}

// What one instruction does to the stack; `is_frame`: which registers are the frame pointer.
static int touch(const struct bpf_insn *at, bool is_frame[REGISTERS], int frame)
{
    int base = base_of(at);
    bool adds = at->code == (BPF_ALU64 | BPF_ADD | BPF_K), moves = at->code == (BPF_ALU64 | BPF_MOV | BPF_X);
    unsigned class = BPF_CLASS(at->code);
    if (base >= 0 && is_frame[base])
        frame = deeper(frame, at->off);
    if (adds && is_frame[at->dst_reg])
        frame = deeper(frame, at->imm);
    if (class == BPF_ALU || class == BPF_ALU64 || class == BPF_LDX || class == BPF_LD)
        is_frame[at->dst_reg] = moves && at->src_reg == BPF_REG_10;
    return frame;
}

static int depth_of(const struct program *program, size_t start, int calls, int *ret_calls)
{
    bool is_frame[REGISTERS] = { [BPF_REG_10] = true };
    int frame = 1, below = 0;
    if (calls > DEPTH_MAX)
        return -1;
    *ret_calls = calls > *ret_calls ? calls : *ret_calls;
    for (size_t i = start; i < program->count && (i == start || !program->is_start[i]); i++) {
        const struct bpf_insn *at = &program->instructions[i];
        if (is_call(at) || is_callback(at)) {
            int depth = depth_of(program, target(program, i), calls + 1, ret_calls);
            if (depth < 0)
                return -1;
            below = depth > below ? depth : below;
        }
        frame = touch(at, is_frame, frame);
    }
    return (frame + FRAME_STEP - 1) / FRAME_STEP * FRAME_STEP + below;
}

int stack_depth(const struct bpf_insn *instructions, size_t count, int *ret_calls)
{
    struct program program = { instructions, count, calloc(count + 1, sizeof(bool)) };
    *ret_calls = 0;
    int depth = program.is_start && count && find_starts(&program) ? depth_of(&program, 0, 1, ret_calls) : -1;
    free(program.is_start);
    return depth;
}
