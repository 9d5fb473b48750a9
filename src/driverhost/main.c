// ringwall-driver-host: the process a callout driver runs in. Started by ringwalld, one for each driver.
//
// On the control socket it says "started" when DriverEntry has succeeded, or "failed" and why; when the service closes
// its end, the driver is unloaded. Debug output goes to standard output, reports to standard error.
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "driverhost/crash.h"
#include "ntos/ntos.h"

struct options {
    const char *name, *path;
    int control_fd;  // -1: none, the end of standard input unloads
    const char *const *parameters;
};

static const char usage[] =
    "Usage: ringwall-driver-host --name NAME [--fd N] DRIVER.so [NAME=VALUE]...\n"
    "Runs one callout driver. People use `ringwall load`, which has the service start this program.\n"
    "\n"
    "  --name NAME   the driver's service name\n"
    "  --fd N        the control socket (default: the driver is unloaded at the end of standard input)\n"
    "  NAME=VALUE    the driver's registry values\n";

static int parse(char **argv, struct options *ret_options)
{
    struct options options = {.control_fd = -1};
    char **word = argv + 1;
    for (; *word && strncmp(*word, "--", 2) == 0 && word[1]; word += 2) {
        if (strcmp(*word, "--name") == 0)
            options.name = word[1];
        else if (strcmp(*word, "--fd") == 0)
            options.control_fd = (int)strtol(word[1], NULL, 10);
        else
            return -EINVAL;
    }
    if (!options.name || !*word)
        return -EINVAL;
    options.path = *word;
    options.parameters = (const char *const *)(word + 1);
    *ret_options = options;
    return 0;
}

static void print_line(void *context, uint32_t component, uint32_t level, const char *line)
{
    (void)fputs(line, stdout);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
}

static void print_report(void *context, const struct ntos_report *report)
{
    char text[8192];
    (void)ntos_report_format(report, text, sizeof(text));
    (void)!write(STDERR_FILENO, text, strlen(text));
}

static void tell(const struct options *options, const char *word, const char *text)
{
    char message[512];
    int bytes = snprintf(message, sizeof(message), "%s%s", word, text);
    if (options->control_fd >= 0 && bytes > 0)
        (void)!send(options->control_fd, message, strnlen(message, sizeof(message)), MSG_NOSIGNAL);
}

// Until the other end closes. The control socket carries nothing towards us.
static void wait_for_stop(int control_fd)
{
    char bytes[64];
    while (read(control_fd >= 0 ? control_fd : STDIN_FILENO, bytes, sizeof(bytes)) > 0 || errno == EINTR)
        errno = 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct wall_error err = {0};
    struct ntos_driver *driver = NULL;
    if (parse(argv, &options) < 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);  // Ctrl-C reaches the whole process group; the service unloads in order
    const struct ntos_hooks hooks = {.print = print_line, .report = print_report};
    ntos_hooks_set(&hooks);
    if (wall_crash_install(options.name) < 0)
        (void)fputs("crashes cannot be reported: no memory for a signal stack\n", stderr);

    const struct ntos_driver_options load = {.name = options.name, .parameters = options.parameters};
    if (ntos_driver_load(options.path, &load, &driver, &err) < 0) {
        ntos_print_flush();
        tell(&options, "failed ", err.text);
        return EXIT_FAILURE;
    }
    ntos_print_flush();
    tell(&options, "started", "");
    wait_for_stop(options.control_fd);

    int r = ntos_driver_unload(driver, NULL, &err);
    ntos_print_flush();
    if (r < 0) {
        (void)fprintf(stderr, "driver %s: %s\n", options.name, err.text);
        return EXIT_FAILURE;
    }
    // Threads of a driver that left some behind must not run into exit handlers.
    (void)fflush(stdout);
    _exit(EXIT_SUCCESS);
}
