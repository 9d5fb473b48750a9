#include "service/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What the host says on its control socket, one word and a newline each.
#define WORD_STARTED "started"
#define WORD_FAILED "failed "

static uint64_t now_us(const struct wall_drivers *drivers)
{
    uint64_t now = 0;
    (void)sd_event_now(drivers->event, CLOCK_MONOTONIC, &now);
    return now;
}

static void set_state(struct wall_driver *driver, enum wall_driver_state state, const struct wall_error *err)
{
    driver->state = state;
    if (driver->owner->events.changed)
        driver->owner->events.changed(driver->owner->events.context, driver, err);
}

static void disarm(sd_event_source **source)
{
    *source = sd_event_source_disable_unref(*source);
}

void wall_driver_free(struct wall_driver *driver)
{
    struct wall_drivers *drivers = driver->owner;
    for (struct wall_driver **link = &drivers->first; *link; link = &(*link)->next) {
        if (*link == driver) {
            *link = driver->next;
            drivers->count--;
            break;
        }
    }
    disarm(&driver->output);
    disarm(&driver->control);
    disarm(&driver->exit);
    disarm(&driver->deadline);
    if (driver->process_id > 0) {
        (void)kill(driver->process_id, SIGKILL);
        (void)waitpid(driver->process_id, NULL, 0);
    }
    if (driver->control_fd >= 0)
        close(driver->control_fd);
    if (driver->output_fd >= 0)
        close(driver->output_fd);
    for (char **parameter = driver->parameters; parameter && *parameter; parameter++)
        free(*parameter);
    free(driver->parameters);
    free(driver->name);
    free(driver->path);
    free(driver);
}

static void take_line(struct wall_driver *driver)
{
    driver->line[driver->line_bytes] = '\0';
    driver->line_bytes = 0;
    struct wall_drivers *drivers = driver->owner;
    if (drivers->events.line)
        drivers->events.line(drivers->events.context, driver, driver->line);
}

// Reads what the host printed. Returns false at the end of the stream.
static bool drain_output(struct wall_driver *driver)
{
    char bytes[4096];
    for (int rounds = 0; rounds < 16; rounds++) {  // a babbling driver must not starve the service
        ssize_t n = read(driver->output_fd, bytes, sizeof(bytes));
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n == 0)
            return false;
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] == '\n') {
                take_line(driver);
                continue;
            }
            if (driver->line_bytes == sizeof(driver->line) - 1)
                take_line(driver);
            driver->line[driver->line_bytes++] = bytes[i];
        }
    }
    return true;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *context)
{
    struct wall_driver *driver = context;
    if (!drain_output(driver))
        disarm(&driver->output);
    return 0;
}

// Takes what the host says of its start. Returns false at the end of the stream.
static bool take_word(struct wall_driver *driver)
{
    char word[512];
    ssize_t n = recv(driver->control_fd, word, sizeof(word) - 1, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    word[n] = '\0';
    if (driver->state != WALL_DRIVER_STARTING)
        return true;
    if (strncmp(word, WORD_STARTED, strlen(WORD_STARTED)) == 0) {
        disarm(&driver->deadline);
        set_state(driver, WALL_DRIVER_RUNNING, NULL);
    } else if (strncmp(word, WORD_FAILED, strlen(WORD_FAILED)) == 0) {
        (void)drain_output(driver);
        word[strcspn(word, "\n")] = '\0';
        (void)snprintf(driver->failure, sizeof(driver->failure), "%s", word + strlen(WORD_FAILED));
    }
    return true;
}

static void on_failed(struct wall_driver *driver, const char *why)
{
    struct wall_error err;
    (void)wall_error_set(&err, -EIO, "%s", why);
    (void)snprintf(driver->failure, sizeof(driver->failure), "%s", why);
    set_state(driver, WALL_DRIVER_FAILED, &err);
}

static void describe_exit(const siginfo_t *info, char *text, size_t size)
{
    if (info->si_code == CLD_EXITED)
        (void)snprintf(text, size, "the driver host exited with code %d", info->si_status);
    else
        (void)snprintf(text, size, "the driver host was ended by signal %d (%s)%s", info->si_status,
                       strsignal(info->si_status), info->si_code == CLD_DUMPED ? ", core dumped" : "");
}

static int on_exit_(sd_event_source *source, const siginfo_t *info, void *context)
{
    struct wall_driver *driver = context;
    // The loop may come here first: the last word before the end says why.
    if (driver->control_fd >= 0)
        (void)take_word(driver);
    (void)drain_output(driver);
    disarm(&driver->deadline);
    driver->process_id = 0;
    if (driver->state == WALL_DRIVER_STOPPING) {
        set_state(driver, WALL_DRIVER_STOPPING, NULL);
        wall_driver_free(driver);
        return 0;
    }
    if (driver->state == WALL_DRIVER_FAILED)
        return 0;

    char text[128], why[sizeof(driver->failure)];
    describe_exit(info, text, sizeof(text));
    (void)snprintf(why, sizeof(why), "%s: %s%s%.1024s", driver->name, text, driver->failure[0] ? "; " : "",
                   driver->failure);
    on_failed(driver, why);
    return 0;
}

static int on_deadline(sd_event_source *source, uint64_t time_us, void *context)
{
    struct wall_driver *driver = context;
    if (driver->state == WALL_DRIVER_STARTING)
        wall_driver_abort(driver, "DriverEntry did not return in time");
    else
        (void)kill(driver->process_id, SIGKILL);
    return 0;
}

static int on_control(sd_event_source *source, int fd, uint32_t events, void *context)
{
    if (!take_word(context))
        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);  // its exit tells the rest
    return 0;
}

