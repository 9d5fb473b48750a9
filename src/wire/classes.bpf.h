// Classes: from the facts of a question to a packed key of class numbers.
#pragma once

#include "wire/evaluation.bpf.h"

// From the node reference `ref` to the class, or to the node about the next word.
WALL_INLINE uint32_t wall_walk(const struct wall_evaluation *e, uint32_t ref, uint32_t value)
{
    for (uint32_t i = 0; i < WALL_STEPS_MAX; i++) {
        uint32_t kind = ref & (WALL_NODE_KIND | WALL_NODE_NEXT_WORD);
        if (kind != WALL_NODE_LINE && kind != WALL_NODE_RADIX)
            break;
        uint32_t offset = (ref & WALL_NODE_UNIT) << WALL_UNIT_SHIFT;
        const uint8_t *page = wall_page(e, offset >> WALL_PAGE_SHIFT);
        if (!page)
            break;
        offset &= WALL_PAGE_BYTES - WALL_UNIT_BYTES;
        if (kind == WALL_NODE_RADIX) {
            uint32_t index = value >> (ref >> WALL_NODE_SHIFT_AT & 31) & 255;
            ref = *(const uint32_t *)(page + ((offset + 4 * index) & (WALL_PAGE_BYTES - 4)));
        } else {
            const struct wall_table_line *line = (const struct wall_table_line *)(page + offset);
            uint64_t index = wall_at_most(line->keys[0], value) + wall_at_most(line->keys[1], value) +
                             wall_at_most(line->keys[2], value) + wall_at_most(line->keys[3], value) +
                             wall_at_most(line->keys[4], value) + wall_at_most(line->keys[5], value) +
                             wall_at_most(line->keys[6], value);
            ref = line->refs[index & WALL_LINE_KEYS];
        }
    }
    return ref;
}

// The class of a value whose first 32 bits are `value`; more than WALL_CLASS_MAX when it has more than these (the
// reference of the node about the rest) or the tables are damaged.
WALL_INLINE uint32_t wall_class_of(const struct wall_evaluation *e, const struct wall_table_dimension *dimension,
                                   uint32_t value)
{
    uint32_t ref = dimension->root;
    if (dimension->array) {
        uint32_t index = value >> (dimension->shift & 31), last = dimension->last;
        uint32_t beyond = (uint32_t)-wall_at_most(last, index);
        wall_opaque(beyond);
        index ^= (index ^ last) & beyond;
        ref = WALL_NODE_KIND;
        (void)wall_read32(e, dimension->array + 4 * index, &ref);
    }
    return wall_walk(e, ref, value);
}

// The class of a value of up to four words, the most significant first.
WALL_INLINE uint32_t wall_class_of_words(const struct wall_evaluation *e, const struct wall_table_dimension *dimension,
                                         const uint32_t words[4])
{
    uint32_t ref = wall_class_of(e, dimension, words[0]);
    for (uint32_t i = 1; i < 4; i++) {
        if (!(ref & WALL_NODE_NEXT_WORD))
            break;
        ref = wall_walk(e, ref & ~WALL_NODE_NEXT_WORD, words[i]);
    }
    return ref;
}

// The condition flags as a small number: the bits that filters ask for, side by side, and then "any of the others".
WALL_INLINE uint32_t wall_flags_number(const struct wall_table_head *head, uint32_t flags)
{
    uint64_t wide = flags;
    uint32_t number = 0;
    for (uint32_t i = 0; i < WALL_FLAG_BITS_MAX; i++)
        number |= (uint32_t)(wide >> (head->flag_bits[i] & 63) & 1) << i;
    return number | (uint32_t)((flags & head->flags_rest) != 0) << WALL_FLAG_BITS_MAX;
}

// The class of one dimension, 0 when it is FWP_EMPTY, unknown, or nobody asks (then the tree is one class). Without a
// branch: the verifier would remember which way was taken for each of the dimensions.
#define WALL_CLASS(name, lookup, value)                                                   \
    ((uint64_t)lookup(e, &head->dimension[WALL_DIMENSION_##name], (value)) &              \
     -(uint64_t)(valued >> WALL_DIMENSION_##name & 1))

// Looks up the classes of all dimensions, and puts them into the question's place. Returns 0 when the tables are
// damaged.
WALL_OUTLINE int wall_evaluation_pack(struct wall_evaluation *e)
{
    const struct wall_table_head *head = e->head;
    const struct wall_question *question = &e->question;
    uint32_t unknown = ~question->known & head->dimensions;
    if (head->flags_used & ~question->flags_known)
        unknown |= 1u << WALL_DIMENSION_FLAGS;
    uint32_t valued = ~(unknown | question->empty);
    uint32_t cgroup_words[4] = { (uint32_t)(question->cgroup >> 32), (uint32_t)question->cgroup, 0, 0 };

    uint64_t remote_address = WALL_CLASS(REMOTE_ADDRESS, wall_class_of_words, question->remote_address);
    uint64_t app = WALL_CLASS(APP, wall_class_of, question->app);
    uint64_t remote_port = WALL_CLASS(REMOTE_PORT, wall_class_of, question->remote_port);
    uint64_t protocol = WALL_CLASS(PROTOCOL, wall_class_of, question->protocol);
    uint64_t user = WALL_CLASS(USER, wall_class_of, question->user);
    uint64_t local_port = WALL_CLASS(LOCAL_PORT, wall_class_of, question->local_port);
    uint64_t local_address = WALL_CLASS(LOCAL_ADDRESS, wall_class_of_words, question->local_address);
    uint64_t flags = WALL_CLASS(FLAGS, wall_class_of, wall_flags_number(head, question->flags));
    uint64_t index = WALL_CLASS(INTERFACE, wall_class_of, question->interface_index);
    uint64_t cgroup = WALL_CLASS(CGROUP, wall_class_of_words, cgroup_words);
    uint64_t local_type = WALL_CLASS(LOCAL_ADDRESS_TYPE, wall_class_of, question->local_address_type);
    uint64_t remote_type = WALL_CLASS(DESTINATION_ADDRESS_TYPE, wall_class_of, question->destination_address_type);

    if ((remote_address | app | remote_port | protocol | user | local_port | local_address | flags | index | cgroup |
         local_type | remote_type) &
        ~(uint64_t)WALL_CLASS_MAX)
        return 0;

    uint64_t zero = head->zero;
    e->key[0] = (WALL_GUARDS | remote_address | app << 21 | remote_port << 42) ^ zero;
    e->key[1] = (WALL_GUARDS | protocol | user << 21 | local_port << 42) ^ zero;
    e->key[2] = (WALL_GUARDS | local_address | flags << 21 | index << 42) ^ zero;
    e->key[3] = (WALL_GUARDS | cgroup | local_type << 21 | remote_type << 42) ^ zero;
    e->unknown = (unknown | WALL_NEEDS_USER_SPACE) ^ (uint32_t)zero;
    return 1;
}
