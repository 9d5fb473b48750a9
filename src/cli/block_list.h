// Block lists: what belongs to one. A list is filters, which are one rule (cli/rule.h), and provider contexts, which
// hold names; all have the key of the list as their provider data.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwpmu.h"

// The key of the rule that a block list of this name is.
void wall_block_list_key(const char *name, GUID *ret_key);

// Whether an object with this provider and provider data belongs to the list; `key` NULL: to any list, or rule.
bool wall_block_list_owns(const GUID *key, const GUID *provider, const FWP_BYTE_BLOB *data);

// Deletes the names that are stored with a list; `key` NULL: with all lists. Returns a status of the API; *ret_count:
// the objects deleted.
uint32_t wall_block_list_remove_names(HANDLE engine, const GUID *key, size_t *ret_count);
