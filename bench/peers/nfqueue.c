// P6: the least a firewall in user space can do with NFQUEUE: `nfqueue QUEUE DENIED_PORT` looks at the destination port
// of each packet and says accept or drop. Every firewall built on NFQUEUE does at least this.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libnetfilter_queue/libnetfilter_queue.h>

#define COPY_BYTES 128

static bool is_denied(unsigned char *payload, int size, uint16_t port)
{
    struct iphdr ip;
    struct tcphdr tcp;
    if (size < (int)sizeof(ip))
        return false;
    memcpy(&ip, payload, sizeof(ip));
    if (size < (int)(ip.ihl * 4 + sizeof(tcp)))
        return false;
    memcpy(&tcp, payload + ip.ihl * 4, sizeof(tcp));
    return ntohs(tcp.dest) == port;
}

static int judge(struct nfq_q_handle *queue, struct nfgenmsg *message, struct nfq_data *data, void *context)
{
    const uint16_t *port = context;
    struct nfqnl_msg_packet_hdr *header = nfq_get_msg_packet_hdr(data);
    unsigned char *payload;
    int size = nfq_get_payload(data, &payload);
    (void)message;
    return nfq_set_verdict(queue, ntohl(header->packet_id), is_denied(payload, size, *port) ? NF_DROP : NF_ACCEPT, 0,
                           NULL);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    uint16_t port = (uint16_t)strtoul(argv[2], NULL, 10);
    char buffer[65536] __attribute__((aligned));
    struct nfq_handle *handle = nfq_open();
    struct nfq_q_handle *queue =
        handle ? nfq_create_queue(handle, (uint16_t)strtoul(argv[1], NULL, 10), judge, &port) : NULL;
    if (!queue || nfq_set_mode(queue, NFQNL_COPY_PACKET, COPY_BYTES) < 0) {
        perror("nfqueue");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        ssize_t size = recv(nfq_fd(handle), buffer, sizeof(buffer), 0);
        if (size < 0 && errno != EINTR && errno != ENOBUFS)
            return 1;
        if (size > 0)
            nfq_handle_packet(handle, buffer, (int)size);
    }
}
