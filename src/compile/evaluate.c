#include "compile/evaluate.h"

typedef long (*loop_step)(uint32_t index, void *context);

// What the kernel's helper of this name does.
static long bpf_loop(uint32_t count, loop_step step, void *context, uint64_t flags)
{
    (void)flags;
    for (uint32_t i = 0; i < count; i++)
        if (step(i, context))
            return i + 1;
    return count;
}

#include "wire/evaluate.bpf.h"

void wall_pages_evaluate(const void *pages, uint32_t page_count, uint32_t layer, const struct wall_question *question,
                         struct wall_decision *ret_decision)
{
    const struct wall_tables_image tables = { pages, page_count };
    struct wall_evaluation evaluation = { .question = *question };
    wall_evaluate(&tables, layer, &evaluation);
    *ret_decision = evaluation.decision;
}
