#include "datapath/linux/tables.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "compile/bundle.h"
#include "wire/tables.bpf.h"

#define RESULT_UNKNOWN 1

int wall_tables_map_new(uint32_t page_count)
{
    // Nobody writes after it has been filled and frozen. The flags of all maps that take the same place must be the
    // same; with BPF_F_INNER_MAP the number of pages may differ.
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
    int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tables", sizeof(uint32_t), WALL_PAGE_BYTES, page_count, &options);
    return fd < 0 ? -errno : fd;
}

// Its memory is mapped for that: to update elements, the kernel would copy each page twice, also what is zero.
static int fill(int fd, const struct wall_bundle *bundle)
{
    size_t size = (size_t)bundle->page_count * WALL_PAGE_BYTES;
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (pages == MAP_FAILED)
        return -errno;
    wall_bundle_write(bundle, pages);
    (void)munmap(pages, size);
    return bpf_map_freeze(fd) ? -errno : 0;
}

int wall_tables_fill(const struct wall_bundle *bundle)
{
    int fd = wall_tables_map_new(bundle->page_count);
    int r = fd < 0 ? fd : fill(fd, bundle);
    if (r < 0 && fd >= 0)
        close(fd);
    return r < 0 ? r : fd;
}

void wall_tables_switch_init(struct wall_tables_switch *tables, int policy_fd)
{
    *tables = (struct wall_tables_switch){ .policy_fd = policy_fd, .map_fd = -1 };
    (void)sem_init(&tables->decided, 0, 0);
}

static void join(struct wall_tables_switch *tables)
{
    if (!tables->running)
        return;
    (void)pthread_join(tables->thread, NULL);
    tables->running = false;
    close(tables->map_fd);
    tables->map_fd = -1;
}

void wall_tables_switch_done(struct wall_tables_switch *tables)
{
    join(tables);
    (void)sem_destroy(&tables->decided);
}

// Puts the map in, and, once it is known which of the two is in force, empties the other element.
static void *change(void *context)
{
    struct wall_tables_switch *tables = context;
    int r = bpf_map_update_elem(tables->policy_fd, &tables->element, &tables->map_fd, BPF_ANY) ? -errno : 0;
    __atomic_store_n(&tables->result, r, __ATOMIC_RELEASE);
    if (r < 0)
        return NULL;
    while (sem_wait(&tables->decided) && errno == EINTR)
        ;
    uint32_t unused = tables->switched ? !tables->element : tables->element;
    (void)bpf_map_delete_elem(tables->policy_fd, &unused);  // fails when there is nothing
    return NULL;
}

static uint32_t map_id(int fd)
{
    struct bpf_map_info info = { 0 };
    uint32_t size = sizeof(info);
    return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

int wall_tables_put(struct wall_tables_switch *tables, uint32_t element, int map_fd)
{
    join(tables);
    tables->map_fd = map_fd;
    tables->element = element;
    tables->switched = false;
    tables->result = RESULT_UNKNOWN;
    int r = pthread_create(&tables->thread, NULL, change, tables);
    if (r) {
        close(map_fd);
        tables->map_fd = -1;
        return -r;
    }
    tables->running = true;
    uint32_t id = map_id(map_fd), there;
    for (;;) {
        r = __atomic_load_n(&tables->result, __ATOMIC_ACQUIRE);
        if (r <= 0)
            break;
        if (id && bpf_map_lookup_elem(tables->policy_fd, &element, &there) == 0 && there == id) {
            r = 0;
            break;
        }
        sched_yield();
    }
    if (r < 0)
        join(tables);
    return r;
}

void wall_tables_finish(struct wall_tables_switch *tables, bool switched)
{
    tables->switched = switched;
    (void)sem_post(&tables->decided);
}
