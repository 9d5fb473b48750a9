#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ntos/object.h"
#include "ntos/thread.h"
#include "ntos/verify.h"

#define SYSTEM_PROCESS_ID 4  // as on Windows

// Process objects kept, so that a process has one address: many more than a driver looks at at a time. When all are in
// use, a further process gets an object of its own that is not found again.
#define PROCESSES_KEPT 1024

static pthread_mutex_t processes_lock = PTHREAD_MUTEX_INITIALIZER;
static PEPROCESS processes[PROCESSES_KEPT];
static unsigned next_victim;

PEPROCESS PsInitialSystemProcess;

static void destroy_process(void *object)
{
}

struct _OBJECT_TYPE ntos_process_type = { "Process", destroy_process };

static PEPROCESS process_new(uint32_t id)
{
    PEPROCESS process = ntos_object_new(&ntos_process_type, sizeof(struct _EPROCESS));
    if (!process)
        abort();
    ntos_dispatcher_init(&process->Header, NTOS_DISPATCHER_PROCESS, sizeof(*process), 0);
    process->id = id;
    return process;
}

__attribute__((constructor)) static void make_system_process(void)
{
    PsInitialSystemProcess = process_new(SYSTEM_PROCESS_ID);
}

// Borrowed from the table; a caller that keeps it takes a reference before the table changes.
static PEPROCESS find_process(uint32_t id)
{
    if (id == SYSTEM_PROCESS_ID || id == 0)
        return PsInitialSystemProcess;
    unsigned free_slot = PROCESSES_KEPT;
    for (unsigned i = 0; i < PROCESSES_KEPT; i++) {
        if (processes[i] && processes[i]->id == id)
            return processes[i];
        if (!processes[i] && free_slot == PROCESSES_KEPT)
            free_slot = i;
    }
    for (unsigned i = 0; i < PROCESSES_KEPT && free_slot == PROCESSES_KEPT; i++) {
        unsigned slot = next_victim++ % PROCESSES_KEPT;
        if (ntos_object_references(processes[slot]) == 1) {
            ObDereferenceObject(processes[slot]);
            free_slot = slot;
        }
    }
    PEPROCESS process = process_new(id);
    if (free_slot < PROCESSES_KEPT)
        processes[free_slot] = process;
    return process;
}

PEPROCESS ntos_process_reference(uint32_t id)
{
    pthread_mutex_lock(&processes_lock);
    PEPROCESS process = find_process(id);
    ObReferenceObject(process);
    pthread_mutex_unlock(&processes_lock);
    return process;
}

uint32_t ntos_process_enter(uint32_t process_id)
{
    uint32_t previous = ntos_thread.process_id;
    ntos_thread.process_id = process_id;
    return previous;
}

HANDLE PsGetCurrentProcessId(VOID)
{
    return (HANDLE)(ULONG_PTR)(ntos_thread.process_id ? ntos_thread.process_id : SYSTEM_PROCESS_ID);
}

HANDLE PsGetProcessId(PEPROCESS process)
{
    return (HANDLE)(ULONG_PTR)process->id;
}

PEPROCESS PsGetCurrentProcess(VOID)
{
    pthread_mutex_lock(&processes_lock);
    PEPROCESS process = find_process(ntos_thread.process_id);
    pthread_mutex_unlock(&processes_lock);
    return process;
}

PEPROCESS IoGetCurrentProcess(VOID)
{
    return PsGetCurrentProcess();
}

NTSTATUS PsLookupProcessByProcessId(HANDLE process_id, PEPROCESS *process)
{
    if (!ntos_irql_at_most("PsLookupProcessByProcessId", APC_LEVEL))
        return STATUS_UNSUCCESSFUL;
    ULONG_PTR id = (ULONG_PTR)process_id;
    if (id == 0 || id > INT32_MAX || (id != SYSTEM_PROCESS_ID && kill((pid_t)id, 0) != 0 && errno == ESRCH))
        return STATUS_INVALID_CID;
    *process = ntos_process_reference((uint32_t)id);
    return STATUS_SUCCESS;
}

// The start time is field 22 of stat: clock ticks since boot. The name before it may hold blanks and brackets.
static bool read_start_ticks(uint32_t id, unsigned long long *ret_ticks)
{
    char path[64], line[1024];
    (void)snprintf(path, sizeof(path), "/proc/%u/stat", id);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    char *got = fgets(line, sizeof(line), file);
    (void)fclose(file);
    char *field = got ? strrchr(line, ')') : NULL;
    for (int i = 2; field && i < 22; i++)
        field = strchr(field + 1, ' ');
    if (!field)
        return false;
    *ret_ticks = strtoull(field, NULL, 10);
    return true;
}

LONGLONG PsGetProcessCreateTimeQuadPart(PEPROCESS process)
{
    unsigned long long ticks;
    if (!read_start_ticks(process->id, &ticks))
        return 0;
    LARGE_INTEGER now;
    ntos_system_time(&now);
    LONGLONG since_boot = (LONGLONG)KeQueryInterruptTime();
    return now.QuadPart - since_boot + (LONGLONG)(ticks * 10000000ull / (unsigned long long)sysconf(_SC_CLK_TCK));
}

NTSTATUS PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE routine, BOOLEAN remove)
{
    if (!ntos_irql_at_most("PsSetCreateProcessNotifyRoutine", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    return STATUS_NOT_SUPPORTED;
}
