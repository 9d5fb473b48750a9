// The cutter: ends the connections a survey finds blocked, while the survey goes on.
#pragma once

#include <stdint.h>

#include "wire/flow.bpf.h"

struct wall_cutter;
struct wall_namespaces;

// `namespaces` is borrowed, and used by the caller's thread alone. Returns NULL without memory.
struct wall_cutter *wall_cutter_new(struct wall_namespaces *namespaces);
// Has sockets of one namespace aborted, WALL_SURVEY_SOCKETS_MAX at most: soon, by a thread of its own when there are
// many and another thread can be had, and by the caller's when that one does not keep up.
void wall_cutter_add(struct wall_cutter *cutter, const struct wall_survey_socket *sockets, uint32_t count);
// Returns how many sockets have been aborted, when there is none left; the cutter is freed.
uint32_t wall_cutter_finish(struct wall_cutter *cutter);