static int copy_parameters(struct wall_driver *driver, char *const *parameters)
{
    size_t count = 0;
    while (parameters && parameters[count])
        count++;
    driver->parameters = calloc(count + 1, sizeof(char *));
    if (!driver->parameters)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        driver->parameters[i] = strdup(parameters[i]);
        if (!driver->parameters[i])
            return -ENOMEM;
    }
    return 0;
}

// In the child: only async-signal-safe calls from here to exec.
static void run_host(const struct wall_drivers *drivers, char *const *arguments, int control_fd, int output_fd)
{
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0 || dup2(control_fd, 3) < 0)
        _exit(126);
    (void)close_range(4, ~0u, 0);
    execv(drivers->host_program, arguments);
    _exit(127);
}

static int spawn(struct wall_driver *driver, struct wall_error *err)
{
    struct wall_drivers *drivers = driver->owner;
    size_t count = 0;
    while (driver->parameters[count])
        count++;
    char **arguments = calloc(count + 8, sizeof(char *));
    int control[2] = {-1, -1}, output[2] = {-1, -1};
    if (!arguments || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 ||
        pipe2(output, O_CLOEXEC) < 0) {
        int code = arguments ? -errno : -ENOMEM;
        free(arguments);
        if (control[0] >= 0) {
            close(control[0]);
            close(control[1]);
        }
        return wall_error_set(err, code, "cannot start a driver host: %s", strerror(-code));
    }
    size_t n = 0;
    arguments[n++] = (char *)drivers->host_program;
    arguments[n++] = (char *)"--name";
    arguments[n++] = driver->name;
    arguments[n++] = (char *)"--fd";
    arguments[n++] = (char *)"3";
    arguments[n++] = driver->path;
    for (size_t i = 0; i < count; i++)
        arguments[n++] = driver->parameters[i];

    pid_t child = fork();
    int code = -errno;
    if (child == 0)
        run_host(drivers, arguments, control[1], output[1]);
    free(arguments);
    close(control[1]);
    close(output[1]);
    driver->control_fd = control[0];
    driver->output_fd = output[0];
    if (child < 0)
        return wall_error_set(err, code, "cannot start a driver host: %s", strerror(-code));
    driver->process_id = child;
    (void)fcntl(driver->output_fd, F_SETFL, O_NONBLOCK);
    return 0;
}

static int watch(struct wall_driver *driver)
{
    struct wall_drivers *drivers = driver->owner;
    int r = sd_event_add_io(drivers->event, &driver->output, driver->output_fd, EPOLLIN, on_output, driver);
    if (r >= 0)
        r = sd_event_add_io(drivers->event, &driver->control, driver->control_fd, EPOLLIN, on_control, driver);
    if (r >= 0)
        r = sd_event_add_child(drivers->event, &driver->exit, driver->process_id, WEXITED, on_exit_, driver);
    if (r >= 0)
        r = sd_event_add_time_relative(drivers->event, &driver->deadline, CLOCK_MONOTONIC,
                                       WALL_DRIVER_START_MS * 1000ull, 0, on_deadline, driver);
    return r < 0 ? r : 0;
}

