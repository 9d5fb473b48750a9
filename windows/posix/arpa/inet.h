// Addresses as text and in network byte order: Windows has these elsewhere.
#pragma once

#include <winsock2.h>
#include <ws2tcpip.h>
