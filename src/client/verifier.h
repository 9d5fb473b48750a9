// Reports of rules that a driver broke: through libntos, which adds the function, the IRQL and the stack; in a program
// without it through the service.
#pragma once

#include <stdint.h>

// `function` is the API's name. One sentence.
void wall_verifier_report(const char *function, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Violations that this thread has been reported for so far.
uint64_t wall_verifier_count(void);
