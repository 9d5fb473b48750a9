// Compiled: how filters became the tables in the kernel (`ringwall show compile`).
#pragma once

#include <stdbool.h>

// Prints it as tables, or as JSON. Returns the exit code.
int wall_compiled_show(bool json);
