// Doubly linked lists, singly linked lists, and lists with interlocked heads.
#pragma once

#include "compiler.h"

#define InitializeListHead32(head) InitializeListHead(head)

FORCEINLINE VOID InitializeListHead(PLIST_ENTRY head)
{
    head->Flink = head->Blink = head;
}

FORCEINLINE BOOLEAN IsListEmpty(const LIST_ENTRY *head)
{
    return (BOOLEAN)(head->Flink == head);
}

// Returns TRUE when the list is empty afterwards.
FORCEINLINE BOOLEAN RemoveEntryList(PLIST_ENTRY entry)
{
    PLIST_ENTRY next = entry->Flink;
    PLIST_ENTRY previous = entry->Blink;
    previous->Flink = next;
    next->Blink = previous;
    return (BOOLEAN)(next == previous);
}

FORCEINLINE PLIST_ENTRY RemoveHeadList(PLIST_ENTRY head)
{
    PLIST_ENTRY entry = head->Flink;
    (void)RemoveEntryList(entry);
    return entry;
}

FORCEINLINE PLIST_ENTRY RemoveTailList(PLIST_ENTRY head)
{
    PLIST_ENTRY entry = head->Blink;
    (void)RemoveEntryList(entry);
    return entry;
}

FORCEINLINE VOID InsertTailList(PLIST_ENTRY head, PLIST_ENTRY entry)
{
    PLIST_ENTRY last = head->Blink;
    entry->Flink = head;
    entry->Blink = last;
    last->Flink = entry;
    head->Blink = entry;
}

FORCEINLINE VOID InsertHeadList(PLIST_ENTRY head, PLIST_ENTRY entry)
{
    PLIST_ENTRY first = head->Flink;
    entry->Flink = first;
    entry->Blink = head;
    first->Blink = entry;
    head->Flink = entry;
}

FORCEINLINE VOID AppendTailList(PLIST_ENTRY head, PLIST_ENTRY list)
{
    PLIST_ENTRY last = head->Blink;
    head->Blink->Flink = list;
    head->Blink = list->Blink;
    list->Blink->Flink = head;
    list->Blink = last;
}

FORCEINLINE VOID PushEntryList(PSINGLE_LIST_ENTRY head, PSINGLE_LIST_ENTRY entry)
{
    entry->Next = head->Next;
    head->Next = entry;
}

FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY head)
{
    PSINGLE_LIST_ENTRY entry = head->Next;
    if (entry)
        head->Next = entry->Next;
    return entry;
}

typedef SINGLE_LIST_ENTRY SLIST_ENTRY, *PSLIST_ENTRY;

// Opaque to drivers. `Busy` guards the other members for the few instructions of a push or pop.
typedef struct DECLSPEC_ALIGN(16) _SLIST_HEADER {
    PSLIST_ENTRY First;
    ULONG Busy;
    USHORT Depth;
    USHORT Reserved;
} SLIST_HEADER, *PSLIST_HEADER;

NTOS_DECLARATIONS_BEGIN

VOID InitializeSListHead(PSLIST_HEADER head);
#define ExInitializeSListHead InitializeSListHead
#define ExQueryDepthSList(head) ((head)->Depth)
#define QueryDepthSList(head) ((head)->Depth)
// These return the entry that was first before, NULL for an empty list.
PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER head, PSLIST_ENTRY entry);
PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER head);
PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER head);
#define ExInterlockedPushEntrySList(head, entry, lock) ((void)(lock), InterlockedPushEntrySList(head, entry))
#define ExInterlockedPopEntrySList(head, lock) ((void)(lock), InterlockedPopEntrySList(head))
#define ExInterlockedFlushSList(head) InterlockedFlushSList(head)

// Lists under a spin lock that nothing else uses at a lower IRQL. Insertions return the entry that was first (last)
// before, removals the removed entry; NULL for an empty list.
PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY head, PLIST_ENTRY entry, ULONG_PTR *lock);
PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY head, PLIST_ENTRY entry, ULONG_PTR *lock);
PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY head, ULONG_PTR *lock);
PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY head, PSINGLE_LIST_ENTRY entry, ULONG_PTR *lock);
PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY head, ULONG_PTR *lock);

NTOS_DECLARATIONS_END
