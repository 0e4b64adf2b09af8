/* TLS on a stream: OpenSSL never sees the socket, only two memory BIOs. Plaintext waits in the
 * stream's queue and is encrypted when the socket can take it. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"
#include "loop/stream_int.h"
#include "loop/tls_int.h"

enum {
    TLS_RECORD_BYTES = 16 * 1024,
    TLS_CIPHER_HIGH = 64 * 1024, /* encrypt ahead of the socket up to here */
    TLS_NAMES_MAX = 64,
};

/* "h2,http/1.1" -> length-prefixed names. */
static int tls_alpn_wire(struct tls_session *t, const char *alpn)
{
    const char *at = alpn;

    while (at != NULL && *at != '\0') {
        size_t len = strcspn(at, ",");

        if (len == 0 || t->alpn_wire_len + 1 + len > sizeof t->alpn_wire) {
            return KVS_E_INVALID;
        }
        t->alpn_wire[t->alpn_wire_len] = (char)len;
        memcpy(t->alpn_wire + t->alpn_wire_len + 1, at, len);
        t->alpn_wire_len += (unsigned)(1 + len);
        at += len + (at[len] == ',');
    }
    return 0;
}

static int tls_alpn_select_cb(SSL *ssl,
                              const unsigned char **out,
                              unsigned char *out_len,
                              const unsigned char *in,
                              unsigned in_len,
                              void *arg)
{
    struct tls_session *t = SSL_get_app_data(ssl);
    unsigned char *selected;

    (void)arg;
    if (SSL_select_next_proto(&selected, out_len, (const unsigned char *)t->alpn_wire,
                              t->alpn_wire_len, in, in_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

static int tls_client_setup(struct tls_session *t, const struct tls_options *o, const char *host)
{
    const char *name = o->server_name != NULL ? o->server_name : host;
    struct in6_addr ip;
    bool is_ip = inet_pton(AF_INET, name, &ip) == 1 || inet_pton(AF_INET6, name, &ip) == 1;

    SSL_set_connect_state(t->ssl);
    if (t->alpn_wire_len > 0 &&
        SSL_set_alpn_protos(t->ssl, (const unsigned char *)t->alpn_wire, t->alpn_wire_len) != 0) {
        return KVS_E_NOMEM;
    }
    if (is_ip) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(t->ssl), name) == 1 ? 0 : KVS_E_NOMEM;
    }
    if (SSL_set_tlsext_host_name(t->ssl, name) != 1 || SSL_set1_host(t->ssl, name) != 1) {
        return KVS_E_NOMEM;
    }
    return 0;
}

static int tls_session_setup(struct tls_session *t, struct tls_context *context, const char *host)
{
    t->ssl = tls_context_session(context);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (t->ssl == NULL || t->in == NULL || t->out == NULL) {
        BIO_free(t->in);
        BIO_free(t->out);
        return KVS_E_NOMEM;
    }
    SSL_set_bio(t->ssl, t->in, t->out);
    (void)SSL_set_app_data(t->ssl, t);
    if (host != NULL) {
        return tls_client_setup(t, tls_context_options(context), host);
    }
    SSL_set_accept_state(t->ssl);
    if (t->alpn_wire_len > 0) {
        SSL_CTX_set_alpn_select_cb(SSL_get_SSL_CTX(t->ssl), tls_alpn_select_cb, NULL);
    }
    return 0;
}

int stream_tls_start(struct stream *s,
                     struct tls_context *context,
                     const char *alpn,
                     const char *host)
{
    struct tls_session *t = kvs_calloc(1, sizeof *t);
    int err;

    if (t == NULL) {
        return KVS_E_NOMEM;
    }
    s->tls = t;
    s->peer.tls = true;
    buf_init(&t->cipher);
    err = tls_alpn_wire(t, alpn);
    return err != 0 ? err : tls_session_setup(t, context, host);
}

void stream_tls_free(struct stream *s)
{
    struct tls_session *t = s->tls;

    if (t == NULL) {
        return;
    }
    SSL_free(t->ssl);
    buf_fini(&t->cipher);
    kvs_free(t->common_name);
    for (size_t i = 0; i < s->peer.n_dns_names; i++) {
        kvs_free(t->dns_names[i]);
    }
    kvs_free(t->dns_names);
    for (size_t i = 0; i < s->peer.n_organizations; i++) {
        kvs_free(t->organizations[i]);
    }
    kvs_free(t->organizations);
    kvs_free(t);
    s->tls = NULL;
}

/* The alert that says why leaves at once: the stream will not see another flush. */
static void tls_send_alert(struct stream *s)
{
    char alert[512];
    uv_buf_t buf;
    int len;

    if (s->write_len > 0 || s->tls->cipher.len > 0 || s->state == STREAM_CLOSING) {
        return;
    }
    len = BIO_read(s->tls->out, alert, sizeof alert);
    if (len > 0) {
        buf = uv_buf_init(alert, (unsigned)len);
        (void)uv_try_write((uv_stream_t *)&s->tcp, &buf, 1); /* best effort */
    }
}

static void tls_fail(struct stream *s, const char *what)
{
    char text[160];
    long verify = SSL_get_verify_result(s->tls->ssl);

    tls_send_alert(s);
    if (verify != X509_V_OK) {
        (void)snprintf(text, sizeof text, "%s: %s", what, X509_verify_cert_error_string(verify));
        ERR_clear_error();
    } else {
        tls_error_text(text, sizeof text, what);
    }
    stream_fail(s, KVS_E_TLS, text);
}

/* ---- who is there ---- */

/* A name with a NUL inside is an attempt to deceive: NULL, as when out of memory. */
static char *tls_copy_string(const ASN1_STRING *from)
{
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, from);
    char *copy = NULL;

    if (len >= 0 && memchr(utf8, 0, (size_t)len) == NULL) {
        copy = kvs_strndup((const char *)utf8, (size_t)len);
    }
    OPENSSL_free(utf8);
    return copy;
}

