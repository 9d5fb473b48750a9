// Our headers between the system's, in one file: no clash, and the layouts that casts rely on agree.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include <fwpmu.h>
#include <fwpsk.h>
#include <ip2string.h>
#include <mstcpip.h>
#include <sddl.h>
#include <strsafe.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <fcntl.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#ifdef __cplusplus
#include <algorithm>
#include <atomic>
#include <iostream>
#include <locale>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <thread>
#include <vector>
#define ASSERT(condition) static_assert(condition, #condition)
#else
#define ASSERT(condition) _Static_assert(condition, #condition)
#endif

ASSERT(sizeof(SOCKADDR_IN) == sizeof(struct sockaddr_in));
ASSERT(offsetof(SOCKADDR_IN, sin_addr) == offsetof(struct sockaddr_in, sin_addr));
ASSERT(sizeof(SOCKADDR_IN6) == sizeof(struct sockaddr_in6));
ASSERT(offsetof(SOCKADDR_IN6, sin6_addr) == offsetof(struct sockaddr_in6, sin6_addr));
ASSERT(offsetof(SOCKADDR_IN6, sin6_scope_id) == offsetof(struct sockaddr_in6, sin6_scope_id));
ASSERT(offsetof(WSACMSGHDR, cmsg_type) == offsetof(struct cmsghdr, cmsg_type));

int open_socket(PCWSTR address);

int open_socket(PCWSTR address)
{
    WSADATA data;
    SOCKADDR_IN target;
    SOCKADDR_IN6 target6;
    SOCKET s;

    memset(&target, 0, sizeof(target));
    memset(&target6, 0, sizeof(target6));
    target.sin_family = AF_INET;
    target.sin_addr.S_un.S_addr = htonl(INADDR_LOOPBACK);
    target.sin_addr.s_addr = htonl(INADDR_ANY);
    target.sin_port = htons(80);
    target6.sin6_addr.u.Byte[15] = 1;
    target6.sin6_addr.s6_addr[15] = 1;
    if (WSAStartup(MAKEWORD(2, 2), &data) || InetPtonW(AF_INET, address, &target.sin_addr) != 1)
        return -1;
    s = socket(AF_INET, SOCK_STREAM, 0);
    if (s == INVALID_SOCKET || connect(s, (SOCKADDR *)&target, sizeof(target)) == SOCKET_ERROR)
        return -1;
    return closesocket(s);
}
