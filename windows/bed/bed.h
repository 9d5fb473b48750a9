// The test bed's device: what a test program and fwpkclnt.sys say to each other.
//
// The bed takes the place of Windows' filter engine under Wine: fwpkclnt.sys holds the engine of src/engine, drivers
// call it as on Windows, and a test program injects connection attempts through this device. Include after ntddk.h, or
// after windows.h and winioctl.h.
#pragma once

#include <stdint.h>

#define BED_DEVICE L"\\Device\\RingwallBed"
#define BED_LINK L"\\DosDevices\\RingwallBed"
#define BED_PATH L"\\\\.\\RingwallBed"

#define BED_CODE(number) CTL_CODE(FILE_DEVICE_NETWORK, 0x900 + (number), METHOD_BUFFERED, FILE_ANY_ACCESS)
#define BED_INJECT BED_CODE(0)     // struct bed_attempt -> struct bed_verdict
#define BED_OPERATION BED_CODE(1)  // uint64_t operation -> struct bed_verdict: what became of a pended attempt
#define BED_STATE BED_CODE(2)      // nothing -> struct bed_state
#define BED_LINES BED_CODE(3)      // nothing -> text: what DbgPrint printed since the last call; may be cut: call again
#define BED_FAULT BED_CODE(4)      // uint32_t: the n-th call from now on that can fail does; 0: none. Resets the count
#define BED_MESSAGE BED_CODE(5)    // a frame of src/wire, a request -> the frame of its reply
#define BED_RECLASSIFY BED_CODE(6)  // struct bed_attempt -> struct bed_verdict: with IS_REAUTHORIZE, policy change

#define BED_FORGIVE BED_CODE(7)     // forgets what drivers did wrong so far

#define BED_PATH_MAX 520  // characters
#define BED_MESSAGE_MAX (256u << 10)

// A connection attempt as the network stack would report it.
struct bed_attempt {
    uint16_t layer_id;  // FWPS_LAYER_ALE_AUTH_CONNECT_V4, …
    uint8_t irql;       // at which the callouts are called
    uint8_t protocol;
    uint16_t local_port, remote_port;
    uint8_t local[16], remote[16];  // network byte order; IPv4 in the first four
    uint64_t process_id;
    uint64_t endpoint;               // the socket; attempts of one socket have the same
    uint16_t path[BED_PATH_MAX];     // of the program, NUL-terminated
};

struct bed_verdict {
    uint32_t action;     // FWP_ACTION_PERMIT, _BLOCK or _NONE (nothing decided: permitted)
    uint32_t rights;
    uint64_t filter_id;  // whose action stands
    uint64_t operation;  // not 0: pended; ask for it with BED_OPERATION
    uint8_t pending;     // not decided yet
    uint8_t veto;
    uint8_t absorbed;    // a callout took the packet
    uint8_t known;       // BED_OPERATION: the operation exists
    uint32_t callouts;   // asked during the classification
    uint32_t reauthorizations, injected;
};

// What drivers have made and not taken back, and what they did wrong. `faultable` counts since BED_FAULT; `unsecured`
// are devices that got no access list.
struct bed_state {
    uint32_t sessions, providers, sublayers, callouts, filters;  // of the engine, built-in ones left out
    uint32_t registered;                                         // callouts with a driver behind them
    uint32_t operations;                                         // pended, not completed
    uint32_t devices, unsecured, links, handles, allocations, work_items;
    uint32_t violations;
    uint32_t faultable, faults;
    char last_faultable[64], last_violation[160];
    uint32_t images;  // drivers whose imports are watched, loaded so far
};
