// Persistence: the engine's persistent objects in the store, and back at start.
#pragma once

struct wall_engine;
struct wall_engine_events;
struct wall_error;
struct wall_service;

// Fills the store_* members of `events`, whose context must be the service.
void wall_persistence_events(struct wall_engine_events *events);
// Puts all stored objects into the engine. Returns 0; an object that the engine does not take any more is reported to
// the log and left in the store. A store that cannot be read is an error.
int wall_persistence_load(struct wall_service *service, struct wall_error *err);
