#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"

// ringwalld is installed in LIBEXECDIR. A copy that was moved, or a build tree, has it at the same place relative to
// this program.
static char *find_service(void)
{
    static const char *const places[] = { "../service/ringwalld", RINGWALL_LIBEXEC_RELATIVE "/ringwalld" };
    char self[PATH_MAX], *found = NULL;
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash = length > 0 ? memrchr(self, '/', (size_t)length) : NULL;
    if (slash) {
        *slash = '\0';
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !found; i++) {
            if (asprintf(&found, "%s/%s", self, places[i]) < 0)
                return NULL;
            if (access(found, X_OK) < 0) {
                free(found);
                found = NULL;
            }
        }
    }
    return found ? found : strdup(RINGWALL_LIBEXECDIR "/ringwalld");
}

// The service's command line; the words are borrowed but for the first. NULL when memory is short.
static char **make_words(const struct wall_arguments *arguments, char *program, char *ready_fd)
{
    static const char *const passed[] = { "scope", "runtime-dir", "state-dir", "pend-age" };
    static char *const spelled[] = { (char *)"--scope", (char *)"--runtime-dir", (char *)"--state-dir",
                                     (char *)"--pend-age" };
    char **words = calloc(16, sizeof(*words));
    if (!words)
        return NULL;
    size_t count = 0;
    words[count++] = program;
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        const char *value = wall_argument(arguments, passed[i], 0);
        if (value) {
            words[count++] = spelled[i];
            words[count++] = (char *)value;
        }
    }
    if (ready_fd) {
        words[count++] = (char *)"--ready-fd";
        words[count++] = ready_fd;
    }
    return words;
}

static int complain_exec(const char *program)
{
    int code = -errno;
    wall_complain("cannot run %s: %m; is Ringwall installed completely?", program);
    return code == -EACCES ? WALL_EXIT_ACCESS_DENIED : WALL_EXIT_FAILED;
}

// In the child: away from the terminal, only the pipe to the parent stays open.
static void become_daemon(int ready_fd)
{
    if (setsid() < 0 || chdir("/") < 0)
        _exit(WALL_EXIT_FAILED);
    int null_fd = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; fd++)
        if (null_fd < 0 || dup2(null_fd, fd) < 0)
            _exit(WALL_EXIT_FAILED);
    if (null_fd > 2 && null_fd != ready_fd)
        close(null_fd);
}

// Reads the one line the service sends when it is ready or has failed. Returns its length; 0: it ended without one.
static size_t read_line(int fd, char *line, size_t capacity)
{
    size_t length = 0;
    ssize_t n;
    while (length + 1 < capacity && !memchr(line, '\n', length)) {
        n = read(fd, line + length, capacity - 1 - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return length;
}

static int wait_until_ready(pid_t child, int ready_fd)
{
    char line[1024];
    size_t length = read_line(ready_fd, line, sizeof(line));
    if (length > 0 && strcmp(line, "ready") == 0) {
        printf("Ringwall is running (process %d).\n", (int)child);
        return WALL_EXIT_OK;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (length > 0)
        wall_complain("%s", line);
    else if (WIFSIGNALED(status))
        wall_complain("the service ended by signal %d before it was ready", WTERMSIG(status));
    else
        wall_complain("the service ended with code %d before it was ready", WEXITSTATUS(status));
    return WALL_EXIT_FAILED;
}

static int start_daemon(const struct wall_arguments *arguments, char *program)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return wall_complain_error(-errno, NULL);
    // Above the standard descriptors, which the child replaces.
    int ready_fd = fcntl(fds[1], F_DUPFD, 10);
    close(fds[1]);
    char number[16];
    snprintf(number, sizeof(number), "%d", ready_fd);
    char **words = make_words(arguments, program, number);
    pid_t child = ready_fd >= 0 && words ? fork() : -1;
    if (child == 0) {
        become_daemon(ready_fd);
        execv(program, words);
        (void)dprintf(ready_fd, "cannot run %s: %m; is Ringwall installed completely?\n", program);
        _exit(WALL_EXIT_FAILED);
    }
    int code = child < 0 ? wall_complain_error(-errno, NULL) : WALL_EXIT_OK;
    if (ready_fd >= 0)
        close(ready_fd);
    if (child > 0)
        code = wait_until_ready(child, fds[0]);
    close(fds[0]);
    free(words);
    return code;
}

static int start_here(const struct wall_arguments *arguments, char *program)
{
    char **words = make_words(arguments, program, NULL);
    if (!words)
        return wall_complain_error(-ENOMEM, NULL);
    fflush(stdout);
    execv(program, words);
    int code = complain_exec(program);
    free(words);
    return code;
}

static int run_start(const struct wall_arguments *arguments)
{
    char *program = find_service();
    if (!program)
        return wall_complain_error(-ENOMEM, NULL);
    int code = wall_argument_given(arguments, "daemon") ? start_daemon(arguments, program)
                                                        : start_here(arguments, program);
    free(program);
    return code;
}

static const struct wall_option options[] = {
    { "daemon", NULL, "Go to the background once the service is ready.", false },
    { "scope", "CGROUP", "Enforce only in this cgroup (default: the whole machine).", false },
    { "state-dir", "DIR", "Where the policy is stored.", false },
    { "pend-age", "SECONDS", "How long a driver may keep a connection waiting; 600 if not given.", false },
    { 0 },
};

const struct wall_command wall_command_start = {
    .name = "start",
    .summary = "Start the service.",
    .usage = "",
    .description =
        "Without --daemon the service runs in the foreground until Ctrl-C or `ringwall stop`.\n"
        "CGROUP is a path below the cgroup v2 mount; its last part is created if missing.\n"
        "The policy is stored in /var/lib/ringwall, or in DIR/state with --runtime-dir DIR.\n",
    .examples = "  ringwall start --daemon\n"
                "  ringwall start --scope system.slice/build.service\n"
                "  ringwall start --runtime-dir /tmp/rw --scope test   # one to try things with\n",
    .options = options,
    .run = run_start,
};
