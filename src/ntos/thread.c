#include "ntos/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ntos/object.h"
#include "ntos/verify.h"

static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t thread_numbered = PTHREAD_COND_INITIALIZER;
static LIST_ENTRY threads = { &threads, &threads };
static pthread_key_t current_key;
static pthread_once_t current_once = PTHREAD_ONCE_INIT;

static void destroy_nothing(void *object)
{
}

struct _OBJECT_TYPE ntos_thread_type = { "Thread", destroy_nothing };

static void end_foreign_thread(void *thread)
{
    ObDereferenceObject(thread);
}

static void make_key(void)
{
    (void)pthread_key_create(&current_key, end_foreign_thread);
}

static PKTHREAD thread_new(void)
{
    PKTHREAD thread = ntos_object_new(&ntos_thread_type, sizeof(struct _KTHREAD));
    if (thread)
        ntos_dispatcher_init(&thread->Header, NTOS_DISPATCHER_THREAD, sizeof(*thread), 0);
    return thread;
}

PKTHREAD KeGetCurrentThread(VOID)
{
    if (ntos_thread.thread)
        return ntos_thread.thread;

    // A thread of the host or of libwfp: its object lives as long as it does.
    pthread_once(&current_once, make_key);
    PKTHREAD thread = thread_new();
    if (!thread)
        abort();
    pthread_mutex_lock(&threads_lock);
    thread->number = (ULONG)syscall(SYS_gettid);
    pthread_cond_broadcast(&thread_numbered);
    pthread_mutex_unlock(&threads_lock);
    ntos_thread.thread = thread;
    pthread_setspecific(current_key, thread);
    return thread;
}

static void finish_thread(PKTHREAD thread)
{
    if (ntos_thread.irql != PASSIVE_LEVEL)
        ntos_violation("PsTerminateSystemThread", "a system thread ended at IRQL %u", ntos_thread.irql);
    ntos_thread.irql = PASSIVE_LEVEL;
    pthread_mutex_lock(&threads_lock);
    RemoveEntryList(&thread->entry);
    pthread_mutex_unlock(&threads_lock);

    pthread_mutex_lock(&ntos_dispatcher_lock);
    ntos_dispatcher_signal(&thread->Header, 1);
    pthread_mutex_unlock(&ntos_dispatcher_lock);
    ObDereferenceObject(thread);
}

// Room for the host's crash handler when a driver has used up its stack.
#define SIGNAL_STACK_BYTES 65536

static void *start_thread(void *argument)
{
    PKTHREAD thread = argument;
    stack_t spare = { .ss_sp = malloc(SIGNAL_STACK_BYTES), .ss_size = SIGNAL_STACK_BYTES };
    if (spare.ss_sp)
        (void)sigaltstack(&spare, NULL);
    pthread_mutex_lock(&threads_lock);
    thread->number = (ULONG)syscall(SYS_gettid);
    pthread_cond_broadcast(&thread_numbered);
    pthread_mutex_unlock(&threads_lock);
    ntos_thread.thread = thread;
    if (sigsetjmp(thread->end, 0) == 0)
        thread->routine(thread->context);
    finish_thread(thread);
    stack_t none = { .ss_flags = SS_DISABLE };
    (void)sigaltstack(&none, NULL);
    free(spare.ss_sp);
    return NULL;
}

