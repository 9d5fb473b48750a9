// Block lists as rules: what `ringwall remove` has to know of them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "fwpmu.h"

// The key of the rule that a block list of this name is.
void wall_block_list_key(const char *name, GUID *ret_key);

// Deletes the names that are stored with a list; `key` NULL: with all lists. Returns a status of the API; *ret_count:
// the objects deleted.
uint32_t wall_block_list_remove_names(HANDLE engine, const GUID *key, size_t *ret_count);
