/* Streams over loopback, in the clear and with TLS: an echo server and clients on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/view.h"
#include "loop/stream.h"
#include "tls_files.h"

struct server;

struct session {
    struct stream *stream;
    struct server *server;
};

struct server {
    struct loop *loop;
    struct listener *listener;
    struct net_addr addr;
    unsigned n_sessions;
    unsigned n_closed;
    int last_err;
    size_t queued_max;
    char common_name[64];
    char second_name[64];
    bool verified;
    bool refuse;
};

static void session_open(void *ctx)
{
    struct session *s = ctx;
    const struct stream_peer *peer = stream_peer(s->stream);

    s->server->verified = peer->verified;
    (void)snprintf(s->server->common_name, sizeof s->server->common_name, "%s/%s",
                   peer->common_name != NULL ? peer->common_name : "", peer->alpn);
    (void)snprintf(s->server->second_name, sizeof s->server->second_name, "%s",
                   peer->n_dns_names > 1 ? peer->dns_names[1] : "");
    assert_memory_equal(peer->address, "127.0.0.1:", 10);
}

static void session_data(void *ctx, struct kvs_view data)
{
    struct session *s = ctx;
    size_t queued;

    if (((const char *)data.data)[data.len - 1] == 'Q') {
        assert_int_equal(stream_write(s->stream, "bye", 3), 0);
        stream_close_flush(s->stream);
        return;
    }
    assert_int_equal(stream_write(s->stream, data.data, data.len), 0);
    queued = stream_queued(s->stream);
    if (queued > s->server->queued_max) {
        s->server->queued_max = queued;
    }
    if (queued > STREAM_QUEUE_HIGH) {
        stream_pause(s->stream);
    }
}

static void session_writable(void *ctx)
{
    stream_resume(((struct session *)ctx)->stream);
}

static void session_close(void *ctx, int err, const char *text)
{
    struct session *s = ctx;

    (void)text;
    s->server->n_closed++;
    s->server->last_err = err;
    kvs_free(s);
}

static const struct stream_ops session_ops = {session_open, session_data, session_writable,
                                              session_close};

static void server_accept(void *ctx, struct stream *stream)
{
    struct server *srv = ctx;
    struct session *s;

    if (srv->refuse) {
        stream_close(stream);
        return;
    }
    s = kvs_malloc(sizeof *s);
    assert_non_null(s);
    *s = (struct session){stream, srv};
    srv->n_sessions++;
    stream_set_ops(stream, &session_ops, s);
}

static void server_start(struct server *srv, struct loop *l, struct tls_context *tls)
{
    struct kvs_error error;

    *srv = (struct server){.loop = l};
    assert_int_equal(net_addr_parse("127.0.0.1:0", &srv->addr), 0);
    assert_int_equal(stream_listen(l, &srv->addr, tls, "h2,http/1.1", server_accept, srv,
                                   &srv->listener, &error),
                     0);
    srv->addr.port = listener_port(srv->listener);
    assert_int_not_equal(srv->addr.port, 0);
}

struct client {
    struct stream *stream;
    struct server *server;
    size_t to_send;
    size_t received;
    size_t expected;
    uint32_t check;
    int err;
    bool open;
    bool closed;
    char text[160];
    char alpn[16];
    char tail[4];
};

static uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 11));
}

/* Sends in pieces of every size, up to the high mark. */
static void client_pump(struct client *c)
{
    static uint8_t piece[70000];
    static size_t sent;

    if (c->received == 0 && c->to_send == c->expected) {
        sent = 0;
    }
    while (c->to_send > 0 && stream_queued(c->stream) < STREAM_QUEUE_HIGH) {
        size_t n = 1 + (sent * 7919) % sizeof piece;

        n = n < c->to_send ? n : c->to_send;
        for (size_t i = 0; i < n; i++) {
            piece[i] = pattern(sent + i) | 0x80;
        }
        if (n > 30000) {
            struct rcbuf *b = rcbuf_copy(view_make(piece, n));

            assert_int_equal(stream_write_ref(c->stream, b, b->data, n), 0);
            rcbuf_unref(b);
        } else {
            assert_int_equal(stream_write(c->stream, piece, n), 0);
        }
        sent += n;
        c->to_send -= n;
    }
}

