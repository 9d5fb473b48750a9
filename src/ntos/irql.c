#include <sched.h>
#include <unistd.h>

#include "ntos/verify.h"

KIRQL KeGetCurrentIrql(VOID)
{
    return ntos_thread.irql;
}

KIRQL KfRaiseIrql(KIRQL new_irql)
{
    KIRQL old_irql = ntos_thread.irql;
    if (new_irql < old_irql || new_irql > HIGH_LEVEL)
        ntos_violation("KeRaiseIrql", "cannot raise from IRQL %u to %u", old_irql, new_irql);
    else
        ntos_thread.irql = new_irql;
    return old_irql;
}

KIRQL KeRaiseIrqlToDpcLevel(VOID)
{
    return KfRaiseIrql(DISPATCH_LEVEL);
}

VOID KeLowerIrql(KIRQL new_irql)
{
    if (new_irql > ntos_thread.irql)
        ntos_violation("KeLowerIrql", "cannot lower from IRQL %u to %u", ntos_thread.irql, new_irql);
    else
        ntos_thread.irql = new_irql;
}

VOID ntos_paged_code(const char *function)
{
    (void)ntos_irql_at_most(function, APC_LEVEL);
}

BOOLEAN KeAreApcsDisabled(VOID)
{
    return (BOOLEAN)(ntos_thread.critical_regions > 0 || ntos_thread.irql >= APC_LEVEL);
}

BOOLEAN KeAreAllApcsDisabled(VOID)
{
    return (BOOLEAN)(ntos_thread.irql >= APC_LEVEL);
}

static void leave_region(const char *function)
{
    if (ntos_thread.critical_regions == 0)
        ntos_violation(function, "left a region that was not entered");
    else
        ntos_thread.critical_regions--;
}

VOID KeEnterCriticalRegion(VOID)
{
    ntos_thread.critical_regions++;
}

VOID KeLeaveCriticalRegion(VOID)
{
    leave_region("KeLeaveCriticalRegion");
}

VOID KeEnterGuardedRegion(VOID)
{
    ntos_thread.critical_regions++;
}

VOID KeLeaveGuardedRegion(VOID)
{
    leave_region("KeLeaveGuardedRegion");
}

// --- Processors: one group; a thread may change processor at any time, so the number is a hint ---

ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER number)
{
    int cpu = sched_getcpu();
    ULONG index = cpu > 0 ? (ULONG)cpu : 0;
    if (number)
        *number = (PROCESSOR_NUMBER){ 0, (UCHAR)index, 0 };
    return index;
}

ULONG KeQueryMaximumProcessorCountEx(USHORT group)
{
    long count = sysconf(_SC_NPROCESSORS_CONF);
    return count > 0 ? (ULONG)count : 1;
}

ULONG KeQueryActiveProcessorCountEx(USHORT group)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (ULONG)count : 1;
}

ULONG KeQueryActiveProcessorCount(KAFFINITY *active)
{
    ULONG count = KeQueryActiveProcessorCountEx(0);
    if (active)
        *active = count >= 64 ? ~(KAFFINITY)0 : ((KAFFINITY)1 << count) - 1;
    return count;
}

NTSTATUS KeGetProcessorNumberFromIndex(ULONG index, PPROCESSOR_NUMBER number)
{
    if (index >= KeQueryMaximumProcessorCountEx(0))
        return STATUS_INVALID_PARAMETER;
    *number = (PROCESSOR_NUMBER){ 0, (UCHAR)index, 0 };
    return STATUS_SUCCESS;
}
