// GUIDs: the keys of WFP objects.
#pragma once

#include <stdbool.h>

#include "guiddef.h"

// Characters of a printed GUID, terminator included.
#define WALL_GUID_TEXT_SIZE 37

// True when all bits are zero: "no key given".
bool wall_guid_is_zero(const GUID *guid);
bool wall_guid_equal(const GUID *a, const GUID *b);  // bit by bit
// An order for sorting: that of the printed forms. Negative, 0 or positive.
int wall_guid_compare(const GUID *a, const GUID *b);
// A random GUID (version 4). Returns 0, or a negative errno when the system has no randomness to give.
int wall_guid_random(GUID *ret_guid);
// Reads 8-4-4-4-12 hexadecimal digits, in braces or not, with nothing behind them.
bool wall_guid_parse(const char *text, GUID *ret_guid);
// Writes the lower-case form without braces.
void wall_guid_print(const GUID *guid, char text[WALL_GUID_TEXT_SIZE]);
