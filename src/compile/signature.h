// Signature: a set of numbers as a sum of 128 mixed bits for each, for finding equal sets without comparing members.
//
// Members come and go at the cost of an addition. Chance equality of different sets is out of reach: among 2^32 of
// them less than 2^-63.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct wall_signature {
    uint64_t a, b;
};

// One member more; a number may be in it several times.
void wall_signature_add(struct wall_signature *signature, uint32_t number);
// Takes out one that is in it.
void wall_signature_remove(struct wall_signature *signature, uint32_t number);

// Of a string of words, in this order.
struct wall_signature wall_signature_of_words(const uint64_t *words, size_t count);

struct wall_signature_entry;

// Numbers signatures in the order they are first asked for.
struct wall_signature_table {
    struct wall_signature_entry *entries;
    size_t mask;
    uint32_t first, next;
};

// The first signature gets number `first`.
void wall_signature_table_init(struct wall_signature_table *table, uint32_t first);
void wall_signature_table_done(struct wall_signature_table *table);

// The number of a signature, a new one if it has none yet: then table->next has grown. Returns 0 or -ENOMEM.
int wall_signature_table_find(struct wall_signature_table *table, struct wall_signature signature,
                              uint32_t *ret_number);
