// How requests reach the engine: in the same process (fwpkclnt.sys) or through the bed's device (fwpuclnt.dll).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bed_transport;

// Returns 0 or a negative errno.
int bed_transport_open(struct bed_transport **ret_transport);
void bed_transport_close(struct bed_transport *transport);
// Sends a frame, receives one into `reply`. Returns its size, or a negative errno.
int bed_transport_call(struct bed_transport *transport, const void *frame, size_t size, void *reply, size_t reply_size);
// Sleeps some milliseconds, while another session's transaction is waited for.
void bed_transport_pause(void);
