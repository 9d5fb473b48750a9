// What programs may ask the driver's device, \\.\RingwallWall: the system and administrators only.
#pragma once

// Waits for lines and returns as many whole ones as fit, UTF-8, each with its newline. No input; room for at least
// WALL_LOG_LINE_MAX bytes. An opener gets each line once, from the oldest that is kept; the newest WALL_LOG_LINES are
// kept, and a reader that was too slow is told how many it missed. Cancelled when its handle is closed.
#define WALL_IOCTL_READ_LOG CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS)

// Bytes of a line, the newline included: DbgPrint of Windows delivers 512 a message.
#define WALL_LOG_LINE_MAX 511
#define WALL_LOG_LINES 256

// Openers at once; more get STATUS_TOO_MANY_OPENED_FILES.
#define WALL_LOG_READERS_MAX 16
