// The traffic generator: one program, many ways to send. Copies of it under several names are the programs that the
// scenarios deny, watch and compare.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TCP_PORT 7011  // not those of tests/system/lab.py
#define UDP_PORT 7012
#define WAIT_MS 300   // for an answer; the peer is on this machine
#define ATTEMPTS 3    // of a datagram exchange: a blocked datagram may vanish without an error

struct end {
    struct sockaddr_storage address;
    socklen_t size;
};

struct target {
    const char *address4, *address6;
    const char *program;  // that acts, where the scenario starts another one
};

struct scenario {
    const char *name;
    void (*run)(const struct target *target);
};

// Tables of the files, each ending with an empty element.
extern const struct scenario tcp_scenarios[], udp_scenarios[], raw_scenarios[], uring_scenarios[],
    zero_copy_scenarios[], process_scenarios[];

struct end end_of(const char *address, uint16_t port);
const struct sockaddr *sockaddr_of(const struct end *end);

// The results are counted, and printed when the program ends: exit 0 all exchanges worked, 1 none, 2 some,
// 77 this kernel has no such socket.
void exchange_worked(void);
void exchange_failed(const char *call);  // with errno
void exchange_is(bool worked, const char *call);
_Noreturn void not_here(const char *what);
int finish(void);
void begin_again(void);  // in a child: its results are its own

// Opens a socket; a kernel without such ends the program with 77.
int socket_or_none(int family, int type, int protocol);

// Prints "flow PID PROTOCOL LOCAL-ADDRESS LOCAL-PORT REMOTE-ADDRESS REMOTE-PORT": what an observer has to see. The pid
// is that of the namespace /proc belongs to.
void print_flow(int fd, const char *protocol, const struct end *remote);
void print_flow_ports(const char *protocol, unsigned local_port, const struct end *remote, unsigned remote_port);

// Sends on a connected stream and compares what comes back.
bool echo_stream(int fd, size_t bytes);
bool await_readable(int fd, int wait_ms);
// connect(), print, exchange `bytes`.
void connect_and_echo(int fd, const struct end *remote, size_t bytes);
// Receives one datagram, which must equal `data`.
bool receive_datagram(int fd, const void *data, size_t size);

void serve(const char *address);
