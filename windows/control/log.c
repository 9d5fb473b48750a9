// `ringwall log`: the lines of the wall driver, from its device.
#include <stdio.h>

#include <winsock2.h>
#include <windows.h>

#include <winioctl.h>

#include "cli/platform.h"
#include "cli/text.h"

#include "commands.h"
#include "service.h"

#include "control.h"

#define DEVICE L"\\\\.\\RingwallWall"
#define PAUSE_MS 100

static int print_lines(char *text, DWORD size)
{
    for (char *end; size > 0 && (end = memchr(text, '\n', size)) != NULL; text = end + 1) {
        size -= (DWORD)(end + 1 - text);
        *end = '\0';
        char *clean = wall_text_clean(text);  // a program's name must not reach the terminal as commands
        if (!clean || printf("%s\n", clean) < 0)
            return WALL_EXIT_FAILED;
        free(clean);
    }
    return fflush(stdout) == 0 ? WALL_EXIT_OK : WALL_EXIT_FAILED;
}

// Waits for the request until it is done, or somebody ends the command: then it is cancelled. Returns an error code.
static DWORD await(HANDLE device, OVERLAPPED *request, DWORD *ret_size)
{
    while (WaitForSingleObject(request->hEvent, PAUSE_MS) == WAIT_TIMEOUT)
        if (wall_platform_interrupted(0))
            CancelIoEx(device, request);
    return GetOverlappedResult(device, request, ret_size, TRUE) ? ERROR_SUCCESS : GetLastError();
}

static int stream(HANDLE device, bool follow)
{
    char text[16 * WALL_LOG_LINE_MAX];
    OVERLAPPED request = { .hEvent = CreateEventW(NULL, TRUE, FALSE, NULL) };
    DWORD error = request.hEvent ? ERROR_SUCCESS : GetLastError(), size = 0;
    int code = WALL_EXIT_OK;
    while (error == ERROR_SUCCESS && code == WALL_EXIT_OK) {
        if (!DeviceIoControl(device, WALL_IOCTL_READ_LOG, NULL, 0, text, sizeof(text), NULL, &request))
            error = GetLastError();
        if (error == ERROR_IO_PENDING && !follow)
            CancelIoEx(device, &request);  // nothing more is there
        if (error == ERROR_IO_PENDING || error == ERROR_SUCCESS)
            error = await(device, &request, &size);
        if (error == ERROR_SUCCESS)
            code = print_lines(text, size);
    }
    if (request.hEvent)
        CloseHandle(request.hEvent);
    if (error != ERROR_SUCCESS && error != ERROR_OPERATION_ABORTED)
        code = wall_complain_windows(error, "read the driver's log");
    return code;
}

static int run_log(const struct wall_arguments *arguments)
{
    HANDLE device = CreateFileW(DEVICE, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                                FILE_FLAG_OVERLAPPED, NULL);
    if (device == INVALID_HANDLE_VALUE)
        return wall_complain_windows(GetLastError(), "open the driver's device (is it started?)");
    (void)wall_platform_interrupted(0);
    int code = stream(device, !wall_argument_given(arguments, "now"));
    CloseHandle(device);
    return code;
}

static const struct wall_option options[] = {
    { "now", NULL, "Only what is there already.", false },
    { 0 },
};

const struct wall_command wall_command_log = {
    .name = "log",
    .summary = "Print the wall driver's lines as they come.",
    .usage = "",
    .description = "The driver keeps its newest 256 lines for who comes late. Ends with Ctrl+C.\n",
    .examples = "  ringwall log\n"
                "  ringwall log --now\n",
    .options = options,
    .run = run_log,
};
