// ringwalld: the Ringwall service.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "service/options.h"
#include "service/service.h"

static void tell_starter(int fd, const char *text)
{
    if (fd < 0)
        return;
    (void)!write(fd, text, strlen(text));
    (void)!write(fd, "\n", 1);
    close(fd);
}

static int fail(int ready_fd, const struct wall_error *err)
{
    (void)fprintf(stderr, "ringwalld: %s\n", err->text);
    tell_starter(ready_fd, err->text);
    return EXIT_FAILURE;
}

// The driver host lies beside this program, installed as well as in the build tree.
static int find_driver_host(char *path, size_t size)
{
    static const char *const places[] = {"ringwall-driver-host", "../driverhost/ringwall-driver-host"};
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n < 0)
        return -errno;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        (void)snprintf(path, size, "%s/%s", self, places[i]);
        if (access(path, X_OK) == 0)
            return 0;
    }
    return -ENOENT;
}

int main(int argc, char **argv)
{
    struct wall_options options;
    struct wall_error err = {0};
    char host[8192];
    if (wall_options_parse(argc, argv, &options, &err) < 0) {
        (void)fprintf(stderr, "ringwalld: %s\n", err.text);
        return 2;
    }
    if (options.help || options.version) {
        (void)fputs(options.help ? wall_options_help : "ringwalld " RINGWALL_VERSION "\n", stdout);
        return EXIT_SUCCESS;
    }
    if (!options.driver_host) {
        if (find_driver_host(host, sizeof(host)) < 0) {
            (void)wall_error_set(&err, -ENOENT,
                                 "ringwall-driver-host is not beside ringwalld. Give --driver-host FILE.");
            return fail(options.ready_fd, &err);
        }
        options.driver_host = host;
    }
    if (geteuid() != 0) {
        (void)wall_error_set(&err, -EPERM, "ringwalld needs root to load eBPF programs. Run: sudo ringwall start");
        return fail(options.ready_fd, &err);
    }
    static struct wall_service service;
    if (wall_service_open(&service, &options, &err) < 0)
        return fail(options.ready_fd, &err);
    tell_starter(options.ready_fd, "ready");
    int r = wall_service_run(&service);
    if (wall_service_close(&service, &err) < 0) {
        (void)fprintf(stderr, "ringwalld: %s\n", err.text);
        return EXIT_FAILURE;
    }
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
