// The folder of pins: a bpffs that one instance at a time may use.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct wall_error;

#define WALL_PIN_PATH_BYTES 320  // of one pin: that of the folder, and a name

struct wall_pins {
    char path[256];
    int lock_fd;  // the folder, locked; -1: none
};

// Makes the folder, mounts a bpffs on it when it does not lie on one, and locks it.
// Returns 0, -EBUSY (another instance has it), or what mkdir or mount said.
int wall_pins_open(const char *path, struct wall_pins *ret_pins, struct wall_error *err);
// Lets go of the lock; the pins stay.
void wall_pins_close(struct wall_pins *pins);
// Removes every pin, the mount that wall_pins_open() made, and the folder. Returns 0 or -errno.
int wall_pins_remove(struct wall_pins *pins, struct wall_error *err);

// Removes all pins whose name begins with `prefix` ("": all).
int wall_pins_clear(const struct wall_pins *pins, const char *prefix);
bool wall_pins_contain(const struct wall_pins *pins, const char *name);
// The path of one pin. Returns `ret_path`.
const char *wall_pins_name(const struct wall_pins *pins, const char *name, char ret_path[WALL_PIN_PATH_BYTES]);
