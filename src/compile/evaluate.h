// The evaluator of the kernel, built for user space: what a table image says about one flow.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/question.bpf.h"

// Decides one flow exactly as the BPF programs do (wire/evaluate.bpf.h). `pages` is a bundle of `page_count` pages, or
// one layer's image (`layer` 0). Anything may be in it: what is damaged holds the flow.
void wall_pages_evaluate(const void *pages, uint32_t page_count, uint32_t layer, const struct wall_question *question,
                         struct wall_decision *ret_decision);
