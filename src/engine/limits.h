// How much the engine holds at most, and what a caller gets who asks for more. Numbers Windows states are Windows'.
#pragma once

// FWP_E_TOO_MANY_CALLOUTS; the documented number. Registrations at run time count on their own.
#define WALL_CALLOUTS_MAX 100000

// FWP_E_TOO_MANY_SUBLAYERS: each has its own 16-bit weight.
#define WALL_SUBLAYERS_MAX 65536

// WALL_STATUS_QUOTA for the rest. A filter costs about 1 KiB: a full engine holds about 1 GiB, far beyond any policy.
#define WALL_FILTERS_MAX 1000000
#define WALL_PROVIDER_CONTEXTS_MAX 100000
#define WALL_PROVIDERS_MAX 10000
#define WALL_SESSIONS_MAX 4096

// FWP_E_OUT_OF_BOUNDS: conditions of one filter or template. Long address lists are OR-ed conditions.
#define WALL_CONDITIONS_MAX 65536

// Objects kept only because a read-only transaction began before they were deleted. Beyond this number the oldest
// such transaction is aborted (FWP_E_TXN_ABORTED): a reader must not make the engine grow without end.
#define WALL_GRAVEYARD_MAX 100000

// Net events kept, and their bytes; the oldest go first. Windows keeps about 128 KiB (100 to 150 events).
#define WALL_NET_EVENTS_MAX 4096
#define WALL_NET_EVENTS_BYTES_MAX (2u << 20)

// How long a user-mode session may hold a transaction, and how long it waits for one when it does not say.
#define WALL_TRANSACTION_HOLD_MS (3600u * 1000)
#define WALL_TRANSACTION_WAIT_MS 15000u
