#include "worker.h"

static struct {
    KEVENT stop, wake;
    PVOID thread;
    VOID (*work)(VOID);
} worker;

static VOID NTAPI run(PVOID unused)
{
    PVOID events[2] = { &worker.stop, &worker.wake };
    UNREFERENCED_PARAMETER(unused);
    while (KeWaitForMultipleObjects(2, events, WaitAny, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_WAIT_1)
        worker.work();
    (void)PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS worker_start(VOID (*work)(VOID))
{
    HANDLE handle;
    KeInitializeEvent(&worker.stop, NotificationEvent, FALSE);
    KeInitializeEvent(&worker.wake, SynchronizationEvent, FALSE);
    worker.work = work;
    NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, run, NULL);
    if (!NT_SUCCESS(status))
        return status;
    status = ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode, &worker.thread, NULL);
    (void)ZwClose(handle);
    return status;
}

VOID worker_wake(VOID)
{
    (void)KeSetEvent(&worker.wake, IO_NO_INCREMENT, FALSE);
}

VOID worker_stop(VOID)
{
    if (!worker.thread)
        return;
    (void)KeSetEvent(&worker.stop, IO_NO_INCREMENT, FALSE);
    (void)KeWaitForSingleObject(worker.thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(worker.thread);
}
