#include "base/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct wall_map_entry {
    uint64_t hash;
    const void *key;
    size_t key_size;
    void *value;  // NULL: a hole
};

static uint64_t rotate(uint64_t value, unsigned int count)
{
    return value << count | value >> (64 - count);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t wall_hash(const uint64_t seed[2], const void *data, size_t size)
{
    // The four constants are SipHash's own.
    uint64_t v[4] = {
        seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
        seed[0] ^ UINT64_C(0x6c7967656e657261), seed[1] ^ UINT64_C(0x7465646279746573),
    };
    const unsigned char *bytes = data;
    size_t rest = size;
    for (; rest >= 8; rest -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }

    uint64_t last = (uint64_t)size << 56;
    for (size_t i = 0; i < rest; i++)
        last |= (uint64_t)bytes[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void wall_map_init(struct wall_map *map, const uint64_t seed[2])
{
    *map = (struct wall_map){ .seed = { seed[0], seed[1] } };
}

void wall_map_done(struct wall_map *map)
{
    free(map->entries);
    free(map->slots);
    wall_map_init(map, map->seed);
}

// Drops the holes and fills `slots`, which is all zero.
static void rebuild(struct wall_map *map)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->entry_count; i++) {
        if (!map->entries[i].value)
            continue;
        map->entries[kept] = map->entries[i];
        size_t slot = map->entries[kept].hash & (map->slot_count - 1);
        while (map->slots[slot] != 0)
            slot = (slot + 1) & (map->slot_count - 1);
        map->slots[slot] = (uint32_t)++kept;
    }
    map->entry_count = kept;
}

int wall_map_reserve(struct wall_map *map, size_t count)
{
    if (count <= map->entry_capacity - map->entry_count)
        return 0;
    if (count > UINT32_MAX / 4 || map->count + count > UINT32_MAX / 4)
        return -ENOMEM;

    // Slots are at most half full, holes included; after a rebuild a quarter of the entries is free.
    size_t slot_count = 16;
    while (slot_count < (map->count + count) * 8 / 3)
        slot_count *= 2;
    size_t capacity = slot_count / 2;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    struct wall_map_entry *entries = NULL;
    if (slots && capacity > map->entry_capacity)
        entries = realloc(map->entries, capacity * sizeof(*entries));
    else
        entries = map->entries;
    if (!slots || !entries) {
        free(slots);
        return -ENOMEM;
    }

    free(map->slots);
    map->slots = slots;
    map->slot_count = slot_count;
    map->entries = entries;
    map->entry_capacity = capacity;
    rebuild(map);
    return 0;
}

// The entry of `key`, or NULL.
static struct wall_map_entry *find(const struct wall_map *map, uint64_t hash, const void *key, size_t key_size)
{
    if (map->slot_count == 0)
        return NULL;
    for (size_t slot = hash & (map->slot_count - 1); map->slots[slot] != 0; slot = (slot + 1) & (map->slot_count - 1)) {
        struct wall_map_entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->value && entry->hash == hash && entry->key_size == key_size && !memcmp(entry->key, key, key_size))
            return entry;
    }
    return NULL;
}

int wall_map_put(struct wall_map *map, const void *key, size_t key_size, void *value)
{
    assert(value);
    uint64_t hash = wall_hash(map->seed, key, key_size);
    if (find(map, hash, key, key_size))
        return -EEXIST;
    int r = wall_map_reserve(map, 1);
    if (r < 0)
        return r;

    size_t slot = hash & (map->slot_count - 1);
    while (map->slots[slot] != 0)
        slot = (slot + 1) & (map->slot_count - 1);
    map->entries[map->entry_count++] = (struct wall_map_entry){ hash, key, key_size, value };
    map->slots[slot] = (uint32_t)map->entry_count;
    map->count++;
    return 0;
}

void wall_map_replace(struct wall_map *map, const void *key, size_t key_size, void *value)
{
    struct wall_map_entry *entry = find(map, wall_hash(map->seed, key, key_size), key, key_size);
    assert(entry && value);
    entry->key = key;
    entry->value = value;
}

void *wall_map_get(const struct wall_map *map, const void *key, size_t key_size)
{
    const struct wall_map_entry *entry = find(map, wall_hash(map->seed, key, key_size), key, key_size);
    return entry ? entry->value : NULL;
}

void *wall_map_remove(struct wall_map *map, const void *key, size_t key_size)
{
    struct wall_map_entry *entry = find(map, wall_hash(map->seed, key, key_size), key, key_size);
    if (!entry)
        return NULL;

    void *value = entry->value;
    *entry = (struct wall_map_entry){ 0 };
    map->count--;
    return value;
}

void *wall_map_next(const struct wall_map *map, size_t *cursor)
{
    while (*cursor < map->entry_count) {
        void *value = map->entries[(*cursor)++].value;
        if (value)
            return value;
    }
    return NULL;
}
