#include "cli/control.h"

#include <errno.h>
#include <stddef.h>

#include "cli/command.h"

int wall_control_complain(int code, const char *error)
{
    struct wall_error err;
    wall_error_set(&err, code, "%s", error);
    return wall_complain_error(code, &err);
}

int wall_control_reach(struct wall_control **ret_control)
{
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    int r = wall_control_open(NULL, ret_control, error);
    if (r == -ENOENT || r == -ECONNREFUSED) {
        wall_complain("the service is not running; start it with: ringwall start");
        return WALL_EXIT_NOT_RUNNING;
    }
    return r < 0 ? wall_control_complain(r, error) : WALL_EXIT_OK;
}
