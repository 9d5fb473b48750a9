// Security identifiers. A Linux user is S-1-22-1-<uid> and a group S-1-22-2-<gid>, as Samba has it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwptypes.h"

// A SID has at most this many sub-authorities.
#define WALL_SID_PARTS_MAX 15
// Characters of the longest printed SID, terminator included: "S-1-", a 48-bit authority, 15 parts of 32 bits.
#define WALL_SID_TEXT_SIZE (4 + 15 + WALL_SID_PARTS_MAX * 11 + 1)

// Room for any SID; `sid` is its beginning.
union wall_sid {
    SID sid;
    uint8_t bytes[8 + 4 * WALL_SID_PARTS_MAX];
};

// Bytes of a SID with `part_count` sub-authorities.
size_t wall_sid_size_of(unsigned int part_count);
// Bytes of `sid`, from its own count.
size_t wall_sid_size(const SID *sid);
// True when `size` bytes at `data` begin with a whole SID of revision 1; *ret_size is then its size.
bool wall_sid_check(const void *data, size_t size, size_t *ret_size);
// True when both name the same principal.
bool wall_sid_equal(const SID *a, const SID *b);
// S-1-22-1-<uid>
void wall_sid_from_user(uint32_t user_id, union wall_sid *ret_sid);
// S-1-22-2-<gid>
void wall_sid_from_group(uint32_t group_id, union wall_sid *ret_sid);
// True, with the number, for S-1-22-1-<uid>.
bool wall_sid_to_user(const SID *sid, uint32_t *ret_user_id);
// True, with the number, for S-1-22-2-<gid>.
bool wall_sid_to_group(const SID *sid, uint32_t *ret_group_id);
// Reads S-1-<authority>-<part>…, decimal, the authority also as 0x and 12 digits; nothing may follow.
bool wall_sid_parse(const char *text, union wall_sid *ret_sid);
// Writes the S-1-… form; an authority above 32 bits is hexadecimal, as on Windows.
void wall_sid_print(const SID *sid, char text[WALL_SID_TEXT_SIZE]);
