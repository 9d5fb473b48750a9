#include "question.h"

#define BUCKETS 8192

static struct {
    KSPIN_LOCK lock;
    LIST_ENTRY by_id[BUCKETS], by_key[BUCKETS];
    LIST_ENTRY waiting;   // in the order of their ids
    LIST_ENTRY verdicts;  // decided, still under their key; in the order of the decisions. Linked by `waiting`
    KEVENT changed;
    UINT64 next_id;
    struct ask_counts counts;
} table;

void ask_questions_init(void)
{
    RtlZeroMemory(&table, sizeof(table));
    KeInitializeSpinLock(&table.lock);
    KeInitializeEvent(&table.changed, SynchronizationEvent, FALSE);
    for (ULONG i = 0; i < BUCKETS; i++) {
        InitializeListHead(&table.by_id[i]);
        InitializeListHead(&table.by_key[i]);
    }
    InitializeListHead(&table.waiting);
    InitializeListHead(&table.verdicts);
    table.next_id = 1;
    table.counts.sequence = 1;
}

static LARGE_INTEGER now(void)
{
    LARGE_INTEGER time;
    time.QuadPart = (LONGLONG)KeQueryInterruptTime();
    return time;
}

static LIST_ENTRY *bucket_of_id(UINT64 id)
{
    return &table.by_id[id % BUCKETS];
}

