// The evaluator of the kernel, built for user space: what a table image says about one flow.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/question.bpf.h"

// Decides one flow exactly as the BPF programs do (wire/evaluate.bpf.h). `image` is `bytes` long. Anything may be in
// the image: what is damaged holds the flow.
void wall_image_evaluate(const void *image, size_t bytes, const struct wall_question *question,
                         struct wall_decision *ret_decision);
