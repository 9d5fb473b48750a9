// The IRQL at which a driver's callback runs. libntos keeps it for each thread; a program that does not use libntos has
// no IRQL, and libwfp does not bring it in.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wall_irql_state {
    uint8_t before;
    uint32_t process_before;
};

// Raises to `irql`, on behalf of `process_id` (0: the system process).
struct wall_irql_state wall_irql_raise(uint8_t irql, uint32_t process_id);
// Back to what it was. Returns false when the callback left another IRQL than it was called at: *ret_found.
bool wall_irql_restore(const struct wall_irql_state *state, uint8_t irql, uint8_t *ret_found);
