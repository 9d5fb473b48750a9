#include "classifier_kernel.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "classifier.skel.h"
#include "datapath/linux/tables.h"

static void *map_values(const struct bpf_map *map, size_t size, int protection)
{
    void *values = mmap(NULL, size * CLASSIFIER_QUESTIONS, protection, MAP_SHARED, bpf_map__fd(map), 0);
    return values == MAP_FAILED ? NULL : values;
}

int classifier_open(struct classifier *classifier)
{
    *classifier = (struct classifier){ .programs = classifier_bpf__open_and_load() };
    if (!classifier->programs)
        return -errno;
    classifier->questions = map_values(classifier->programs->maps.questions, sizeof(struct wall_question),
                                       PROT_READ | PROT_WRITE);
    classifier->decisions = map_values(classifier->programs->maps.decisions, sizeof(struct wall_decision), PROT_READ);
    if (!classifier->questions || !classifier->decisions) {
        classifier_close(classifier);
        return -ENOMEM;
    }
    return 0;
}

void classifier_close(struct classifier *classifier)
{
    if (classifier->questions)
        munmap(classifier->questions, sizeof(struct wall_question) * CLASSIFIER_QUESTIONS);
    if (classifier->decisions)
        munmap((void *)(uintptr_t)classifier->decisions, sizeof(struct wall_decision) * CLASSIFIER_QUESTIONS);
    classifier_bpf__destroy(classifier->programs);
    *classifier = (struct classifier){ 0 };
}

int classifier_load(struct classifier *classifier, const struct wall_bundle *bundle)
{
    const uint32_t first = 0;
    int fd = wall_tables_fill(bundle);
    if (fd < 0)
        return fd;
    int r = bpf_map_update_elem(bpf_map__fd(classifier->programs->maps.policy), &first, &fd, BPF_ANY) ? -errno : 0;
    close(fd);
    return r;
}

int64_t classifier_run(const struct classifier *classifier, uint32_t count, bool idle)
{
    uint8_t packet[64] = { 0 };
    struct __sk_buff context = { .mark = count };
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet), .ctx_in = &context,
                .ctx_size_in = sizeof(context), .repeat = 1);
    const struct bpf_program *program = idle ? classifier->programs->progs.classifier_idle
                                             : classifier->programs->progs.classifier_run;
    int r = bpf_prog_test_run_opts(bpf_program__fd(program), &options);
    return r < 0 ? r : (int64_t)options.duration;
}
