// What the driver was told to block. Filled by DriverEntry, read-only from then on: classify needs no lock.
#pragma once

#include <ntddk.h>

#include "address.h"

// A driver's registry value is a line someone typed; a longer list belongs into filters. One value too many is an
// error and DriverEntry fails: nothing is dropped silently.
#define WALL_RULES_APPS_MAX 32
#define WALL_RULES_REMOTES_MAX 64
#define WALL_RULES_TEXT_MAX 2048  // characters of one registry value, its terminator included

struct wall_remote {
    struct wall_address address;
    UINT16 port;
    BOOLEAN has_address, has_port;
};

struct wall_rules {
    ULONG app_count, remote_count;
    struct {
        ULONG start, length;  // in app_text
    } apps[WALL_RULES_APPS_MAX];
    WCHAR app_text[WALL_RULES_TEXT_MAX];
    struct wall_remote remotes[WALL_RULES_REMOTES_MAX];
};

// Adds the comma-separated parts of paths in `text`, or the remotes `addr`, `addr:port`, `[v6]:port`, `:port`.
// The text is cut into NUL-terminated values on the way.
// Returns STATUS_SUCCESS; STATUS_INVALID_PARAMETER when a value cannot be read, STATUS_QUOTA_EXCEEDED when it is one
// too many, both with that value in *ret_bad (it points into `text`). Call once for each of the two.
NTSTATUS wall_rules_set_apps(struct wall_rules *rules, PWSTR text, PCWSTR *ret_bad);
NTSTATUS wall_rules_set_remotes(struct wall_rules *rules, PWSTR text, PCWSTR *ret_bad);

// True when `path` (characters, a terminator at the end does not matter) contains one of the parts. Upper and lower
// case differ: Linux paths are case-sensitive, and Windows hands over process paths already in lower case.
BOOLEAN wall_rules_match_app(const struct wall_rules *rules, const WCHAR *path, ULONG length);
// `port` is looked at only when `has_port`: ICMP has none, though its type and code travel in the same fields.
BOOLEAN wall_rules_match_remote(const struct wall_rules *rules, const struct wall_address *address, UINT16 port,
                                BOOLEAN has_port);