static int check_request(struct wall_drivers *drivers, const char *path, const char *name, struct wall_error *err)
{
    struct stat status;
    if (path[0] != '/')
        return wall_error_set(err, -EINVAL, "%s: give the driver's absolute path.", path);
    if (stat(path, &status) < 0)
        return wall_error_set(err, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return wall_error_set(err, -EINVAL, "%s is not a file; a driver is a shared object (.so).", path);
    if (name[0] == '\0' || strlen(name) > 64 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(name) ||
        name[0] == '.')
        return wall_error_set(err, -EINVAL, "driver name \"%s\": use 1 to 64 letters, digits, '_', '-' or '.'.", name);
    const struct wall_driver *other = wall_driver_find(drivers, name);
    if (other && other->state != WALL_DRIVER_FAILED)
        return wall_error_set(err, -EEXIST, "a driver named %s is already loaded. Unload it first (ringwall unload %s) "
                                            "or give another name with --name.", name, name);
    if (!other && drivers->count >= WALL_DRIVERS_MAX)
        return wall_error_set(err, -ENOSPC, "%u drivers are loaded, the limit. Unload one first.", drivers->count);
    return 0;
}

int wall_driver_load(struct wall_drivers *drivers, const char *path, const char *name, char *const *parameters,
                     struct wall_driver **ret_driver, struct wall_error *err)
{
    int r = check_request(drivers, path, name, err);
    if (r < 0)
        return r;
    struct wall_driver *failed = wall_driver_find(drivers, name);
    if (failed)
        wall_driver_free(failed);

    struct wall_driver *driver = calloc(1, sizeof(*driver));
    if (!driver)
        return wall_error_set(err, -ENOMEM, "out of memory");
    driver->owner = drivers;
    driver->control_fd = driver->output_fd = -1;
    driver->name = strdup(name);
    driver->path = strdup(path);
    driver->started_us = now_us(drivers);
    driver->next = drivers->first;
    drivers->first = driver;
    drivers->count++;
    r = driver->name && driver->path ? copy_parameters(driver, parameters) : -ENOMEM;
    if (r < 0)
        (void)wall_error_set(err, r, "out of memory");
    else
        r = spawn(driver, err);
    if (r >= 0) {
        r = watch(driver);
        if (r < 0)
            (void)wall_error_set(err, r, "cannot watch the driver host: %s", strerror(-r));
    }
    if (r < 0) {
        wall_driver_free(driver);
        return r;
    }
    *ret_driver = driver;
    return 0;
}

int wall_driver_unload(struct wall_driver *driver)
{
    if (driver->state == WALL_DRIVER_STOPPING)
        return -EALREADY;
    if (driver->state == WALL_DRIVER_FAILED) {
        set_state(driver, WALL_DRIVER_STOPPING, NULL);
        wall_driver_free(driver);
        return 0;
    }
    driver->state = WALL_DRIVER_STOPPING;
    disarm(&driver->deadline);
    disarm(&driver->control);
    close(driver->control_fd);
    driver->control_fd = -1;
    return sd_event_add_time_relative(driver->owner->event, &driver->deadline, CLOCK_MONOTONIC,
                                      WALL_DRIVER_STOP_MS * 1000ull, 0, on_deadline, driver);
}

void wall_driver_abort(struct wall_driver *driver, const char *reason)
{
    (void)snprintf(driver->failure, sizeof(driver->failure), "%s", reason);
    if (driver->process_id > 0)
        (void)kill(driver->process_id, SIGABRT);  // its handler prints every thread's stack
}

struct wall_driver *wall_driver_find(struct wall_drivers *drivers, const char *name)
{
    for (struct wall_driver *driver = drivers->first; driver; driver = driver->next) {
        if (strcmp(driver->name, name) == 0)
            return driver;
    }
    return NULL;
}

struct wall_driver *wall_driver_find_process(struct wall_drivers *drivers, pid_t process_id)
{
    for (struct wall_driver *driver = drivers->first; driver; driver = driver->next) {
        if (driver->process_id == process_id)
            return driver;
    }
    return NULL;
}
