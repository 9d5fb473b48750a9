#include "rules.h"

// Ends the value at `text` and returns where the next one starts, NULL after the last.
static PWSTR cut_value(PWSTR text, ULONG *ret_length)
{
    ULONG length = 0;
    while (text[length] != L'\0' && text[length] != L',')
        length++;
    PWSTR next = text[length] == L',' ? text + length + 1 : NULL;
    text[length] = L'\0';
    *ret_length = length;
    return next;
}

NTSTATUS wall_rules_set_apps(struct wall_rules *rules, PWSTR text, PCWSTR *ret_bad)
{
    ULONG used = 0;
    for (PWSTR value = text, next; value; value = next) {
        ULONG length;
        next = cut_value(value, &length);
        if (length == 0) {
            *ret_bad = value;
            return STATUS_INVALID_PARAMETER;
        }
        if (rules->app_count == WALL_RULES_APPS_MAX || length > WALL_RULES_TEXT_MAX - used) {
            *ret_bad = value;
            return STATUS_QUOTA_EXCEEDED;
        }
        RtlCopyMemory(rules->app_text + used, value, length * sizeof(WCHAR));
        rules->apps[rules->app_count].start = used;
        rules->apps[rules->app_count].length = length;
        rules->app_count++;
        used += length;
    }
    return STATUS_SUCCESS;
}

static BOOLEAN parse_port(const WCHAR *text, ULONG length, struct wall_remote *remote)
{
    UINT32 port;
    if (!wall_number_parse(text, length, 65535, &port) || port == 0)
        return FALSE;
    remote->port = (UINT16)port;
    remote->has_port = TRUE;
    return TRUE;
}

static BOOLEAN parse_address(const WCHAR *text, ULONG length, struct wall_remote *remote)
{
    remote->has_address = wall_address_parse(text, length, &remote->address);
    return remote->has_address;
}

static BOOLEAN parse_remote(const WCHAR *text, ULONG length, struct wall_remote *ret_remote)
{
    struct wall_remote remote;
    ULONG colons = 0, last_colon = 0, bracket = length;
    RtlZeroMemory(&remote, sizeof(remote));
    for (ULONG i = 0; i < length; i++) {
        if (text[i] == L':') {
            colons++;
            last_colon = i;
        }
        if (text[i] == L']')
            bracket = i;
    }

    BOOLEAN good;
    if (length > 0 && text[0] == L'[') {
        good = bracket < length && colons >= 2 && parse_address(text + 1, bracket - 1, &remote);
        if (good && bracket + 1 < length)
            good = text[bracket + 1] == L':' && parse_port(text + bracket + 2, length - bracket - 2, &remote);
    } else if (colons == 1) {
        good = (last_colon == 0 || parse_address(text, last_colon, &remote)) &&
               parse_port(text + last_colon + 1, length - last_colon - 1, &remote);
    } else {
        good = parse_address(text, length, &remote);
    }
    if (good)
        *ret_remote = remote;
    return good;
}

NTSTATUS wall_rules_set_remotes(struct wall_rules *rules, PWSTR text, PCWSTR *ret_bad)
{
    for (PWSTR value = text, next; value; value = next) {
        ULONG length;
        next = cut_value(value, &length);
        struct wall_remote remote;
        if (!parse_remote(value, length, &remote)) {
            *ret_bad = value;
            return STATUS_INVALID_PARAMETER;
        }
        if (rules->remote_count == WALL_RULES_REMOTES_MAX) {
            *ret_bad = value;
            return STATUS_QUOTA_EXCEEDED;
        }
        rules->remotes[rules->remote_count++] = remote;
    }
    return STATUS_SUCCESS;
}

BOOLEAN wall_rules_match_app(const struct wall_rules *rules, const WCHAR *path, ULONG length)
{
    for (ULONG app = 0; app < rules->app_count; app++) {
        const WCHAR *part = rules->app_text + rules->apps[app].start;
        ULONG part_length = rules->apps[app].length;
        for (ULONG at = 0; part_length <= length && at <= length - part_length; at++)
            if (RtlEqualMemory(path + at, part, part_length * sizeof(WCHAR)))
                return TRUE;
    }
    return FALSE;
}

BOOLEAN wall_rules_match_remote(const struct wall_rules *rules, const struct wall_address *address, UINT16 port,
                                BOOLEAN has_port)
{
    for (ULONG i = 0; i < rules->remote_count; i++) {
        const struct wall_remote *remote = &rules->remotes[i];
        if (remote->has_address && !RtlEqualMemory(&remote->address, address, sizeof(*address)))
            continue;
        if (remote->has_port && (!has_port || remote->port != port))
            continue;
        return TRUE;
    }
    return FALSE;
}
