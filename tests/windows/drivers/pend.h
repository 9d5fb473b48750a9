// The requests of pend.sys, the test driver that pends connections. Include after ntddk.h, or windows.h and winioctl.h.
#pragma once

#define PEND_PATH L"\\\\.\\RingwallPend"
#define PEND_ANSWER CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)  // struct pend_answer
#define PEND_MODE CTL_CODE(FILE_DEVICE_NETWORK, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)    // ULONG: enum pend_mode

struct pend_answer {
    unsigned count;   // at most so many, the oldest first
    unsigned permit;
};

// The mistakes of wfp-reference 4.5 that a driver can make.
enum pend_mode {
    PEND_WELL,
    PEND_WITHOUT_ABSORB,
    PEND_AGAIN,           // also when reauthorized: STATUS_FWP_CANNOT_PEND
    PEND_COMPLETE_TWICE,
    PEND_COMPLETE_EARLY,  // inside classify: postponed until it has returned
    PEND_WAITING,         // waits inside classify, and asks the engine something
    PEND_LEAKING,         // takes executable memory, and never gives it back
};
