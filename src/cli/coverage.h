// What is judged on this machine and what is not, as `ringwall status --coverage` shows it.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include <ringwall/control.h>

// What is not judged comes first, and loudly.
void wall_coverage_print(const struct wall_control_coverage *coverage, FILE *file);
// An array of objects; NULL when memory is short.
json_t *wall_coverage_json(const struct wall_control_coverage *coverage);
