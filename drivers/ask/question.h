// Questions: the connections that wait for an answer, in non-paged memory under one spin lock.
//
// A question is in the list while it waits, and can be found by its connection until the reauthorizing classification
// has taken its verdict. It is counted by references: the tables' own, and one for each function that works with it.
#pragma once

#include <ntddk.h>

#include <ndis.h>

#include <fwpsk.h>

#include <ringwall/ask.h>

#define ASK_TAG 0x206b7341  // "Ask "

// Connections waiting at once; further ones are blocked.
#define ASK_QUESTIONS_MAX 65536
// How long a verdict waits for the classification that takes it: the connection may have gone meanwhile.
#define ASK_VERDICT_SECONDS 10

// What makes a connection at a layer.
struct ask_key {
    UINT64 endpoint;
    UCHAR local[16], remote[16];
    UINT16 layer_id, local_port, remote_port;
    UCHAR protocol, reserved;
};

struct ask_item {
    LIST_ENTRY by_id, by_key, waiting;
    LONG references;
    BOOLEAN is_waiting;  // in the list and under its id
    BOOLEAN is_keyed;    // under its key
    UCHAR verdict;       // enum ask_verdict; 0: none yet
    UINT64 id;
    struct ask_key key;
    UINT32 process_id;
    HANDLE operation;  // of FwpsPendOperation0
    KEVENT unwound;    // the classification that pended is about to return
    NET_BUFFER_LIST *packet;  // a clone of the first packet, or NULL
    COMPARTMENT_ID compartment;
    IF_INDEX interface_index;
    LARGE_INTEGER since;    // interrupt time, 100 ns
    LARGE_INTEGER answered;
    ULONG path_bytes;
    WCHAR path[1];
};

// What the tables count.
struct ask_counts {
    UINT64 sequence;
    UINT32 waiting, refused, timed_out;
};

void ask_questions_init(void);

// A new question with one reference, not in the tables yet; NULL when memory or room is missing (counted).
struct ask_item *ask_question_new(const WCHAR *path, ULONG path_bytes);
// Makes it known. From here on it can be answered.
void ask_question_publish(struct ask_item *item);
void ask_question_release(struct ask_item *item);

// Gives the verdict to a question that waits: exactly one caller gets TRUE, and has to complete the operation.
BOOLEAN ask_question_decide(struct ask_item *item, UCHAR verdict);
// A question that waits, referenced; NULL: there is none. _next: the oldest with an id above `after`.
struct ask_item *ask_question_find(UINT64 id);
struct ask_item *ask_question_next(UINT64 after);
// The verdict for a connection, which is taken by asking; 0: none.
UCHAR ask_question_take_verdict(const struct ask_key *key);

// The age in milliseconds.
UINT64 ask_question_age(const struct ask_item *item);
// The oldest question, referenced, when it is older than `limit_ms`; NULL otherwise.
struct ask_item *ask_question_overdue(UINT64 limit_ms);
void ask_question_count_timeout(void);
// Forgets verdicts nobody took. Returns FALSE when nothing is left to look after: no question, no verdict.
BOOLEAN ask_questions_expire(void);
// Set whenever anything has changed; a synchronization event.
KEVENT *ask_questions_changed(void);
// Forgets all that are decided.
void ask_questions_forget(void);
void ask_questions_count(struct ask_counts *ret_counts);
