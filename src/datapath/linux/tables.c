#include "datapath/linux/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "wire/tables.bpf.h"

int wall_tables_map_new(uint32_t page_count)
{
    // Only the programs read it, and nobody writes after it has been filled. The flags of all maps that take the same
    // place must be the same; with BPF_F_INNER_MAP the number of pages may differ.
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_RDONLY_PROG);
    return bpf_map_create(BPF_MAP_TYPE_ARRAY, "tables", sizeof(uint32_t), WALL_PAGE_BYTES, page_count, &options);
}

static int fill(int fd, const void *pages, uint32_t page_count)
{
    uint32_t *keys = calloc(page_count, sizeof(*keys));
    if (!keys)
        return -ENOMEM;
    for (uint32_t i = 0; i < page_count; i++)
        keys[i] = i;
    uint32_t done = page_count;
    int r = bpf_map_update_batch(fd, keys, pages, &done, NULL);
    free(keys);
    if (r == 0 && done != page_count)
        r = -EIO;
    return r < 0 ? r : bpf_map_freeze(fd);
}

int wall_tables_load(int policy_fd, const void *pages, uint32_t page_count)
{
    const uint32_t first = 0;
    int fd = wall_tables_map_new(page_count);
    if (fd < 0)
        return fd;
    int r = fill(fd, pages, page_count);
    if (r == 0)
        r = bpf_map_update_elem(policy_fd, &first, &fd, BPF_ANY);
    close(fd);
    return r;
}
