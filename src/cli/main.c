#include "cli/command.h"

int main(int count, char **words)
{
    return wall_command_main(count, words);
}
