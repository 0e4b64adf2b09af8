/* Listening sockets: one listener may hold several, when a name means several addresses. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "loop/stream_int.h"

enum { LISTEN_BACKLOG = 1024, LISTEN_SOCKETS_MAX = 8 };

struct listener_socket {
    uv_tcp_t tcp;
    struct listener *listener;
    /* Takes a connection off libuv's hands when there is no memory for a stream: while one is not
     * accepted libuv does not listen on. */
    uv_tcp_t drop;
    bool dropping;
    bool drop_again;
};

struct listener {
    struct loop *loop;
    struct tls_context *tls;
    char *alpn;
    listener_cb accept;
    void *ctx;
    uint16_t port;
    unsigned n_sockets;
    unsigned n_open;
    bool closing;
    struct listener_socket sockets[LISTEN_SOCKETS_MAX];
};

static void listener_free_if_closed(struct listener *l)
{
    if (l->closing && l->n_open == 0) {
        kvs_free(l->alpn);
        kvs_free(l);
    }
}

static void listener_drop(struct listener_socket *socket);

static void listener_dropped_cb(uv_handle_t *handle)
{
    struct listener_socket *socket = container_of((uv_tcp_t *)handle, struct listener_socket, drop);
    struct listener *l = socket->listener;

    socket->dropping = false;
    l->n_open--;
    if (socket->drop_again && !l->closing) {
        listener_drop(socket);
    }
    listener_free_if_closed(l);
}

static void listener_drop(struct listener_socket *socket)
{
    struct listener *l = socket->listener;

    socket->drop_again = socket->dropping;
    if (socket->dropping) {
        return;
    }
    socket->dropping = true;
    l->n_open++;
    (void)uv_tcp_init(&l->loop->uv, &socket->drop);
    (void)uv_accept((uv_stream_t *)&socket->tcp, (uv_stream_t *)&socket->drop);
    uv_close((uv_handle_t *)&socket->drop, listener_dropped_cb);
}

static void listener_connection_cb(uv_stream_t *server, int status)
{
    struct listener_socket *socket = container_of((uv_tcp_t *)server, struct listener_socket, tcp);
    struct listener *l = socket->listener;
    struct stream *s;

    if (status != 0 || l->closing) {
        return; /* out of descriptors: libuv drops the connection and goes on */
    }
    s = stream_alloc(l->loop, NULL, NULL);
    if (s == NULL) {
        listener_drop(socket);
        return;
    }
    if (uv_accept(server, (uv_stream_t *)&s->tcp) != 0) {
        stream_close(s);
        return;
    }
    if (stream_accepted(s, l->tls, l->alpn) == 0) {
        l->accept(l->ctx, s);
    }
}

static void listener_closed_cb(uv_handle_t *handle)
{
    struct listener_socket *socket = container_of((uv_tcp_t *)handle, struct listener_socket, tcp);

    socket->listener->n_open--;
    listener_free_if_closed(socket->listener);
}

void listener_close(struct listener *l)
{
    if (l == NULL) {
        return;
    }
    loop_assert_owner(l->loop);
    kvs_assert(!l->closing);
    l->closing = true;
    for (unsigned i = 0; i < l->n_sockets; i++) {
        uv_close((uv_handle_t *)&l->sockets[i].tcp, listener_closed_cb);
    }
    listener_free_if_closed(l);
}

static uint16_t listener_socket_port(const uv_tcp_t *tcp)
{
    struct sockaddr_storage addr;
    int len = sizeof addr;

    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&addr, &len) != 0) {
        return 0;
    }
    return ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
                                            : ((struct sockaddr_in *)&addr)->sin_port);
}

/* Returns 0 or libuv's error. */
static int listener_add(struct listener *l, const struct sockaddr *addr)
{
    struct listener_socket *socket = &l->sockets[l->n_sockets];
    unsigned flags = addr->sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
    int err;

    socket->listener = l;
    err = uv_tcp_init(&l->loop->uv, &socket->tcp);
    if (err != 0) {
        return err;
    }
    l->n_sockets++;
    l->n_open++;
    err = uv_tcp_bind(&socket->tcp, addr, flags);
    if (err == 0) {
        err = uv_listen((uv_stream_t *)&socket->tcp, LISTEN_BACKLOG, listener_connection_cb);
    }
    if (err == 0 && l->port == 0) {
        l->port = listener_socket_port(&socket->tcp);
    }
    return err;
}

static void listener_error(struct kvs_error *error, const struct net_addr *addr, const char *why)
{
    char text[NET_TEXT_MAX];

    if (error != NULL) {
        error->code = KVS_E_ADDRESS;
        (void)snprintf(error->msg, sizeof error->msg, "listen tcp %.150s: %.80s",
                       net_addr_text(addr, text), why);
    }
}

/* Wildcards are one dual-stack socket where the machine has IPv6, as Go does. */
static int listener_bind_any(struct listener *l, const struct net_addr *addr)
{
    struct sockaddr_in in;

    (void)uv_ip4_addr("0.0.0.0", addr->port, &in);
    return listener_add(l, (const struct sockaddr *)&in);
}

static int listener_bind(struct listener *l, const struct net_addr *addr)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    uv_getaddrinfo_t lookup;
    char port[8];
    unsigned n_bound = 0;
    int err;

    if (addr->host[0] == '\0') {
        return listener_bind_any(l, addr);
    }
    (void)snprintf(port, sizeof port, "%u", (unsigned)addr->port);
    err = uv_getaddrinfo(&l->loop->uv, &lookup, NULL, addr->host, port, &hints);
    if (err != 0) {
        return err;
    }
    for (struct addrinfo *a = lookup.addrinfo; a != NULL && l->n_sockets < LISTEN_SOCKETS_MAX;
         a = a->ai_next) {
        int add_err = listener_add(l, a->ai_addr);

        n_bound += add_err == 0;
        err = err == 0 ? add_err : err;
        if (addr->port == 0 && n_bound == 1) {
            break;
        }
    }
    uv_freeaddrinfo(lookup.addrinfo);
    /* "localhost" may mean ::1 where there is no IPv6; what is in use already is an error. */
    return n_bound > 0 && err != UV_EADDRINUSE ? 0 : err;
}

int stream_listen(struct loop *loop,
                  const struct net_addr *addr,
                  struct tls_context *tls,
                  const char *alpn,
                  listener_cb accept,
                  void *ctx,
                  struct listener **ret_listener,
                  struct kvs_error *error)
{
    struct listener *l;
    int err;

    loop_assert_owner(loop);
    l = kvs_calloc(1, sizeof *l);
    if (l == NULL) {
        return KVS_E_NOMEM;
    }
    l->loop = loop;
    l->tls = tls;
    l->accept = accept;
    l->ctx = ctx;
    if (alpn != NULL) {
        l->alpn = kvs_strdup(alpn);
        if (l->alpn == NULL) {
            kvs_free(l);
            return KVS_E_NOMEM;
        }
    }
    err = listener_bind(l, addr);
    if (err != 0) {
        listener_error(error, addr, uv_strerror(err));
        listener_close(l);
        return KVS_E_ADDRESS;
    }
    *ret_listener = l;
    return 0;
}

uint16_t listener_port(const struct listener *l)
{
    return l->port;
}
