// Shapes: a description of a C structure, from which copying, encoding, printing and storing are derived.
//
// One table per structure replaces one hand-written copy, encode, decode and print function each
// (docs/decisions/0003). A member that counts an array or selects a union's case is never a field of its own: the
// field that needs it carries it, so a copy or a decoded object cannot contradict itself.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wall_shape;
struct wall_shape_field;

enum wall_shape_kind {
    WALL_SHAPE_U8,
    WALL_SHAPE_U16,
    WALL_SHAPE_U32,
    WALL_SHAPE_U64,
    WALL_SHAPE_BYTES,     // `size` bytes stored inline (a GUID, an address)
    WALL_SHAPE_TEXT,      // pointer to a NUL-terminated string of 16-bit units, may be NULL
    WALL_SHAPE_TEXT8,     // pointer to a NUL-terminated string of bytes, may be NULL
    WALL_SHAPE_STRUCT,    // a structure of `shape` stored inline
    WALL_SHAPE_POINTER,   // pointer to one `shape`, may be NULL
    WALL_SHAPE_ARRAY,     // pointer to `count` elements of `shape`, stored one after another
    WALL_SHAPE_POINTERS,  // pointer to an array of `count` pointers to `shape`; no element may be NULL
    WALL_SHAPE_DATA,      // pointer to `count` bytes
    WALL_SHAPE_SID,       // pointer to a SID (length from its SubAuthorityCount), may be NULL
    WALL_SHAPE_UNION,     // what lies at `offset` is told by the selector at `link_offset`
};

// A SID has at most this many sub-authorities (SID_MAX_SUB_AUTHORITIES).
#define WALL_SHAPE_SID_PARTS_MAX 15

// One case of a union. Every case describes the same bytes, starting at the union's offset. ARRAY, POINTERS, DATA and
// UNION cannot be cases: wrap them in a structure.
struct wall_shape_case {
    uint32_t selector;
    enum wall_shape_kind kind;
    uint32_t size;                   // for WALL_SHAPE_BYTES; 0: this case holds nothing (FWP_EMPTY)
    const struct wall_shape *shape;  // for STRUCT and POINTER
};

struct wall_shape_field {
    const char *name;  // the member's name, as printed
    enum wall_shape_kind kind;
    uint32_t offset;
    uint32_t size;         // bytes of the member itself
    uint32_t link_offset;  // ARRAY, POINTERS, DATA: the uint32_t count; UNION: the uint32_t selector
    uint32_t link_mask;    // UNION: bits of the selector that tell the case; 0: all
    const struct wall_shape *shape;
    const struct wall_shape_case *cases;
    uint32_t case_count;
};

struct wall_shape {
    const char *name;
    uint32_t size;
    const struct wall_shape_field *fields;
    uint32_t field_count;
};

#define WALL_SHAPE_MEMBER_(type, member) \
    .name = #member, .offset = (uint32_t)offsetof(type, member), .size = (uint32_t)sizeof(((type *)0)->member)

#define WALL_FIELD_U8(type, member) { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_U8 }
#define WALL_FIELD_U16(type, member) { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_U16 }
#define WALL_FIELD_U32(type, member) { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_U32 }
#define WALL_FIELD_U64(type, member) { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_U64 }
#define WALL_FIELD_BYTES(type, member) { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_BYTES }
#define WALL_FIELD_TEXT(type, member) { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_TEXT }
#define WALL_FIELD_TEXT8(type, member) { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_TEXT8 }
#define WALL_FIELD_SID(type, member) { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_SID }
#define WALL_FIELD_STRUCT(type, member, of) \
    { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_STRUCT, .shape = (of) }
#define WALL_FIELD_POINTER(type, member, of) \
    { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_POINTER, .shape = (of) }
#define WALL_FIELD_ARRAY(type, member, count, of) \
    { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_ARRAY, \
      .link_offset = (uint32_t)offsetof(type, count), .shape = (of) }
#define WALL_FIELD_POINTERS(type, member, count, of) \
    { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_POINTERS, \
      .link_offset = (uint32_t)offsetof(type, count), .shape = (of) }
#define WALL_FIELD_DATA(type, member, count) \
    { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_DATA, .link_offset = (uint32_t)offsetof(type, count) }
#define WALL_FIELD_UNION(type, member, selector, table) \
    { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_UNION, \
      .link_offset = (uint32_t)offsetof(type, selector), .cases = (table), \
      .case_count = (uint32_t)(sizeof(table) / sizeof((table)[0])) }
// A union told by some bits of a flags member.
#define WALL_FIELD_UNION_BITS(type, member, selector, mask, table) \
    { WALL_SHAPE_MEMBER_(type, member), .kind = WALL_SHAPE_UNION, \
      .link_offset = (uint32_t)offsetof(type, selector), .link_mask = (mask), .cases = (table), \
      .case_count = (uint32_t)(sizeof(table) / sizeof((table)[0])) }

#define WALL_SHAPE(variable, type, field_table) \
    const struct wall_shape variable = { #type, (uint32_t)sizeof(type), (field_table), \
                                         (uint32_t)(sizeof(field_table) / sizeof((field_table)[0])) }

// Structures nest at most this deep, unions and arrays not counted (a filter condition's range value needs 6).
#define WALL_SHAPE_DEPTH_MAX 12

// One structure has at most this many different counts and selectors.
#define WALL_SHAPE_LINKS_MAX 8

// Bytes a copy of `object` takes, all it points to included.
// Returns 0 when `object` cannot be copied: a union selector without a case, a NULL array or element with a count, a
// SID with too many parts, or a structure nested deeper than WALL_SHAPE_DEPTH_MAX.
size_t wall_shape_measure(const struct wall_shape *shape, const void *object);

// Copies `object` and all it points to into one block from malloc(); one free() releases everything. Padding and
// members the shape does not describe are zero in the copy; empty arrays and data become NULL.
// Returns the copy, or NULL with errno EINVAL (see wall_shape_measure) or ENOMEM.
void *wall_shape_clone(const struct wall_shape *shape, const void *object);

// Copies like wall_shape_clone() into memory of the caller: zeroed, aligned to 8, of the size that
// wall_shape_measure() told for the same object.
void wall_shape_place(const struct wall_shape *shape, const void *object, void *ret_copy);

// --- For code that walks shapes (codec, printers) ---

// Whether `field` carries a count or selector (ARRAY, POINTERS, DATA, UNION).
bool wall_shape_has_link(const struct wall_shape_field *field);
// That count or selector.
uint32_t wall_shape_link(const struct wall_shape_field *field, const void *object);
// Whether field `index` is the first of `shape` with its count or selector (two unions may share one).
bool wall_shape_carries_link(const struct wall_shape *shape, uint32_t index);
// What a union whose selector is `link` holds: fills `ret_field` with the chosen case as a plain field.
// Returns false when there is no such case.
bool wall_shape_select(const struct wall_shape_field *field, uint32_t link, struct wall_shape_field *ret_field);
// Bytes that U8 … U64 and BYTES take inside their structure.
size_t wall_shape_inline_size(const struct wall_shape_field *field);
// Bytes of a SID; 0 when it has too many parts.
size_t wall_shape_sid_size(const void *sid);
// Units of a text before its NUL.
size_t wall_shape_text_length(const uint16_t *text);

// What is wrong with a description: NULL when it covers every byte of its structure once (padding apart), its sizes
// fit its kinds and every part of it is well-formed too. `ret_name` gets the structure or member that is wrong.
const char *wall_shape_flaw(const struct wall_shape *shape, const char **ret_name);
