// W3: bulk TCP in pieces of 64 KiB; one operation is one piece sent and received by the same thread.
#include "load.h"

#include <stdlib.h>
#include <sys/socket.h>

#define PIECE_BYTES 65536

int stream_run(const struct options *options)
{
    struct sockaddr_in address;
    struct samples samples;
    char *piece = calloc(1, PIECE_BYTES);
    int listener = open_server(SOCK_STREAM, options->port, &address), size = 4 * PIECE_BYTES;
    if (!piece || setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
        die("buffer");
    int client = open_client(SOCK_STREAM, &address), server = accept(listener, NULL, NULL);
    if (server < 0 || setsockopt(client, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
        die("accept");
    samples_begin(&samples, options);
    do {
        put(client, piece, PIECE_BYTES);
        get(server, piece, PIECE_BYTES);
    } while (samples_add(&samples));
    samples_report(&samples, ", \"bytes_per_operation\": 65536");
    reset(client);
    free(piece);
    return 0;
}
