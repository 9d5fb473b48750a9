// The device of the ask driver: questions about connections that wait, and the answers. Shared by the driver and the
// programs that talk to it, on Linux and on Windows. Numbers in host byte order; records are 8-byte aligned.
#pragma once

#define ASK_DEVICE_NAME "RingwallAsk"

// CTL_CODE(FILE_DEVICE_NETWORK, function, METHOD_BUFFERED, access)
#define ASK_CODE(function, access) ((0x12u << 16) | ((access) << 14) | ((function) << 2))
#define ASK_ACCESS_READ 1u
#define ASK_ACCESS_WRITE 2u

// Questions, oldest first: struct ask_list_input → struct ask_list_output, then its records.
#define ASK_CODE_LIST ASK_CODE(0x800u, ASK_ACCESS_READ)
// Waits until something has changed since a sequence number: struct ask_wait → struct ask_wait.
#define ASK_CODE_WAIT ASK_CODE(0x801u, ASK_ACCESS_READ)
// Answers one question: struct ask_answer_input → struct ask_answer_output. STATUS_NOT_FOUND: it is not open any more.
#define ASK_CODE_ANSWER ASK_CODE(0x802u, ASK_ACCESS_WRITE)

enum ask_verdict { ASK_ALLOW = 1, ASK_BLOCK = 2 };

struct ask_list_input {
    unsigned long long after_id;  // 0: from the first
};

struct ask_list_output {
    unsigned long long sequence;  // changes with every question and every answer
    unsigned int count;           // records that follow
    unsigned int more;            // there are further ones: ask again after the last id
    unsigned int waiting;         // questions in all
    unsigned int refused;         // connections blocked because too many waited
    unsigned int timed_out;       // connections blocked because nobody answered in time
    unsigned int reserved;
};

struct ask_question {
    unsigned int bytes;  // of this record, path and padding included
    unsigned int process_id;
    unsigned long long id;
    unsigned long long age_ms;
    unsigned short layer_id;  // FWPS_LAYER_ALE_AUTH_*
    unsigned short local_port, remote_port;
    unsigned short path_bytes;  // of the UTF-16 path behind the record, without a terminator
    unsigned char family;       // 4 or 6
    unsigned char protocol;
    unsigned char inbound;
    unsigned char reserved[5];
    unsigned char local_address[16], remote_address[16];  // network byte order; IPv4 in the first 4 bytes
};

struct ask_wait {
    unsigned long long sequence;
};

struct ask_answer_input {
    unsigned long long id;
    unsigned int verdict;   // enum ask_verdict
    unsigned int remember;  // also add a filter: it answers this program's later connections in this direction
};

struct ask_answer_output {
    unsigned int answered;  // this question, and those the new filter answers
    unsigned int reserved;
};
