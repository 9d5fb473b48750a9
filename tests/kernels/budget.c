// The verifier's budget: what each program of the datapath costs to load on this kernel, against the committed figures.
//
//   test-verifier-budget FILE            compare
//   test-verifier-budget FILE --update   print FILE with this kernel's figures in place of the old ones
//
// FILE has lines of `kernel program instructions`. It fails when a program needs a tenth more than the file says for
// this kernel, or a quarter of what any kernel accepts. A kernel without figures is held to the second limit alone. It
// also fails when a program needs more stack than Linux 6.1 has.
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath.skel.h"
#include "stack.h"

#define SKIPPED 77
#define INSTRUCTIONS_MAX 1000000u  // BPF_COMPLEXITY_LIMIT_INSNS
#define QUARTER (INSTRUCTIONS_MAX / 4)
#define PROGRAMS_MAX 64

struct figure {
    char kernel[16], program[64];
    unsigned instructions;
};

// What loading one program has shown.
struct loaded {
    double ms;
    int stack_bytes, stack_calls;
};

struct figures {
    struct figure items[8 * PROGRAMS_MAX];
    unsigned count;
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

// "6.12" of "6.12.48+deb13-cloud-amd64".
static void kernel_series(char *ret_series, size_t size)
{
    struct utsname name;
    uname(&name);
    char *minor = strchr(name.release, '.');
    if (minor)
        minor[1 + strspn(minor + 1, "0123456789")] = '\0';
    snprintf(ret_series, size, "%.15s", name.release);
}

static int read_figures(const char *path, struct figures *ret_figures)
{
    FILE *file = fopen(path, "re");
    char line[256];
    if (!file)
        return -errno;
    while (ret_figures->count < 8 * PROGRAMS_MAX && fgets(line, sizeof(line), file)) {
        struct figure *item = &ret_figures->items[ret_figures->count];
        char *rest = NULL, *kernel = strtok_r(line, " \n", &rest), *program = strtok_r(NULL, " \n", &rest);
        const char *instructions = strtok_r(NULL, " \n", &rest);
        if (!instructions)
            continue;
        snprintf(item->kernel, sizeof(item->kernel), "%s", kernel);
        snprintf(item->program, sizeof(item->program), "%s", program);
        item->instructions = (unsigned)strtoul(instructions, NULL, 10);
        ret_figures->count++;
    }
    fclose(file);
    return 0;
}

static const struct figure *find(const struct figures *figures, const char *kernel, const char *program)
{
    for (unsigned i = 0; i < figures->count; i++)
        if (!strcmp(figures->items[i].kernel, kernel) && !strcmp(figures->items[i].program, program))
            return &figures->items[i];
    return NULL;
}

// Sizes that the service would choose: the programs are the same whatever they are.
static void size_maps(struct bpf_object *object)
{
    struct bpf_map *map;
    bpf_object__for_each_map(map, object) {
        enum bpf_map_type type = bpf_map__type(map);
        if (bpf_map__max_entries(map) == 1 && (type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH))
            bpf_map__set_max_entries(map, 1024);
    }
}

// Loads one program alone. Returns the instructions the verifier has followed, or a negative errno.
static long load_one(const char *name, struct loaded *ret_loaded)
{
    struct datapath_bpf *programs = datapath_bpf__open();
    struct bpf_program *program, *wanted = NULL;
    if (!programs)
        return -errno;
    size_maps(programs->obj);
    bpf_object__for_each_program(program, programs->obj) {
        bool is_wanted = !strcmp(bpf_program__name(program), name);
        bpf_program__set_autoload(program, is_wanted);
        wanted = is_wanted ? program : wanted;
    }
    double begun = now_ms();
    long r = datapath_bpf__load(programs);
    ret_loaded->ms = now_ms() - begun;
    struct bpf_prog_info info = { 0 };
    unsigned size = sizeof(info);
    if (r == 0)
        r = bpf_obj_get_info_by_fd(bpf_program__fd(wanted), &info, &size) ? -errno : (long)info.verified_insns;
    ret_loaded->stack_bytes = r < 0 ? -1 : stack_depth(bpf_program__insns(wanted), bpf_program__insn_cnt(wanted),
                                                       &ret_loaded->stack_calls);
    datapath_bpf__destroy(programs);
    return r;
}

static unsigned list_programs(char names[PROGRAMS_MAX][64])
{
    struct datapath_bpf *programs = datapath_bpf__open();
    struct bpf_program *program;
    unsigned count = 0;
    if (!programs)
        return 0;
    bpf_object__for_each_program(program, programs->obj)
        if (count < PROGRAMS_MAX)
            snprintf(names[count++], 64, "%s", bpf_program__name(program));
    datapath_bpf__destroy(programs);
    return count;
}

static bool is_within(const struct figures *figures, const char *kernel, const char *name, long instructions,
                      const struct loaded *loaded)
{
    const struct figure *known = find(figures, kernel, name);
    if (loaded->stack_bytes < 0 || loaded->stack_bytes > STACK_MAX || loaded->stack_calls > STACK_CALLS_MAX) {
        printf("FAIL %s: a stack of %d bytes in %d functions; Linux 6.1 has %d and %d\n", name, loaded->stack_bytes,
               loaded->stack_calls, STACK_MAX, STACK_CALLS_MAX);
        return false;
    }
    if (instructions > QUARTER)
        printf("FAIL %s: more than a quarter of the %u instructions that a kernel accepts\n", name, INSTRUCTIONS_MAX);
    else if (known && instructions > (long)known->instructions + known->instructions / 10)
        printf("FAIL %s: a tenth more than the %u instructions of the budget; see --update\n", name,
               known->instructions);
    else
        return true;
    return false;
}

static void print_others(const struct figures *figures, const char *kernel)
{
    for (unsigned i = 0; i < figures->count; i++)
        if (strcmp(figures->items[i].kernel, kernel) != 0)
            printf("%s %s %u\n", figures->items[i].kernel, figures->items[i].program, figures->items[i].instructions);
}

int main(int count, char **words)
{
    static struct figures figures;
    static char names[PROGRAMS_MAX][64];
    char kernel[16];
    bool update = count > 2 && !strcmp(words[2], "--update"), good = true;
    kernel_series(kernel, sizeof(kernel));
    if (count < 2 || read_figures(words[1], &figures) < 0) {
        fprintf(stderr, "the budget %s cannot be read\n", count > 1 ? words[1] : "");
        return 2;
    }
    if (geteuid() != 0) {
        printf("needs root\n");
        return SKIPPED;
    }
    if (update)
        print_others(&figures, kernel);
    unsigned programs = list_programs(names);
    for (unsigned i = 0; i < programs; i++) {
        struct loaded loaded = { 0 };
        long instructions = load_one(names[i], &loaded);
        if (instructions < 0) {
            printf("FAIL %s: %s\n", names[i], strerror((int)-instructions));
            good = false;
        } else if (update) {
            printf("%s %s %ld\n", kernel, names[i], instructions);
        } else {
            printf("%s %-24s %7ld instructions, %6.0f ms, stack %3d bytes in %d functions\n", kernel, names[i],
                   instructions, loaded.ms, loaded.stack_bytes, loaded.stack_calls);
            good = is_within(&figures, kernel, names[i], instructions, &loaded) && good;
        }
    }
    return good && programs > 0 ? 0 : 1;
}
