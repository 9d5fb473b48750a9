// Tables: compiled policies in the kernel, as maps that the programs decide by (wire/tables.bpf.h).
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

struct wall_bundle;

// A map of one bundle's kind, for the template of the ARRAY_OF_MAPS. Returns a descriptor or a negative errno.
int wall_tables_map_new(uint32_t page_count);

// A new map that holds a bundle. Returns a descriptor or a negative errno. About 1 ms for 4 MiB.
int wall_tables_fill(const struct wall_bundle *bundle);

// The ARRAY_OF_MAPS with the policy in force in one element and room for the next one in the other.
//
// The kernel keeps whoever changes such a map waiting for a grace period (10 to 20 ms), although the change holds at
// once. A thread of its own waits, so that a commit need not.
struct wall_tables_switch {
    int policy_fd;
    pthread_t thread;
    bool running;  // the thread is to be joined
    sem_t decided;
    int map_fd;         // what the thread puts in …
    uint32_t element;   // … and where
    bool switched;      // the other element is not needed any more
    int result;         // of putting it in; 1: not known yet
};

// `policy_fd` is borrowed.
void wall_tables_switch_init(struct wall_tables_switch *tables, int policy_fd);
// Waits for the thread.
void wall_tables_switch_done(struct wall_tables_switch *tables);

// Puts a map into element `element`; takes over `map_fd`. When it returns 0 the map is there, and wall_tables_finish()
// must follow. Else a negative errno, and the element is what it was.
int wall_tables_put(struct wall_tables_switch *tables, uint32_t element, int map_fd);
// `switched`: decisions are made by the new map now, and the other element is emptied in a while. Else the new one is.
void wall_tables_finish(struct wall_tables_switch *tables, bool switched);