static char *tls_copy_ip(const ASN1_OCTET_STRING *ip)
{
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(ip);
    int family = len == 4 ? AF_INET : AF_INET6;

    if ((len != 4 && len != 16) ||
        inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof text) == NULL) {
        return NULL;
    }
    return kvs_strdup(text);
}

static void tls_read_common_name(struct stream *s, X509 *cert)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    if (at >= 0) {
        s->tls->common_name =
            tls_copy_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        s->peer.common_name = s->tls->common_name;
    }
}

static void tls_read_organizations(struct stream *s, X509 *cert)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = -1;

    s->tls->organizations = kvs_calloc(TLS_NAMES_MAX, sizeof(char *));
    while (s->tls->organizations != NULL && s->peer.n_organizations < TLS_NAMES_MAX &&
           (at = X509_NAME_get_index_by_NID(subject, NID_organizationName, at)) >= 0) {
        char *text =
            tls_copy_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));

        if (text != NULL) {
            s->tls->organizations[s->peer.n_organizations++] = text;
        }
    }
    s->peer.organizations = (const char *const *)s->tls->organizations;
}

static void tls_read_names(struct stream *s, X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int n = names != NULL ? sk_GENERAL_NAME_num(names) : 0;

    n = n < TLS_NAMES_MAX ? n : TLS_NAMES_MAX;
    s->tls->dns_names = n > 0 ? kvs_calloc((size_t)n, sizeof(char *)) : NULL;
    for (int i = 0; s->tls->dns_names != NULL && i < n; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        char *text = NULL;

        if (name->type == GEN_DNS) {
            text = tls_copy_string(name->d.dNSName);
        } else if (name->type == GEN_IPADD) {
            text = tls_copy_ip(name->d.iPAddress);
        }
        if (text != NULL) {
            s->tls->dns_names[s->peer.n_dns_names++] = text;
        }
    }
    s->peer.dns_names = (const char *const *)s->tls->dns_names;
    GENERAL_NAMES_free(names);
}

static void tls_read_peer(struct stream *s)
{
    struct tls_session *t = s->tls;
    X509 *cert = SSL_get1_peer_certificate(t->ssl);
    const unsigned char *alpn;
    unsigned alpn_len;

    SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_len);
    if (alpn_len < sizeof t->alpn) {
        memcpy(t->alpn, alpn != NULL ? alpn : (const unsigned char *)"", alpn_len);
        t->alpn[alpn_len] = '\0';
    }
    s->peer.alpn = t->alpn;
    if (cert == NULL) {
        return;
    }
    s->peer.verified = SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE &&
                       SSL_get_verify_result(t->ssl) == X509_V_OK;
    tls_read_common_name(s, cert);
    tls_read_organizations(s, cert);
    tls_read_names(s, cert);
    X509_free(cert);
}

