// What a proxy learns of a connection that a callout has redirected to it, by getsockopt() at SOL_IP (IPv4) or SOL_IPV6
// of the socket it has accepted. Of datagrams: of a second socket, bound to the address and port that they came to
// (both sockets with SO_REUSEADDR) and connected to where they came from. ENOPROTOOPT: it was not redirected.
#pragma once

// Where the program wanted to go, a struct sockaddr_in or sockaddr_in6: SO_ORIGINAL_DST, as netfilter has it.
#define WALL_SO_ORIGINAL_DST 80

// The context that the callout gave the connection (FWPS_CONNECT_REQUEST0.localRedirectContext), as many bytes as fit.
// On Windows: WSAIoctl(SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT). ENOPROTOOPT also when there is none.
#define WALL_SO_REDIRECT_CONTEXT 0x5257

// Bytes that a context may have; a connection with more is refused.
#define WALL_REDIRECT_CONTEXT_MAX 1024
