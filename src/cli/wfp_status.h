// Statuses of the WFP API, for people.
#pragma once

#include <stdint.h>

// "FWP_E_IN_USE"; NULL for a number without a name here.
const char *wall_status_name(uint32_t status);
// What it means and, where something can be done, what; NULL likewise.
const char *wall_status_meaning(uint32_t status);
// The exit code that goes with it (enum wall_exit).
int wall_status_exit(uint32_t status);
// Says "cannot WHAT: MEANING (NAME, NUMBER)" on the standard error, or that the service is not running when that is
// what the status means. Returns the exit code.
int wall_complain_status(uint32_t status, const char *what_format, ...) __attribute__((format(printf, 2, 3)));
