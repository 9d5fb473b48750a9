// The survey: a look at every socket that tasks in the cgroup have open (bpf/survey.bpf.c).
#pragma once

#include "wire/flow.bpf.h"

struct wall_error;
struct wall_hooks;

// Learns who owns the sockets that peers can reach and nobody has seen being made. Returns 0 or -errno.
int wall_survey_owners(struct wall_hooks *hooks, struct wall_error *err);

// What is told sockets whose flows are now blocked: of one namespace, WALL_SURVEY_SOCKETS_MAX at most.
#define WALL_SURVEY_SOCKETS_MAX 256u
typedef void wall_survey_blocked(void *context, const struct wall_survey_socket *sockets, uint32_t count);

// Judges all live flows by the present policy. `blocked` is told each socket whose flow is now blocked, more than once
// when several tasks have it open; what needs a decision of the user is held, and announced in the ring.
// Returns 0 or -errno.
int wall_survey_flows(struct wall_hooks *hooks, wall_survey_blocked *blocked, void *context, struct wall_error *err);
