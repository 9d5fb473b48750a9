// Dispatcher objects (events, semaphores, mutexes, timers, threads) and waiting for them; fast mutexes, resources.
//
// Waiting with a timeout other than zero, and everything marked "PASSIVE", is reported and fails at DISPATCH_LEVEL.
#pragma once

#include "irql.h"
#include "list.h"

typedef enum _EVENT_TYPE { NotificationEvent, SynchronizationEvent } EVENT_TYPE;
typedef enum _TIMER_TYPE { NotificationTimer, SynchronizationTimer } TIMER_TYPE;
typedef enum _WAIT_TYPE { WaitAll, WaitAny } WAIT_TYPE;
typedef enum _KWAIT_REASON {
    Executive,
    FreePage,
    PageIn,
    PoolAllocation,
    DelayExecution,
    Suspended,
    UserRequest,
    WrExecutive,
    WrFreePage,
    WrPageIn,
    WrPoolAllocation,
    WrDelayExecution,
    WrSuspended,
    WrUserRequest,
    WrEventPair,
    WrQueue,
    MaximumWaitReason = 42
} KWAIT_REASON;

#define THREAD_WAIT_OBJECTS 3
#define MAXIMUM_WAIT_OBJECTS 64
#define LOW_PRIORITY 0
#define LOW_REALTIME_PRIORITY 16
#define HIGH_PRIORITY 31
#define IO_NO_INCREMENT 0
#define IO_NETWORK_INCREMENT 2
#define EVENT_INCREMENT 1
#define SEMAPHORE_INCREMENT 1

typedef struct _DISPATCHER_HEADER {
    UCHAR Type;
    UCHAR Signalling;
    UCHAR Size;
    UCHAR Reserved;
    LONG SignalState;
    LIST_ENTRY WaitListHead;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

typedef struct _KEVENT {
    DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KSEMAPHORE {
    DISPATCHER_HEADER Header;
    LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

typedef struct _KMUTANT {
    DISPATCHER_HEADER Header;
    struct _KTHREAD *OwnerThread;
    LONG Recursion;
    BOOLEAN Abandoned;
    UCHAR ApcDisable;
} KMUTANT, *PKMUTANT, KMUTEX, *PKMUTEX, *PRKMUTEX, *PRKMUTANT;

typedef struct _KTHREAD *PKTHREAD, *PRKTHREAD;
typedef struct _KWAIT_BLOCK {
    PVOID Reserved[6];
} KWAIT_BLOCK, *PKWAIT_BLOCK;

NTOS_DECLARATIONS_BEGIN

VOID KeInitializeEvent(PRKEVENT event, EVENT_TYPE type, BOOLEAN state);
LONG KeSetEvent(PRKEVENT event, KPRIORITY increment, BOOLEAN wait);
LONG KeResetEvent(PRKEVENT event);
VOID KeClearEvent(PRKEVENT event);
LONG KePulseEvent(PRKEVENT event, KPRIORITY increment, BOOLEAN wait);
LONG KeReadStateEvent(PRKEVENT event);

VOID KeInitializeSemaphore(PRKSEMAPHORE semaphore, LONG count, LONG limit);
LONG KeReleaseSemaphore(PRKSEMAPHORE semaphore, KPRIORITY increment, LONG adjustment, BOOLEAN wait);
LONG KeReadStateSemaphore(PRKSEMAPHORE semaphore);

VOID KeInitializeMutex(PRKMUTEX mutex, ULONG level);
LONG KeReleaseMutex(PRKMUTEX mutex, BOOLEAN wait);
LONG KeReadStateMutex(PRKMUTEX mutex);

// Return STATUS_SUCCESS (for WaitAny: the object's index), STATUS_TIMEOUT or STATUS_UNSUCCESSFUL (wrong level).
NTSTATUS KeWaitForSingleObject(PVOID object, KWAIT_REASON reason, KPROCESSOR_MODE mode, BOOLEAN alertable,
                               PLARGE_INTEGER timeout);
NTSTATUS KeWaitForMultipleObjects(ULONG count, PVOID objects[], WAIT_TYPE type, KWAIT_REASON reason,
                                  KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER timeout,
                                  PKWAIT_BLOCK blocks);
#define KeWaitForMutexObject KeWaitForSingleObject
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE mode, BOOLEAN alertable, PLARGE_INTEGER interval);

// --- Fast mutexes: raise to APC_LEVEL while held (the Unsafe forms do not) ---

typedef struct _FAST_MUTEX {
    LONG Count;
    PVOID Owner;
    ULONG Contention;
    KEVENT Event;
    ULONG OldIrql;
} FAST_MUTEX, *PFAST_MUTEX, KGUARDED_MUTEX, *PKGUARDED_MUTEX;

VOID ExInitializeFastMutex(PFAST_MUTEX mutex);
VOID ExAcquireFastMutex(PFAST_MUTEX mutex);
VOID ExReleaseFastMutex(PFAST_MUTEX mutex);
VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX mutex);
VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX mutex);
BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX mutex);
#define KeInitializeGuardedMutex ExInitializeFastMutex
#define KeAcquireGuardedMutex ExAcquireFastMutex
#define KeReleaseGuardedMutex ExReleaseFastMutex
#define KeAcquireGuardedMutexUnsafe ExAcquireFastMutexUnsafe
#define KeReleaseGuardedMutexUnsafe ExReleaseFastMutexUnsafe
#define KeTryToAcquireGuardedMutex ExTryToAcquireFastMutex

