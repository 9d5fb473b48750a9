// Cancel-safe queues for drivers in the bed (see the functions of the kernel they stand for).
#pragma once

#include <ntddk.h>

#include "core.h"

NTSTATUS NTAPI bed_IoCsqInitialize(IO_CSQ *queue, PIO_CSQ_INSERT_IRP insert, PIO_CSQ_REMOVE_IRP remove,
                                   PIO_CSQ_PEEK_NEXT_IRP peek, PIO_CSQ_ACQUIRE_LOCK acquire,
                                   PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete);
VOID NTAPI bed_IoCsqInsertIrp(IO_CSQ *queue, IRP *irp, IO_CSQ_IRP_CONTEXT *context);
IRP *NTAPI bed_IoCsqRemoveNextIrp(IO_CSQ *queue, PVOID context);
