// The commands that ringwall.exe has and ringwall on Linux has not: they control driver services.
#pragma once

#include "cli/command.h"

extern const struct wall_command wall_command_install, wall_command_uninstall, wall_command_set, wall_command_log;
