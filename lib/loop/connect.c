/* From a host and port to a connected socket: one address after another. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "loop/stream_int.h"

/* Lives on its own: a name lookup cannot always be stopped and may outlive the stream. */
struct stream_connect {
    uv_getaddrinfo_t lookup;
    uv_connect_t req;
    struct stream *stream; /* NULL: given up */
    struct sockaddr_storage addrs[CONNECT_ADDRS_MAX];
    unsigned n_addrs;
    unsigned next;
    struct loop_task begin; /* a known address still reports later */
    bool looking_up;
    bool connecting;
    bool reopening;
    char text[NET_TEXT_MAX];
    uint16_t port;
};

static void connect_next(struct stream_connect *c);

static void connect_free_if_idle(struct stream_connect *c)
{
    if (c->stream == NULL && !c->looking_up && !c->connecting && !c->reopening) {
        loop_task_cancel(&c->begin);
        kvs_free(c);
    }
}

static void connect_fail(struct stream_connect *c, const char *why)
{
    char text[160];

    (void)snprintf(text, sizeof text, "dial tcp %.90s: %.50s", c->text, why);
    stream_fail(c->stream, KVS_E_CONNECT, text); /* cancels, and so frees, `c` */
}

/* A socket that failed to connect cannot be used for an address of another family. */
static void connect_reopen_cb(uv_handle_t *handle)
{
    struct stream *s = container_of((uv_tcp_t *)handle, struct stream, tcp);
    struct stream_connect *c = s->connect;

    if (c == NULL) { /* given up meanwhile: stream_fail left the rest to this close */
        stream_closed_cb(handle);
        return;
    }
    c->reopening = false;
    (void)uv_tcp_init(&s->loop->uv, &s->tcp);
    connect_next(c);
}

static void connect_cb(uv_connect_t *req, int status)
{
    struct stream_connect *c = container_of(req, struct stream_connect, req);
    struct stream *s = c->stream;

    c->connecting = false;
    if (s == NULL) {
        connect_free_if_idle(c);
        return;
    }
    if (status == 0) {
        stream_connect_cancel(s);
        stream_connected(s);
    } else if (c->next < c->n_addrs) {
        c->reopening = true;
        uv_close((uv_handle_t *)&s->tcp, connect_reopen_cb);
    } else {
        connect_fail(c, uv_strerror(status));
    }
}

static void connect_next(struct stream_connect *c)
{
    struct stream *s = c->stream;
    int err;

    if (c->next >= c->n_addrs) {
        connect_fail(c, "no such host");
        return;
    }
    s->state = STREAM_CONNECTING;
    err =
        uv_tcp_connect(&c->req, &s->tcp, (const struct sockaddr *)&c->addrs[c->next++], connect_cb);
    if (err != 0) {
        connect_fail(c, uv_strerror(err));
        return;
    }
    c->connecting = true;
}

static void connect_begin_cb(struct loop_task *t)
{
    connect_next(container_of(t, struct stream_connect, begin));
}

static void connect_lookup_cb(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    struct stream_connect *c = container_of(req, struct stream_connect, lookup);

    c->looking_up = false;
    for (struct addrinfo *a = found; a != NULL && c->n_addrs < CONNECT_ADDRS_MAX; a = a->ai_next) {
        memcpy(&c->addrs[c->n_addrs++], a->ai_addr, a->ai_addrlen);
    }
    uv_freeaddrinfo(found);
    if (c->stream == NULL) {
        connect_free_if_idle(c);
    } else if (status != 0) {
        connect_fail(c, uv_strerror(status));
    } else {
        connect_next(c);
    }
}

static void connect_add(struct stream_connect *c, const char *host)
{
    struct sockaddr_storage *at = &c->addrs[c->n_addrs];

    if (uv_ip4_addr(host, c->port, (struct sockaddr_in *)at) == 0 ||
        uv_ip6_addr(host, c->port, (struct sockaddr_in6 *)at) == 0) {
        c->n_addrs++;
    }
}

/* Addresses that need no lookup; "localhost" is one so that it costs no worker thread. */
static void connect_add_known(struct stream_connect *c, const char *host)
{
    if (host[0] == '\0' || strcmp(host, "localhost") == 0) {
        connect_add(c, "127.0.0.1");
        connect_add(c, "::1");
    } else {
        connect_add(c, host);
    }
}

int stream_connect_start(struct stream *s, const struct net_addr *addr)
{
    struct stream_connect *c = kvs_calloc(1, sizeof *c);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];

    if (c == NULL) {
        return KVS_E_NOMEM;
    }
    c->stream = s;
    c->port = addr->port;
    (void)net_addr_text(addr, c->text);
    loop_task_init(&c->begin, connect_begin_cb);
    s->state = STREAM_RESOLVING;
    connect_add_known(c, addr->host);
    if (c->n_addrs > 0) {
        s->connect = c;
        loop_task_post(s->loop, &c->begin);
        return 0;
    }
    (void)snprintf(port, sizeof port, "%u", (unsigned)addr->port);
    if (uv_getaddrinfo(&s->loop->uv, &c->lookup, connect_lookup_cb, addr->host, port, &hints) !=
        0) {
        kvs_free(c);
        return KVS_E_NOMEM;
    }
    c->looking_up = true;
    s->connect = c;
    return 0;
}

void stream_connect_cancel(struct stream *s)
{
    struct stream_connect *c = s->connect;

    if (c == NULL) {
        return;
    }
    s->connect = NULL;
    c->stream = NULL;
    c->reopening = false;
    if (c->looking_up) {
        (void)uv_cancel((uv_req_t *)&c->lookup);
    }
    connect_free_if_idle(c);
}
