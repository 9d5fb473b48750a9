// What the workloads share: options, time, sockets on loopback, samples.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct options {
    double seconds;        // of each slice, where there are slices
    uint64_t count;        // operations, where a workload counts; 0: as many as fit into the time
    uint64_t rate;         // operations a second at most, where a workload keeps to it; 0: as many as possible
    int cpu, server_cpu;   // -1: any; a server of its own only where the workload has one
    uint32_t processes;
    bool slices;           // works a slice for each line of standard input and tells its figures; ends with the input
    uint16_t port;         // 0: a free one
    const char *mode;      // "" or a word the workload explains
    const char *program;   // this program's name, for those that start it again
};

// Each measures, prints one line of JSON, and returns the exit code.
int connect_run(const struct options *options);
int crr_run(const struct options *options);
int rr_run(const struct options *options);
int stream_run(const struct options *options);
int udp_run(const struct options *options);
int accept_run(const struct options *options);
int flood_run(const struct options *options);
int denied_run(const struct options *options);
int spawn_run(const struct options *options);
int flows_run(const struct options *options);
int mixture_run(const struct options *options);
int serve_run(const struct options *options);
int verify_run(const struct options *options);

uint64_t now_ns(void);
void sleep_until(uint64_t ns);  // a time of now_ns()
_Noreturn void die(const char *what);
// The calling process runs on this CPU only; -1: anywhere.
void pin(int cpu);

// On 127.0.0.1; port 0: a free one. SOCK_STREAM sockets listen.
int open_server(int type, uint16_t port, struct sockaddr_in *ret_address);
int open_client(int type, const struct sockaddr_in *address);
// Closes so that no TIME_WAIT builds up.
void reset(int fd);
// Exactly so many bytes.
void put(int fd, const void *bytes, size_t size);
void get(int fd, void *bytes, size_t size);

// The server half of a workload as a process of its own on options->server_cpu; it dies with this one.
void start_server(const struct options *options, void (*serve)(int listener), int listener);

// Times of single operations, in nanoseconds.
struct samples {
    uint32_t *ns;
    uint32_t count, slice_first; // of all slices; the first one of this slice
    uint64_t before, warm, end;  // times of the last operation, the end of warming up, the end of the slice
    uint64_t spent;              // in all slices
    uint64_t length;             // of a slice
    bool slices;
};

// Starts the clock; with slices, when there is a line to read.
void samples_begin(struct samples *samples, const struct options *options);
// One operation is over. Returns false when the time is. After a slice it tells the slice's figures and waits for the
// next line.
bool samples_add(struct samples *samples);
// Prints operations, seconds, percentiles and extremes, and `more` (JSON members with a leading comma, or "").
void samples_report(struct samples *samples, const char *more);
