// Map: a hash map from byte strings to pointers. Seeded, so that no input can aim at its collisions; iteration runs
// in the order of insertion, so that nothing observable depends on the seed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wall_map_entry;

struct wall_map {
    struct wall_map_entry *entries;  // in the order of insertion, with holes where something was removed
    uint32_t *slots;                 // index into entries plus 1; 0: free
    size_t count;                    // live entries
    size_t entry_count, entry_capacity, slot_count;
    uint64_t seed[2];
};

// `seed`: 16 unpredictable bytes (wall_random_bytes()), or any fixed bytes where input is trusted.
void wall_map_init(struct wall_map *map, const uint64_t seed[2]);
void wall_map_done(struct wall_map *map);

// Makes room for `count` more entries, so that as many wall_map_put() cannot fail. Returns 0 or -ENOMEM.
int wall_map_reserve(struct wall_map *map, size_t count);
// Adds an entry. The map borrows `key`: it usually lies inside `value`. `value` must not be NULL.
// Returns 0, -EEXIST (the map keeps its old value) or -ENOMEM.
int wall_map_put(struct wall_map *map, const void *key, size_t key_size, void *value);
// Gives an existing entry another value and the key that lies in it (the same bytes). The entry must exist.
void wall_map_replace(struct wall_map *map, const void *key, size_t key_size, void *value);
// Returns the value, or NULL.
void *wall_map_get(const struct wall_map *map, const void *key, size_t key_size);
// Takes the entry out and returns its value, or NULL. Iterations stay valid.
void *wall_map_remove(struct wall_map *map, const void *key, size_t key_size);

// Walks the values in the order of insertion: start with *cursor = 0, stop at NULL. Entries may be removed meanwhile;
// adding one ends the walk's validity.
void *wall_map_next(const struct wall_map *map, size_t *cursor);

// The hash itself (SipHash-1-3).
uint64_t wall_hash(const uint64_t seed[2], const void *data, size_t size);