static void client_open(void *ctx)
{
    struct client *c = ctx;

    c->open = true;
    (void)snprintf(c->alpn, sizeof c->alpn, "%s", stream_peer(c->stream)->alpn);
    client_pump(c);
}

static void client_data(void *ctx, struct kvs_view data)
{
    struct client *c = ctx;

    for (size_t i = 0; i < data.len && c->expected > 0; i++) {
        if (((const uint8_t *)data.data)[i] != (pattern(c->received + i) | 0x80)) {
            fail_msg("byte %zu differs", c->received + i);
        }
    }
    if (data.len >= 3) {
        memcpy(c->tail, (const char *)data.data + data.len - 3, 3);
    }
    c->received += data.len;
    client_pump(c); /* "above LOW" never happens for small amounts */
    if (c->expected > 0 && c->received == c->expected) {
        stream_close(c->stream);
    }
}

static void client_writable(void *ctx)
{
    client_pump(ctx);
}

static void client_close(void *ctx, int err, const char *text)
{
    struct client *c = ctx;

    c->closed = true;
    c->err = err;
    (void)snprintf(c->text, sizeof c->text, "%s", text);
    if (c->server->listener != NULL) {
        listener_close(c->server->listener);
        c->server->listener = NULL;
    }
}

static const struct stream_ops client_ops = {client_open, client_data, client_writable,
                                             client_close};

static void client_start(struct client *c, struct server *srv, struct tls_context *tls)
{
    c->server = srv;
    c->expected = c->to_send;
    assert_int_equal(
        stream_connect(srv->loop, &srv->addr, tls, "h2,http/1.1", &client_ops, c, &c->stream), 0);
}

static struct loop *fixture_loop(void)
{
    struct loop *l;

    assert_int_equal(loop_new(&l), 0);
    return l;
}

static void echo_megabytes(struct tls_context *server_tls, struct tls_context *client_tls)
{
    struct loop *l = fixture_loop();
    struct server srv;
    struct client c = {.to_send = 20 * 1024 * 1024};

    server_start(&srv, l, server_tls);
    client_start(&c, &srv, client_tls);
    loop_run(l);
    assert_int_equal(c.received, c.expected);
    assert_int_equal(c.err, 0);
    assert_int_equal(srv.n_closed, 1);
    assert_true(srv.queued_max < STREAM_QUEUE_HIGH + 256 * 1024);
    /* Few system calls: pieces are gathered. */
    assert_true(loop_stream_totals(l)->n_writes < 6000);
    loop_free(l);
}

static void clear_echo_keeps_every_byte(void **state)
{
    (void)state;
    echo_megabytes(NULL, NULL);
}

static struct tls_files files;

static struct tls_context *server_context(bool mutual)
{
    struct tls_options o = {.cert_file = files.cert,
                            .key_file = files.key,
                            .ca_file = mutual ? files.ca : NULL,
                            .require_peer_cert = mutual};
    struct tls_context *t;
    struct kvs_error error = {0};

    if (tls_context_new_server(&o, &t, &error) != 0) {
        fail_msg("%s", error.msg);
    }
    return t;
}

static struct tls_context *client_context(bool with_cert, enum tls_version max)
{
    struct tls_options o = {.ca_file = files.ca, .max_version = max};
    struct tls_context *t;

    if (with_cert) {
        o.cert_file = files.client_cert;
        o.key_file = files.client_key;
    }
    assert_int_equal(tls_context_new_client(&o, &t, NULL), 0);
    return t;
}

