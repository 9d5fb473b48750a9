// ringwall-driver-host: the process a callout driver runs in.
//
// On the control socket (--fd, SOCK_SEQPACKET) the host says `started`, or `failed TEXT`; the other side unloads the
// driver by closing it. SIGTERM does so too, and SIGINT without a control
// socket.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <ringwall/control.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driverhost/arguments.h"
#include "driverhost/crash.h"
#include "ntos/ntos.h"

// The host calls nothing of libwfp, but a driver's own link to it must be satisfied without a search: this reference
// keeps the linker from leaving it out.
__attribute__((used)) static void (*const link_with_libwfp)(void *result) = wall_control_free;

enum { EXIT_USAGE = 2 };

static void write_text(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, text, length);
        if (written < 0 && errno != EINTR)
            return;
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
}

static void put_line(const char *text)
{
    char line[4096];
    int length = snprintf(line, sizeof(line), "%s\n", text);
    write_text(line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

static void on_print(void *context, uint32_t component, uint32_t level, const char *line)
{
    put_line(line);
}

static void on_report(void *context, const struct ntos_report *report)
{
    char text[8192];
    (void)ntos_report_format(report, text, sizeof(text));
    put_line(text);
}

static void tell(int control_fd, const char *word)
{
    if (control_fd >= 0)
        (void)send(control_fd, word, strlen(word), MSG_NOSIGNAL);
}

static int fail(const struct wall_host_arguments *arguments, const struct wall_error *err)
{
    char word[600];
    (void)snprintf(word, sizeof(word), "failed %s\n", err->text);
    put_line(err->text);
    tell(arguments->control_fd, word);
    return EXIT_FAILURE;
}

// Makes STATE/drivers/NAME, each part readable by the driver's own user only.
static char *make_data_directory(const struct wall_host_arguments *arguments)
{
    if (arguments->data_directory)
        return strdup(arguments->data_directory);
    const char *state = getenv("RINGWALL_STATE_DIR");
    char *path = NULL;
    if (!state || !*state || asprintf(&path, "%s/drivers", state) < 0)
        return NULL;
    (void)mkdir(path, 0700);
    free(path);
    if (asprintf(&path, "%s/drivers/%s", state, arguments->name) < 0)
        return NULL;
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return path;
    free(path);
    return NULL;
}

// DriverUnload and what it waits for: as long as the service grants (WALL_DRIVER_STOP_MS), and a little more.
#define UNLOAD_SECONDS 12u

// Returns when the other side of the control socket is gone, or a signal asks for the end.
static void wait_for_stop(int control_fd, int signal_fd)
{
    struct pollfd files[2] = { { .fd = signal_fd, .events = POLLIN }, { .fd = control_fd, .events = POLLIN } };
    for (;;) {
        int ready = poll(files, 2, -1);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && files[0].revents)
            return;
        if (ready > 0 && files[1].revents) {
            char word[64];
            ssize_t got = recv(control_fd, word, sizeof(word), MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
                return;
        }
    }
}

static int run(const struct wall_host_arguments *arguments, int signal_fd)
{
    struct wall_error err = {0};
    char *data_directory = make_data_directory(arguments);
    struct ntos_driver_options options = { .name = arguments->name, .parameters = arguments->parameters,
                                           .data_directory = data_directory };
    struct ntos_driver *driver;
    int result = ntos_driver_load(arguments->path, &options, &driver, &err);
    free(data_directory);
    if (result < 0)
        return fail(arguments, &err);
    tell(arguments->control_fd, "started\n");
    wait_for_stop(arguments->control_fd, signal_fd);
    // A driver that hangs must not outlive a service that was killed: the signal's own action ends the process.
    (void)alarm(UNLOAD_SECONDS);

    // What cannot be unloaded ends with the process: the service sees it go and its filters fail closed.
    if (ntos_driver_unload(driver, NULL, &err) < 0)
        put_line(err.text);
    ntos_print_flush();
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct wall_host_arguments arguments;
    struct wall_error err = {0};
    if (wall_host_arguments_parse(argc, argv, &arguments, &err) < 0) {
        put_line(err.text);
        return EXIT_USAGE;
    }
    if (arguments.help || arguments.version) {
        (void)fputs(arguments.help ? wall_host_help : "ringwall-driver-host " RINGWALL_VERSION "\n", stdout);
        return EXIT_SUCCESS;
    }
    if (arguments.runtime_directory && setenv("RINGWALL_RUNTIME_DIR", arguments.runtime_directory, 1) != 0)
        return EXIT_FAILURE;
    (void)prctl(PR_SET_NAME, arguments.name);

    // Blocked before the first thread, so that only the descriptor sees them.
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    if (arguments.control_fd < 0)
        (void)sigaddset(&signals, SIGINT);
    else
        (void)signal(SIGINT, SIG_IGN);  // Ctrl-C reaches the whole process group; ringwalld unloads in order
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (signal_fd < 0) {
        (void)wall_error_set(&err, -errno, "cannot wait for signals: %s", strerror(errno));
        return fail(&arguments, &err);
    }
    wall_crash_watch(arguments.control_fd);
    static const struct ntos_hooks hooks = { .print = on_print, .report = on_report };
    ntos_hooks_set(&hooks);
    return run(&arguments, signal_fd);
}
