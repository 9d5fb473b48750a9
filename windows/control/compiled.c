// cli/compiled.h on Windows: the tables are the kernel's own secret there.
#include "cli/compiled.h"

#include "cli/command.h"

int wall_compiled_show(bool json)
{
    (void)json;
    wall_complain("Windows does not tell how it compiles filters");
    return WALL_EXIT_FAILED;
}
