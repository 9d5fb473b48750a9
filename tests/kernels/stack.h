// The stack of a BPF program as Linux 6.1 counts it: each function's frame is rounded up to 32 bytes, and the sum along
// any chain of calls is at most 512. Later kernels allow more, and would let a program pass that 6.1 refuses.
#pragma once

#include <stddef.h>

#include <linux/bpf.h>

#define STACK_MAX 512
#define STACK_CALLS_MAX 8  // functions in one chain

// The deepest chain of calls from the first instruction on. Returns its bytes; *ret_calls are the functions of the
// longest one. Negative: the calls cannot be followed.
int stack_depth(const struct bpf_insn *instructions, size_t count, int *ret_calls);