static void tls_echo_keeps_every_byte(void **state)
{
    struct tls_context *s = server_context(false);
    struct tls_context *c = client_context(false, TLS_VERSION_DEFAULT);

    (void)state;
    echo_megabytes(s, c);
    tls_context_free(s);
    tls_context_free(c);
}

/* One connection that says Q and gets "bye". */
static void say_quit(struct server *srv,
                     struct client *c,
                     struct tls_context *server_tls,
                     struct tls_context *client_tls)
{
    struct loop *l = fixture_loop();

    server_start(srv, l, server_tls);
    *c = (struct client){0};
    client_start(c, srv, client_tls);
    assert_int_equal(stream_write(c->stream, "Q", 1), 0); /* before it is open: waits */
    loop_run(l);
    assert_true(c->closed);
    loop_free(l);
}

static void mutual_tls_tells_who_is_there(void **state)
{
    static const enum tls_version versions[] = {TLS_VERSION_1_2, TLS_VERSION_1_3};
    struct tls_context *s = server_context(true);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct tls_context *c = client_context(true, versions[i]);
        struct server srv;
        struct client client;

        say_quit(&srv, &client, s, c);
        assert_int_equal(client.err, 0);
        assert_string_equal(client.tail, "bye");
        assert_string_equal(client.alpn, "h2");
        assert_string_equal(srv.common_name, "alice/h2");
        assert_string_equal(srv.second_name, "10.1.2.3");
        assert_true(srv.verified);
        tls_context_free(c);
    }
    tls_context_free(s);
}

static void a_client_without_certificate_is_refused(void **state)
{
    struct tls_context *s = server_context(true);
    struct tls_context *c = client_context(false, TLS_VERSION_1_2);
    struct server srv;
    struct client client;

    (void)state;
    say_quit(&srv, &client, s, c);
    assert_int_equal(srv.last_err, KVS_E_TLS);
    assert_int_equal(client.err, KVS_E_TLS);
    assert_non_null(strstr(client.text, "alert"));
    assert_false(client.open);
    tls_context_free(s);
    tls_context_free(c);
}

static void a_server_of_another_ca_is_refused(void **state)
{
    struct tls_context *s = server_context(false);
    struct tls_files other;
    struct tls_options o = {0};
    struct tls_context *c;
    struct server srv;
    struct client client;

    (void)state;
    tls_files_init(&other);
    o.ca_file = other.ca;
    assert_int_equal(tls_context_new_client(&o, &c, NULL), 0);
    say_quit(&srv, &client, s, c);
    assert_int_equal(client.err, KVS_E_TLS);
    assert_false(client.open);
    tls_context_free(c);
    o = (struct tls_options){.ca_file = files.ca, .server_name = "elsewhere.example"};
    assert_int_equal(tls_context_new_client(&o, &c, NULL), 0);
    say_quit(&srv, &client, s, c);
    assert_int_equal(client.err, KVS_E_TLS);
    tls_context_free(c);
    tls_context_free(s);
    tls_files_fini(&other);
}

static void changed_files_are_taken_over(void **state)
{
    struct tls_context *s = server_context(false);
    struct tls_context *c = client_context(false, TLS_VERSION_DEFAULT);
    struct server srv;
    struct client client;
    struct timespec second = {1, 100000000};
    FILE *f;

    (void)state;
    say_quit(&srv, &client, s, c);
    assert_int_equal(tls_context_reloads(s), 0);
    tls_files_renew_server(&files, "renewed");
    (void)nanosleep(&second, NULL); /* the context looks once a second of the machine's clock */
    say_quit(&srv, &client, s, c);
    assert_int_equal(client.err, 0);
    assert_int_equal(tls_context_reloads(s), 1);
    f = fopen(files.cert, "w");
    assert_non_null(f);
    (void)fputs("broken", f);
    (void)fclose(f);
    (void)nanosleep(&second, NULL);
    say_quit(&srv, &client, s, c);
    assert_int_equal(client.err, 0); /* the one before still serves */
    assert_int_equal(tls_context_reload_failures(s), 1);
    tls_files_renew_server(&files, "server");
    tls_context_free(s);
    tls_context_free(c);
}

