// Records of the monitor, for people and as JSON.
#pragma once

#include <jansson.h>
#include <ringwall/control.h>
#include <stdio.h>

// One line, cleaned for a terminal, with local time.
void wall_record_print(const struct wall_control_record *record, FILE *file);
// Returns a new reference, NULL when memory is short. Times are UTC.
json_t *wall_record_json(const struct wall_control_record *record);
