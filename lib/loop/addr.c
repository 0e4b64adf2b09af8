/* etcd's URLs, parsed by hand: scheme, host, port and nothing else. */
#include "loop/addr.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static bool addr_host_char(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-' || c == '_';
}

static bool addr_ipv6_char(char c)
{
    return isxdigit((unsigned char)c) || c == ':' || c == '.' || c == '%' ||
           isalnum((unsigned char)c);
}

/* Decimal 0..65535 up to the end or a lone "/". */
static int addr_parse_port(const char *text, uint16_t *ret_port)
{
    unsigned port = 0;
    size_t i;

    for (i = 0; isdigit((unsigned char)text[i]); i++) {
        if (i >= 5) {
            return KVS_E_ADDRESS;
        }
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (i == 0 || port > UINT16_MAX || !(text[i] == '\0' || strcmp(text + i, "/") == 0)) {
        return KVS_E_ADDRESS;
    }
    *ret_port = (uint16_t)port;
    return 0;
}

static int addr_copy_host(struct net_addr *a, const char *from, size_t len, bool (*allowed)(char))
{
    if (len >= sizeof a->host) {
        return KVS_E_ADDRESS;
    }
    for (size_t i = 0; i < len; i++) {
        if (!allowed(from[i])) {
            return KVS_E_ADDRESS;
        }
    }
    memcpy(a->host, from, len);
    a->host[len] = '\0';
    return 0;
}

int net_addr_parse(const char *url, struct net_addr *ret_addr)
{
    struct net_addr a = {0};
    const char *at = url;
    const char *colon;
    int err;

    if (strncmp(at, "https://", 8) == 0) {
        a.tls = true;
        at += 8;
    } else if (strncmp(at, "http://", 7) == 0) {
        at += 7;
    }
    if (*at == '[') {
        const char *end = strchr(at, ']');

        if (end == NULL || end[1] != ':' || end == at + 1) {
            return KVS_E_ADDRESS;
        }
        colon = end + 1;
        err = addr_copy_host(&a, at + 1, (size_t)(end - at - 1), addr_ipv6_char);
    } else {
        colon = strchr(at, ':');
        if (colon == NULL) {
            return KVS_E_ADDRESS;
        }
        err = addr_copy_host(&a, at, (size_t)(colon - at), addr_host_char);
    }
    if (err == 0) {
        err = addr_parse_port(colon + 1, &a.port);
    }
    if (err == 0) {
        *ret_addr = a;
    }
    return err;
}

static const char *addr_format(const struct net_addr *addr, const char *scheme, char *text)
{
    bool v6 = strchr(addr->host, ':') != NULL;
    int n = snprintf(text, NET_TEXT_MAX, v6 ? "%s[%s]:%u" : "%s%s:%u", scheme, addr->host,
                     (unsigned)addr->port);

    kvs_assert(n > 0 && n < NET_TEXT_MAX);
    return text;
}

const char *net_addr_url(const struct net_addr *addr, char *text)
{
    return addr_format(addr, addr->tls ? "https://" : "http://", text);
}

const char *net_addr_text(const struct net_addr *addr, char *text)
{
    return addr_format(addr, "", text);
}
