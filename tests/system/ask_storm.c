// Many programs that connect at once while the ask driver holds them: starts them, waits until all are questions,
// answers each and measures how long its first byte takes.
//
//   ask_storm FOLDER COUNT tcp|udp 4|6 HOST PORT allow|block
//
// Each program is a hard link of ask_child. Says "held" when all wait, goes on at a line of input, ends with JSON.
#include <errno.h>
#include <fcntl.h>
#include <ringwall/ask.h>
#include <ringwall/control.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ask_child.h"

#define COUNT_MAX 20000
#define PAGE_SIZE (1u << 20)
#define HOLD_SECONDS 120


static char child_path[512];
static struct wall_control *control;
static uint64_t file;
static uint64_t ids[COUNT_MAX];       // of the question of each program
static uint64_t answered_ns[COUNT_MAX];
static uint64_t delays_us[COUNT_MAX];

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "ask_storm: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void start(const char *folder, int index, char **words, int pipe_fd)
{
    char path[512], number[16];
    snprintf(path, sizeof(path), "%s/p%05d", folder, index);
    snprintf(number, sizeof(number), "%d", index);
    if (link(child_path, path) < 0 && errno != EEXIST)
        die(path);
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(pipe_fd, STDOUT_FILENO);
    execl(path, path, number, words[3], words[4], words[5], words[6], NULL);
    _exit(127);
}

// --- The questions ---

static void must(int r, const char *what, const char *error)
{
    if (r == 0)
        return;
    fprintf(stderr, "ask_storm: %s: %s\n", what, error);
    exit(1);
}

// Notes whose question it is: the path ends with the program's number.
static bool note(const unsigned char *at, struct ask_question *ret_question)
{
    uint16_t digits[5];
    memcpy(ret_question, at, sizeof(*ret_question));
    memcpy(digits, at + sizeof(*ret_question) + ret_question->path_bytes - sizeof(digits), sizeof(digits));
    int index = 0;
    for (int i = 0; i < 5; i++)
        index = index * 10 + (digits[i] - '0');
    if (index < 0 || index >= COUNT_MAX || ids[index] == ret_question->id)
        return false;
    bool fresh = ids[index] == 0;
    ids[index] = ret_question->id;
    return fresh;
}

static unsigned list(unsigned long long *after)
{
    char error[WALL_CONTROL_ERROR_SIZE];
    struct wall_control_output *output;
    struct ask_list_output head;
    const struct ask_list_input input = {*after};
    must(wall_control_device_control(control, file, ASK_CODE_LIST, &input, sizeof(input), PAGE_SIZE, &output, error),
         "list", error);
    memcpy(&head, output->data, sizeof(head));
    const unsigned char *at = (const unsigned char *)output->data + sizeof(head);
    unsigned fresh = 0;
    for (unsigned i = 0; i < head.count; i++) {
        struct ask_question question;
        fresh += note(at, &question);
        *after = question.id;
        at += question.bytes;
    }
    wall_control_free(output);
    return fresh;
}

static void answer(int index, enum ask_verdict verdict)
{
    char error[WALL_CONTROL_ERROR_SIZE];
    struct wall_control_output *output;
    const struct ask_answer_input input = {ids[index], verdict, 0};
    answered_ns[index] = now_ns();
    must(wall_control_device_control(control, file, ASK_CODE_ANSWER, &input, sizeof(input),
                                     sizeof(struct ask_answer_output), &output, error), "answer", error);
    wall_control_free(output);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void finish(int count, enum ask_verdict verdict, int results_fd)
{
    int good = 0, failed = 0, last_error = 0;
    for (int i = 0; i < count; i++) {
        struct result result;
        int index = (int)((i * 7919L) % count);  // in another order than they came
        while (ids[index] == 0)
            index = (index + 1) % count;
        answer(index, verdict);
        ids[index] = 0;
        if (read(results_fd, &result, sizeof(result)) != sizeof(result))
            die("a program gave no result");
        good += result.error == 0;
        failed += result.error != 0;
        last_error = result.error ? result.error : last_error;
        delays_us[i] = (result.first_byte_ns - answered_ns[result.index]) / 1000;
    }
    qsort(delays_us, (size_t)count, sizeof(delays_us[0]), compare);
    printf("{\"count\": %d, \"good\": %d, \"failed\": %d, \"errno\": %d, \"p50_us\": %llu, \"p99_us\": %llu, "
           "\"max_us\": %llu}\n", count, good, failed, last_error, (unsigned long long)delays_us[count / 2],
           (unsigned long long)delays_us[count * 99L / 100], (unsigned long long)delays_us[count - 1]);
}

int main(int argc, char **argv)
{
    char error[WALL_CONTROL_ERROR_SIZE] = "";
    int results[2];
    unsigned long long after = 0;
    int count = argc == 8 ? (int)strtol(argv[2], NULL, 10) : 0;
    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: ask_storm FOLDER COUNT tcp|udp 4|6 HOST PORT allow|block\n");
        return 2;
    }
    ssize_t length = readlink("/proc/self/exe", child_path, sizeof(child_path) - 16);
    if (length <= 0)
        die("readlink");
    memcpy(strrchr(child_path, '/'), "/ask_child", sizeof("/ask_child"));
    must(wall_control_open(NULL, &control, error), "open", error);
    must(wall_control_device_open(control, "ask", ASK_DEVICE_NAME, &file, error), "device", error);
    if (pipe2(results, O_CLOEXEC) < 0)
        die("pipe");
    uint64_t begin = now_ns();
    for (int i = 0; i < count; i++)
        start(argv[1], i, argv, results[1]);
    for (unsigned seen = 0; seen < (unsigned)count;) {
        seen += list(&after);
        if (now_ns() - begin > HOLD_SECONDS * 1000000000ull)
            die("not all became questions");
        usleep(20000);
    }
    printf("held\n");
    fflush(stdout);
    (void)getchar();
    finish(count, strcmp(argv[7], "allow") == 0 ? ASK_ALLOW : ASK_BLOCK, results[0]);
    while (wait(NULL) > 0)
        continue;
    wall_control_close(control);
    return 0;
}
