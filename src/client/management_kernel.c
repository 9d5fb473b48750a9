// The management API in kernel mode: fwpmk.h, whose names are the symbols Fwpmk*.
#include "fwpmk.h"

#include "winerror.h"

#include "client/status.h"

#define RESULT NTSTATUS NTAPI
#define DONE(status) wall_status_to_kernel(status)

#include "client/management.inc"