static void bad_files_are_named(void **state)
{
    struct tls_options o = {.cert_file = files.cert, .key_file = files.client_key};
    struct tls_context *t;
    struct kvs_error error = {0};

    (void)state;
    assert_int_equal(tls_context_new_server(&o, &t, &error), KVS_E_TLS);
    assert_non_null(strstr(error.msg, "client.key"));
    o.cert_file = "/nonexistent";
    assert_int_equal(tls_context_new_server(&o, &t, &error), KVS_E_TLS);
    assert_non_null(strstr(error.msg, "/nonexistent"));
    o = (struct tls_options){0};
    assert_int_equal(tls_context_new_server(&o, &t, &error), KVS_E_INVALID);
}

static void garbage_instead_of_tls_is_an_error(void **state)
{
    struct tls_context *s = server_context(false);
    struct server srv;
    struct client client;

    (void)state;
    say_quit(&srv, &client, s, NULL);
    assert_int_equal(srv.n_sessions, 1);
    assert_true(client.closed);
    tls_context_free(s);
}

static void nobody_listens(void **state)
{
    struct loop *l = fixture_loop();
    struct server srv;
    struct client c = {0};

    (void)state;
    server_start(&srv, l, NULL);
    listener_close(srv.listener);
    srv.listener = NULL;
    assert_true(loop_turn(l, false) || true);
    (void)snprintf(srv.addr.host, sizeof srv.addr.host, "localhost"); /* two addresses to try */
    client_start(&c, &srv, NULL);
    assert_false(c.closed); /* never inside the call */
    loop_run(l);
    assert_int_equal(c.err, KVS_E_CONNECT);
    assert_non_null(strstr(c.text, "dial tcp localhost:"));
    assert_non_null(strstr(c.text, "connection refused"));
    loop_free(l);
}

static void close_at_every_step_of_connecting(void **state)
{
    (void)state;
    for (int turns = 0; turns < 6; turns++) {
        struct loop *l = fixture_loop();
        struct server srv;
        struct client c = {0};

        server_start(&srv, l, NULL);
        if (turns % 2 == 1) {
            listener_close(srv.listener);
            srv.listener = NULL;
            (void)loop_turn(l, false);
        }
        (void)snprintf(srv.addr.host, sizeof srv.addr.host, "localhost");
        client_start(&c, &srv, NULL);
        for (int i = 0; i < turns && !c.closed; i++) {
            (void)loop_turn(l, false);
        }
        if (!c.closed) {
            stream_close(c.stream);
        }
        loop_run(l);
        assert_true(c.closed);
        loop_free(l);
    }
}

static void a_port_in_use_is_an_error(void **state)
{
    struct loop *l = fixture_loop();
    struct server srv;
    struct listener *second;
    struct kvs_error error = {0};

    (void)state;
    server_start(&srv, l, NULL);
    assert_int_equal(stream_listen(l, &srv.addr, NULL, NULL, server_accept, &srv, &second, &error),
                     KVS_E_ADDRESS);
    assert_non_null(strstr(error.msg, "address already in use"));
    listener_close(srv.listener);
    loop_free(l);
}

static int setup(void **state)
{
    (void)state;
    tls_files_init(&files);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tls_files_fini(&files);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_echo_keeps_every_byte),
        cmocka_unit_test(tls_echo_keeps_every_byte),
        cmocka_unit_test(mutual_tls_tells_who_is_there),
        cmocka_unit_test(a_client_without_certificate_is_refused),
        cmocka_unit_test(a_server_of_another_ca_is_refused),
        cmocka_unit_test(changed_files_are_taken_over),
        cmocka_unit_test(bad_files_are_named),
        cmocka_unit_test(garbage_instead_of_tls_is_an_error),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(close_at_every_step_of_connecting),
        cmocka_unit_test(a_port_in_use_is_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