/* ---- bytes ---- */

void stream_tls_handshake(struct stream *s)
{
    SSL *ssl = s->tls->ssl;
    int ok;

    ERR_clear_error();
    ok = SSL_do_handshake(ssl);
    stream_mark_dirty(s);
    if (ok == 1) {
        tls_read_peer(s);
        stream_opened(s);
        return;
    }
    switch (SSL_get_error(ssl, ok)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return;
    default:
        tls_fail(s, "TLS handshake");
    }
}

/* Decrypts what is there into the loop's buffer (the ciphertext has left it) and delivers. */
static void tls_deliver(struct stream *s)
{
    uint8_t *to = s->loop->read_buffer;

    while (s->state == STREAM_READY) {
        size_t len = 0;
        int n = 0;

        ERR_clear_error();
        while (len < READ_BUFFER_BYTES) {
            n = SSL_read(s->tls->ssl, to + len, (int)(READ_BUFFER_BYTES - len));
            if (n <= 0) {
                break;
            }
            len += (size_t)n;
        }
        if (len > 0) {
            s->ops->on_data(s->ctx, view_make(to, len));
        }
        if (n > 0 || s->state == STREAM_CLOSING) {
            continue;
        }
        switch (SSL_get_error(s->tls->ssl, n)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            break;
        case SSL_ERROR_ZERO_RETURN:
            stream_fail(s, 0, "end of file");
            break;
        default:
            tls_fail(s, "TLS");
        }
        return;
    }
}

void stream_tls_input(struct stream *s, const uint8_t *data, size_t len)
{
    kvs_assert(len <= READ_BUFFER_BYTES);
    if (BIO_write(s->tls->in, data, (int)len) != (int)len) {
        stream_fail(s, KVS_E_NOMEM, "out of memory");
        return;
    }
    if (s->state == STREAM_HANDSHAKE) {
        stream_tls_handshake(s);
    }
    if (s->state == STREAM_READY) {
        tls_deliver(s);
        if (s->state != STREAM_CLOSING && BIO_ctrl_pending(s->tls->out) > 0) {
            stream_mark_dirty(s); /* a key update, an alert */
        }
    }
}

/* Moves OpenSSL's output to where the socket is written from. */
static bool tls_drain(struct stream *s)
{
    struct tls_session *t = s->tls;
    size_t pending = BIO_ctrl_pending(t->out);
    uint8_t *to;

    if (pending == 0) {
        return true;
    }
    to = buf_reserve(&t->cipher, pending);
    if (to == NULL || BIO_read(t->out, to, (int)pending) != (int)pending) {
        stream_fail(s, KVS_E_NOMEM, "out of memory");
        return false;
    }
    t->cipher.len += pending;
    return true;
}

bool stream_tls_fill(struct stream *s)
{
    struct tls_session *t = s->tls;
    uint8_t *scratch = s->loop->read_buffer; /* free at the end of a turn */

    kvs_assert(s->write_len == 0);
    if (!tls_drain(s)) {
        return false;
    }
    while (s->state >= STREAM_READY && s->out.bytes > 0 && t->cipher.len < TLS_CIPHER_HIGH) {
        size_t len = stream_queue_take(&s->out, scratch, TLS_RECORD_BYTES);

        ERR_clear_error();
        /* A memory BIO takes everything, so there is no partial write to go on with. */
        if (SSL_write(t->ssl, scratch, (int)len) != (int)len) {
            tls_fail(s, "TLS");
            return false;
        }
        if (!tls_drain(s)) {
            return false;
        }
    }
    return true;
}

bool stream_tls_shutdown(struct stream *s)
{
    if ((SSL_get_shutdown(s->tls->ssl) & SSL_SENT_SHUTDOWN) != 0) {
        return false;
    }
    ERR_clear_error();
    (void)SSL_shutdown(s->tls->ssl);
    return true;
}
