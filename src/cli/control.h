// The way to the running service, for the commands that ask it something.
#pragma once

#include <ringwall/control.h>

// Returns 0, or the exit code after saying why it cannot be reached.
int wall_control_reach(struct wall_control **ret_control);
// Says what went wrong with a request: `error` as the control function left it. Returns the exit code.
int wall_control_complain(int code, const char *error);
