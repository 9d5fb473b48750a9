// The log of the kernel's decisions: read, given the paths of their executables, and told to the datapath's user.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "datapath/datapath.h"
#include "wire/log.bpf.h"

struct ring_buffer;

struct wall_log {
    struct wall_state *state;  // borrowed
    int executables_fd, denials_fd;  // borrowed
    const struct wall_datapath_events *events;  // borrowed
    struct ring_buffer *ring;
    struct wall_map executables;  // by id
    uint64_t suspended_ns;        // how far CLOCK_BOOTTIME is ahead of the clock of the records
    uint64_t told;                // records handled
    bool awake;                   // looks into the ring by itself
    bool denied;                  // denials may be waiting in their map
    uint32_t ticks, quiet_ticks;
    uint32_t budget;              // records this call may still handle
};

// Descriptors of the maps are borrowed. Executables the kernel knows from an earlier instance are forgotten: their
// paths went with it.
void wall_log_init(struct wall_log *log, struct wall_state *state, int executables_fd, int denials_fd,
                   const struct wall_datapath_events *events);
void wall_log_done(struct wall_log *log);

// Maps the ring and begins to read. Returns 0 or -errno.
int wall_log_open(struct wall_log *log, int log_fd);
// The other way round: what is in the ring stays there, and nobody is woken for it.
void wall_log_close(struct wall_log *log);
int wall_log_fd(const struct wall_log *log);  // of an open one: readable when the kernel woke the reader

// Tells at most `budget` records. Returns whether the log is awake: then wall_log_tick() wants to be called every
// WALL_LOG_TICK_MS.
bool wall_log_read(struct wall_log *log, uint32_t budget);
bool wall_log_tick(struct wall_log *log, uint32_t budget);

// Between reads the records of 50 ms pile up: at 100,000 decisions a second 5,000, which is 0.9 MB.
#define WALL_LOG_TICK_MS 50
