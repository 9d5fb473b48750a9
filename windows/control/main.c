// ringwall.exe: the commands take UTF-8, whatever the console's code page is.
#include <stdio.h>
#include <stdlib.h>

#include <winsock2.h>
#include <windows.h>

#include <shellapi.h>

#include "cli/command.h"

static char *to_utf8(const WCHAR *text)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *utf8 = malloc((size_t)size);
    if (utf8)
        WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, size, NULL, NULL);
    return utf8;
}

int main(void)
{
    int count = 0;
    WCHAR **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **words = wide ? calloc((size_t)count + 1, sizeof(*words)) : NULL;
    for (int i = 0; words && i < count; i++) {
        words[i] = to_utf8(wide[i]);
        if (!words[i])
            words = NULL;
    }
    if (!words) {
        wall_complain("no memory");
        return WALL_EXIT_FAILED;
    }
    SetConsoleOutputCP(CP_UTF8);
    return wall_command_main(count, words);
}
