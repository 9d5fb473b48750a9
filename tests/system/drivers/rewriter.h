// What the drivers have in common that give the sockets of one program another address: which program, which address,
// and when it is written. Their registry values: `program` (how the path of the executable ends), `address4`,
// `address6`, `port`, and `mode`: "" (writes while it classifies) or "pend" (pends, and writes from its own thread).
#pragma once

#include <ntddk.h>

#include <fwpmk.h>
#include <fwpsk.h>

// PASSIVE_LEVEL. The addresses are those to take where the registry names none; "": a socket keeps its own. `write`
// changes the layer data.
NTSTATUS rewriter_start(PUNICODE_STRING registry_path, PCWSTR address4, PCWSTR address6, VOID (*write)(PVOID data));
// PASSIVE_LEVEL, and from every point that rewriter_start can have reached. What is pended is written.
VOID rewriter_stop(VOID);

// Whether the sockets of the program with this app id are to be rewritten.
BOOLEAN rewriter_wants(const FWP_BYTE_BLOB *app_id);
// In classify. Has the layer data written and permits, now or later; blocks where that is not possible.
VOID rewriter_classify(const void *context, const FWPS_FILTER3 *filter, FWPS_CLASSIFY_OUT0 *out);
// For `write`: puts the address and the port of the registry there. Without a port it stays as it is.
VOID rewriter_set_address(SOCKADDR_STORAGE *address);
