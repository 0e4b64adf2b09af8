/* Where to listen or connect: etcd's URLs. */
#ifndef LOOP_ADDR_H
#define LOOP_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum { NET_HOST_MAX = 256, NET_TEXT_MAX = NET_HOST_MAX + 24 };

struct net_addr {
    char host[NET_HOST_MAX]; /* name, IPv4, or IPv6 without brackets; "" means every address */
    uint16_t port;           /* 0: the kernel chooses (listening) */
    bool tls;                /* https */
};

/* "http://host:port", "https://[::1]:2379", or "host:port" (no TLS). A path is refused except "/";
 * a port is required. KVS_E_ADDRESS. Any thread. */
KVS_MUST_USE int net_addr_parse(const char *url, struct net_addr *ret_addr);

/* "https://host:port" into `text` (NET_TEXT_MAX bytes). Returns `text`. Any thread. */
const char *net_addr_url(const struct net_addr *addr, char *text);

/* "host:port", IPv6 in brackets. Returns `text`. Any thread. */
const char *net_addr_text(const struct net_addr *addr, char *text);

#endif
