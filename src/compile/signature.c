#include "compile/signature.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Open addressing, at most half full.
struct wall_signature_entry {
    struct wall_signature signature;
    uint32_t number;
    uint32_t used;
};

// Every bit of the result depends on every bit of `x` (splitmix64).
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

void wall_signature_add(struct wall_signature *signature, uint32_t number)
{
    signature->a += mix(2 * (uint64_t)number);
    signature->b += mix(2 * (uint64_t)number + 1);
}

void wall_signature_remove(struct wall_signature *signature, uint32_t number)
{
    signature->a -= mix(2 * (uint64_t)number);
    signature->b -= mix(2 * (uint64_t)number + 1);
}

struct wall_signature wall_signature_of_words(const uint64_t *words, size_t count)
{
    struct wall_signature signature = { count, ~count };
    for (size_t i = 0; i < count; i++) {
        signature.a = (signature.a ^ words[i]) * 0xbf58476d1ce4e5b9u;
        signature.a ^= signature.a >> 32;
        signature.b = (signature.b + words[i]) * 0x94d049bb133111ebu;
        signature.b ^= signature.b >> 29;
    }
    return (struct wall_signature){ mix(signature.a), mix(signature.b) };
}

void wall_signature_table_init(struct wall_signature_table *table, uint32_t first)
{
    memset(table, 0, sizeof(*table));
    table->first = first;
    table->next = first;
}

void wall_signature_table_done(struct wall_signature_table *table)
{
    free(table->entries);
    memset(table, 0, sizeof(*table));
}

static struct wall_signature_entry *find(struct wall_signature_entry *entries, size_t mask,
                                         struct wall_signature signature)
{
    size_t i = signature.a & mask;
    while (entries[i].used && (entries[i].signature.a != signature.a || entries[i].signature.b != signature.b))
        i = (i + 1) & mask;
    return &entries[i];
}

static int grow(struct wall_signature_table *table)
{
    size_t mask = table->entries ? 2 * table->mask + 1 : 63;
    struct wall_signature_entry *entries = calloc(mask + 1, sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    for (size_t i = 0; table->entries && i <= table->mask; i++)
        if (table->entries[i].used)
            *find(entries, mask, table->entries[i].signature) = table->entries[i];
    free(table->entries);
    table->entries = entries;
    table->mask = mask;
    return 0;
}

int wall_signature_table_find(struct wall_signature_table *table, struct wall_signature signature, uint32_t *ret_number)
{
    if (!table->entries || 2 * (size_t)(table->next - table->first) > table->mask) {
        int r = grow(table);
        if (r < 0)
            return r;
    }
    struct wall_signature_entry *entry = find(table->entries, table->mask, signature);
    if (!entry->used) {
        entry->signature = signature;
        entry->number = table->next++;
        entry->used = 1;
    }
    *ret_number = entry->number;
    return 0;
}