// FNV-1a. Nobody gains by making connections collide: it is their own program that waits longer.
static LIST_ENTRY *bucket_of_key(const struct ask_key *key)
{
    const UCHAR *bytes = (const UCHAR *)key;
    UINT32 hash = 2166136261u;
    for (ULONG i = 0; i < sizeof(*key); i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return &table.by_key[hash % BUCKETS];
}

struct ask_item *ask_question_new(const WCHAR *path, ULONG path_bytes)
{
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    BOOLEAN room = table.counts.waiting < ASK_QUESTIONS_MAX;
    KeReleaseSpinLock(&table.lock, irql);

    SIZE_T size = sizeof(struct ask_item) + path_bytes;
    struct ask_item *item = room ? ExAllocatePoolWithTag(NonPagedPoolNx, size, ASK_TAG) : NULL;
    if (!item) {
        KeAcquireSpinLock(&table.lock, &irql);
        table.counts.refused++;
        KeReleaseSpinLock(&table.lock, irql);
        return NULL;
    }
    RtlZeroMemory(item, size);
    item->references = 1;
    item->path_bytes = path_bytes;
    RtlCopyMemory(item->path, path, path_bytes);
    KeInitializeEvent(&item->unwound, NotificationEvent, FALSE);
    item->since = now();
    return item;
}

void ask_question_release(struct ask_item *item)
{
    if (InterlockedDecrement(&item->references) > 0)
        return;
    if (item->packet)
        FwpsFreeCloneNetBufferList0(item->packet, 0);
    ExFreePoolWithTag(item, ASK_TAG);
}

void ask_question_publish(struct ask_item *item)
{
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    (void)InterlockedIncrement(&item->references);
    item->id = table.next_id++;
    item->is_waiting = TRUE;
    item->is_keyed = TRUE;
    InsertTailList(bucket_of_id(item->id), &item->by_id);
    InsertTailList(bucket_of_key(&item->key), &item->by_key);
    InsertTailList(&table.waiting, &item->waiting);
    table.counts.waiting++;
    table.counts.sequence++;
    KeReleaseSpinLock(&table.lock, irql);
    (void)KeSetEvent(&table.changed, IO_NO_INCREMENT, FALSE);
}

BOOLEAN ask_question_decide(struct ask_item *item, UCHAR verdict)
{
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    BOOLEAN first = item->is_waiting;
    if (first) {
        item->is_waiting = FALSE;
        item->verdict = verdict;
        item->answered = now();
        (void)RemoveEntryList(&item->by_id);
        (void)RemoveEntryList(&item->waiting);
        InsertTailList(&table.verdicts, &item->waiting);
        table.counts.waiting--;
        table.counts.sequence++;
    }
    KeReleaseSpinLock(&table.lock, irql);
    if (first)
        (void)KeSetEvent(&table.changed, IO_NO_INCREMENT, FALSE);
    return first;
}

struct ask_item *ask_question_find(UINT64 id)
{
    struct ask_item *found = NULL;
    LIST_ENTRY *bucket = bucket_of_id(id);
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    for (LIST_ENTRY *at = bucket->Flink; at != bucket && !found; at = at->Flink) {
        struct ask_item *item = CONTAINING_RECORD(at, struct ask_item, by_id);
        if (item->id == id)
            found = item;
    }
    if (found)
        (void)InterlockedIncrement(&found->references);
    KeReleaseSpinLock(&table.lock, irql);
    return found;
}

struct ask_item *ask_question_next(UINT64 after)
{
    struct ask_item *found = after ? ask_question_find(after) : NULL;
    struct ask_item *known = found;
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    // The neighbour of one that still waits; otherwise a search.
    LIST_ENTRY *at = known && known->is_waiting ? known->waiting.Flink : table.waiting.Flink;
    for (found = NULL; at != &table.waiting && !found; at = at->Flink) {
        struct ask_item *item = CONTAINING_RECORD(at, struct ask_item, waiting);
        if (item->id > after)
            found = item;
    }
    if (found)
        (void)InterlockedIncrement(&found->references);
    KeReleaseSpinLock(&table.lock, irql);
    if (known)
        ask_question_release(known);
    return found;
}

// With the lock held: forgets a decided question. The caller releases the table's reference afterwards.
static void unlink_verdict(struct ask_item *item)
{
    (void)RemoveEntryList(&item->by_key);
    (void)RemoveEntryList(&item->waiting);
    item->is_keyed = FALSE;
}

UCHAR ask_question_take_verdict(const struct ask_key *key)
{
    struct ask_item *found = NULL;
    LIST_ENTRY *bucket = bucket_of_key(key);
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    for (LIST_ENTRY *at = bucket->Flink; at != bucket && !found; at = at->Flink) {
        struct ask_item *item = CONTAINING_RECORD(at, struct ask_item, by_key);
        if (item->verdict && RtlEqualMemory(&item->key, key, sizeof(*key)))
            found = item;
    }
    if (found)
        unlink_verdict(found);
    KeReleaseSpinLock(&table.lock, irql);
    UCHAR verdict = found ? found->verdict : 0;
    if (found)
        ask_question_release(found);
    return verdict;
}

UINT64 ask_question_age(const struct ask_item *item)
{
    return (UINT64)(now().QuadPart - item->since.QuadPart) / 10000;
}

struct ask_item *ask_question_overdue(UINT64 limit_ms)
{
    struct ask_item *oldest = NULL;
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    if (!IsListEmpty(&table.waiting)) {
        oldest = CONTAINING_RECORD(table.waiting.Flink, struct ask_item, waiting);
        if (ask_question_age(oldest) < limit_ms)
            oldest = NULL;
    }
    if (oldest)
        (void)InterlockedIncrement(&oldest->references);
    KeReleaseSpinLock(&table.lock, irql);
    return oldest;
}

void ask_question_count_timeout(void)
{
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    table.counts.timed_out++;
    KeReleaseSpinLock(&table.lock, irql);
}

static void forget_older(LONGLONG limit)
{
    struct ask_item *old;
    do {
        old = NULL;
        KIRQL irql;
        KeAcquireSpinLock(&table.lock, &irql);
        if (!IsListEmpty(&table.verdicts))
            old = CONTAINING_RECORD(table.verdicts.Flink, struct ask_item, waiting);
        if (old && now().QuadPart - old->answered.QuadPart < limit)
            old = NULL;
        if (old)
            unlink_verdict(old);
        KeReleaseSpinLock(&table.lock, irql);
        if (old)
            ask_question_release(old);
    } while (old);
}

BOOLEAN ask_questions_expire(void)
{
    KIRQL irql;
    forget_older((LONGLONG)ASK_VERDICT_SECONDS * 10000000);
    KeAcquireSpinLock(&table.lock, &irql);
    BOOLEAN left = !IsListEmpty(&table.waiting) || !IsListEmpty(&table.verdicts);
    KeReleaseSpinLock(&table.lock, irql);
    return left;
}

KEVENT *ask_questions_changed(void)
{
    return &table.changed;
}

void ask_questions_forget(void)
{
    forget_older(0);
}

void ask_questions_count(struct ask_counts *ret_counts)
{
    KIRQL irql;
    KeAcquireSpinLock(&table.lock, &irql);
    *ret_counts = table.counts;
    KeReleaseSpinLock(&table.lock, irql);
}