// `ret_thread` comes with a reference of its own.
static NTSTATUS create_thread(PKSTART_ROUTINE routine, PVOID context, PKTHREAD *ret_thread)
{
    PKTHREAD thread = thread_new();
    if (!thread)
        return STATUS_INSUFFICIENT_RESOURCES;
    thread->routine = routine;
    thread->context = context;
    ObReferenceObject(thread);

    pthread_mutex_lock(&threads_lock);
    InsertTailList(&threads, &thread->entry);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t handle;
    int error = pthread_create(&handle, &attributes, start_thread, thread);
    pthread_attr_destroy(&attributes);
    if (error)
        RemoveEntryList(&thread->entry);
    // Its creator may ask for its number at once.
    while (!error && thread->number == 0)
        pthread_cond_wait(&thread_numbered, &threads_lock);
    pthread_mutex_unlock(&threads_lock);
    if (error) {
        ObDereferenceObject(thread);
        ObDereferenceObject(thread);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *ret_thread = thread;
    return STATUS_SUCCESS;
}

NTSTATUS PsCreateSystemThread(PHANDLE handle, ULONG access, POBJECT_ATTRIBUTES attributes, HANDLE process,
                              PCLIENT_ID client_id, PKSTART_ROUTINE routine, PVOID context)
{
    if (!ntos_irql_at_most("PsCreateSystemThread", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    PKTHREAD thread;
    NTSTATUS status = create_thread(routine, context, &thread);
    if (!NT_SUCCESS(status))
        return status;
    status = ntos_handle_new(thread, __builtin_return_address(0), handle);
    if (client_id)
        *client_id = (CLIENT_ID){ PsGetProcessId(PsInitialSystemProcess), PsGetThreadId(thread) };
    ObDereferenceObject(thread);
    return status;
}

NTSTATUS PsTerminateSystemThread(NTSTATUS status)
{
    PKTHREAD thread = KeGetCurrentThread();
    if (!thread->routine) {
        ntos_violation("PsTerminateSystemThread", "called on a thread that PsCreateSystemThread did not make");
        return STATUS_INVALID_PARAMETER;
    }
    thread->status = status;
    siglongjmp(thread->end, 1);
}

BOOLEAN PsIsSystemThread(PETHREAD thread)
{
    return (BOOLEAN)(thread->routine != NULL);
}

HANDLE PsGetThreadId(PETHREAD thread)
{
    return (HANDLE)(ULONG_PTR)thread->number;
}

HANDLE PsGetCurrentThreadId(VOID)
{
    return PsGetThreadId(KeGetCurrentThread());
}

KPRIORITY KeSetPriorityThread(PKTHREAD thread, KPRIORITY priority)
{
    KPRIORITY previous = thread->priority;
    thread->priority = priority;
    return previous;
}

KPRIORITY KeQueryPriorityThread(PKTHREAD thread)
{
    return thread->priority;
}

KAFFINITY KeSetSystemAffinityThreadEx(KAFFINITY affinity)
{
    return 0;
}

VOID KeRevertToUserAffinityThreadEx(KAFFINITY affinity)
{
}

KPROCESSOR_MODE ExGetPreviousMode(VOID)
{
    return ntos_thread.process_id ? UserMode : KernelMode;
}

static PKTHREAD find_running(const void *start, const void *end)
{
    pthread_mutex_lock(&threads_lock);
    PKTHREAD found = NULL;
    for (PLIST_ENTRY entry = threads.Flink; entry != &threads && !found; entry = entry->Flink) {
        PKTHREAD thread = CONTAINING_RECORD(entry, struct _KTHREAD, entry);
        const char *routine = (const char *)(ULONG_PTR)thread->routine;
        if (routine >= (const char *)start && routine < (const char *)end)
            found = thread;
    }
    if (found)
        ObReferenceObject(found);
    pthread_mutex_unlock(&threads_lock);
    return found;
}

unsigned ntos_threads_sweep(const void *start, const void *end, uint32_t timeout_ms)
{
    LARGE_INTEGER timeout = { .QuadPart = -(LONGLONG)timeout_ms * 10000 };
    for (PKTHREAD thread; (thread = find_running(start, end));) {
        PVOID object = thread;
        NTSTATUS status = ntos_dispatcher_wait(1, &object, WaitAny, &timeout);
        ULONG number = thread->number;
        ObDereferenceObject(thread);
        if (status == STATUS_TIMEOUT) {
            ntos_leak("PsCreateSystemThread", "system thread %u still runs", number);
            return 1;
        }
    }
    return 0;
}

int ntos_thread_run(PKSTART_ROUTINE routine, PVOID context)
{
    PKTHREAD thread;
    if (!NT_SUCCESS(create_thread(routine, context, &thread)))
        return -EAGAIN;
    PVOID object = thread;
    (void)ntos_dispatcher_wait(1, &object, WaitAny, NULL);
    ObDereferenceObject(thread);
    return 0;
}
