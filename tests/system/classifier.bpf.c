// Runs the evaluator in the kernel over a table of questions: what tests/system/classifier.c and bench/classifier.c
// load.
#include <stdint.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "wire/evaluate.bpf.h"

struct tables {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(uint32_t));
    __uint(value_size, WALL_PAGE_BYTES);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __array(values, struct tables);
} policy SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 4096);
    __type(key, uint32_t);
    __type(value, struct wall_question);
} questions SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 4096);
    __type(key, uint32_t);
    __type(value, struct wall_decision);
} decisions SEC(".maps");

char LICENSE[] SEC("license") = "Dual MIT/GPL";

static long ask_one(uint32_t index, void *context)
{
    uint32_t zero = 0, at = index & 4095;
    (void)context;
    void *tables = bpf_map_lookup_elem(&policy, &zero);
    struct wall_question *question = bpf_map_lookup_elem(&questions, &at);
    struct wall_decision *decision = bpf_map_lookup_elem(&decisions, &at);
    if (!tables || !question || !decision)
        return 1;
    struct wall_evaluation evaluation = { .question = *question };
    wall_evaluate(tables, 0, &evaluation);
    *decision = evaluation.decision;
    return 0;
}

// Answers as many questions as the packet's mark says, from the first one on, again and again.
SEC("tc")
int classifier_run(struct __sk_buff *skb)
{
    bpf_loop(skb->mark, ask_one, 0, 0);
    return 0;
}

static long ask_nothing(uint32_t index, void *context)
{
    uint32_t zero = 0, at = index & 4095;
    (void)context;
    void *tables = bpf_map_lookup_elem(&policy, &zero);
    struct wall_question *question = bpf_map_lookup_elem(&questions, &at);
    struct wall_decision *decision = bpf_map_lookup_elem(&decisions, &at);
    if (!tables || !question || !decision)
        return 1;
    struct wall_evaluation evaluation = { .question = *question };
    __asm__ volatile("" ::"r"(&evaluation) : "memory");
    *decision = evaluation.decision;
    return 0;
}

// The same without the evaluation: what the harness costs.
SEC("tc")
int classifier_idle(struct __sk_buff *skb)
{
    bpf_loop(skb->mark, ask_nothing, 0, 0);
    return 0;
}