// --- Resources: many readers or one writer, recursive ---

#define NTOS_RESOURCE_OWNERS 32  // readers told apart; more threads than this at once may not recurse

typedef struct _ERESOURCE {
    LIST_ENTRY SystemResourcesList;
    PVOID Writer;
    ULONG WriterDepth;
    ULONG Readers;
    ULONG WaitingWriters;
    ULONG WaitingReaders;
    struct {
        PVOID Thread;
        ULONG Depth;
    } ReaderTable[NTOS_RESOURCE_OWNERS];
} ERESOURCE, *PERESOURCE;
typedef ULONG_PTR ERESOURCE_THREAD, *PERESOURCE_THREAD;

NTSTATUS ExInitializeResourceLite(PERESOURCE resource);
NTSTATUS ExDeleteResourceLite(PERESOURCE resource);
NTSTATUS ExReinitializeResourceLite(PERESOURCE resource);
BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE resource, BOOLEAN wait);
BOOLEAN ExAcquireResourceSharedLite(PERESOURCE resource, BOOLEAN wait);
BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE resource, BOOLEAN wait);
BOOLEAN ExAcquireSharedWaitForExclusive(PERESOURCE resource, BOOLEAN wait);
VOID ExReleaseResourceLite(PERESOURCE resource);
VOID ExConvertExclusiveToSharedLite(PERESOURCE resource);
BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE resource);
ULONG ExIsResourceAcquiredSharedLite(PERESOURCE resource);
#define ExIsResourceAcquiredLite ExIsResourceAcquiredSharedLite
#define ExGetCurrentResourceThread() ((ERESOURCE_THREAD)KeGetCurrentThread())
#define ExEnterCriticalRegionAndAcquireResourceExclusive(resource) \
    (KeEnterCriticalRegion(), (void)ExAcquireResourceExclusiveLite((resource), TRUE))
#define ExEnterCriticalRegionAndAcquireResourceShared(resource) \
    (KeEnterCriticalRegion(), (void)ExAcquireResourceSharedLite((resource), TRUE))
#define ExReleaseResourceAndLeaveCriticalRegion(resource) (ExReleaseResourceLite(resource), KeLeaveCriticalRegion())

// --- Push locks: not recursive, <= APC_LEVEL ---

typedef struct _EX_PUSH_LOCK {
    ULONG_PTR State;  // 0 free, ULONG_PTR_MAX held exclusively, else the number of sharers
} EX_PUSH_LOCK, *PEX_PUSH_LOCK;

VOID ExInitializePushLock(PEX_PUSH_LOCK lock);
VOID ExAcquirePushLockExclusive(PEX_PUSH_LOCK lock);
VOID ExAcquirePushLockShared(PEX_PUSH_LOCK lock);
VOID ExReleasePushLockExclusive(PEX_PUSH_LOCK lock);
VOID ExReleasePushLockShared(PEX_PUSH_LOCK lock);
#define ExAcquirePushLockExclusiveEx(lock, flags) ExAcquirePushLockExclusive(lock)
#define ExAcquirePushLockSharedEx(lock, flags) ExAcquirePushLockShared(lock)
#define ExReleasePushLockExclusiveEx(lock, flags) ExReleasePushLockExclusive(lock)
#define ExReleasePushLockSharedEx(lock, flags) ExReleasePushLockShared(lock)
#define FltInitializePushLock ExInitializePushLock
#define FltDeletePushLock(lock) ((void)(lock))
#define FltAcquirePushLockExclusive ExAcquirePushLockExclusive
#define FltAcquirePushLockShared ExAcquirePushLockShared

// --- Rundown protection ---

typedef struct _EX_RUNDOWN_REF {
    LONG64 Count;  // references times two, plus one once run down
    KEVENT Drained;
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF rundown);
VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF rundown);
BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF rundown);
BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF rundown, ULONG count);
VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF rundown);
VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF rundown, ULONG count);
VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF rundown);
VOID ExRundownCompleted(PEX_RUNDOWN_REF rundown);

NTOS_DECLARATIONS_END
