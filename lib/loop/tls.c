/* TLS contexts. A context is rebuilt when one of its files has changed; a broken file leaves the
 * working one in place, so that a half-written certificate does not take the server down. */
#include "loop/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "loop/tls_int.h"

enum { TLS_FILES = 3 };

struct tls_file {
    char *name; /* NULL: not used */
    struct timespec mtime;
    off_t size;
    ino_t inode;
};

struct tls_context {
    SSL_CTX *ssl_ctx;
    bool server;
    struct tls_options options; /* strings are ours */
    struct tls_file files[TLS_FILES];
    struct timespec checked_at; /* files are looked at once a second at most */
    unsigned reloads;
    unsigned reload_failures;
};

void tls_error_text(char *text, size_t size, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    (void)snprintf(text, size, "%s: %s", what, reason != NULL ? reason : "failed");
    ERR_clear_error();
}

static int tls_error(struct kvs_error *error, const char *what, const char *file)
{
    char text[256];

    if (error != NULL) {
        (void)snprintf(text, sizeof text, "%s %s", what, file != NULL ? file : "");
        error->code = KVS_E_TLS;
        tls_error_text(error->msg, sizeof error->msg, text);
    }
    ERR_clear_error();
    return KVS_E_TLS;
}

/* Returns whether the file differs from what was noted, and notes it. */
static bool tls_file_changed(struct tls_file *f)
{
    struct stat st;
    bool changed;

    if (f->name == NULL || stat(f->name, &st) != 0) {
        return false;
    }
    changed = st.st_mtim.tv_sec != f->mtime.tv_sec || st.st_mtim.tv_nsec != f->mtime.tv_nsec ||
              st.st_size != f->size || st.st_ino != f->inode;
    f->mtime = st.st_mtim;
    f->size = st.st_size;
    f->inode = st.st_ino;
    return changed;
}

static int tls_protocol(enum tls_version version)
{
    switch (version) {
    case TLS_VERSION_1_2:
        return TLS1_2_VERSION;
    case TLS_VERSION_1_3:
        return TLS1_3_VERSION;
    case TLS_VERSION_DEFAULT:
        break;
    }
    return 0;
}

static int tls_set_versions(SSL_CTX *ctx, const struct tls_options *o)
{
    int least = tls_protocol(o->min_version);

    return SSL_CTX_set_min_proto_version(ctx, least != 0 ? least : TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, tls_protocol(o->max_version)) == 1;
}

static int tls_load_key_pair(SSL_CTX *ctx, const struct tls_options *o, struct kvs_error *error)
{
    if (o->cert_file == NULL) {
        return 0;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, o->cert_file) != 1) {
        return tls_error(error, "certificate", o->cert_file);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, o->key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
        return tls_error(error, "private key", o->key_file);
    }
    return 0;
}

static int tls_load_ca(SSL_CTX *ctx, const struct tls_options *o, bool server, struct kvs_error *e)
{
    int verify = SSL_VERIFY_PEER;

    if (o->ca_file != NULL) {
        if (SSL_CTX_load_verify_file(ctx, o->ca_file) != 1) {
            return tls_error(e, "CA file", o->ca_file);
        }
        if (server) {
            SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(o->ca_file));
        }
    } else if (!server && SSL_CTX_set_default_verify_paths(ctx) != 1) {
        return tls_error(e, "system's CA files", NULL);
    }
    if (server && o->require_peer_cert) {
        verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    } else if (server ? o->ca_file == NULL : o->insecure_skip_verify) {
        verify = SSL_VERIFY_NONE;
    }
    SSL_CTX_set_verify(ctx, verify, NULL);
    return 0;
}

static int tls_build(struct tls_context *t, SSL_CTX **ret_ctx, struct kvs_error *error)
{
    static const unsigned char session_context[] = "keelson";
    const struct tls_options *o = &t->options;
    SSL_CTX *ctx = SSL_CTX_new(t->server ? TLS_server_method() : TLS_client_method());
    int err;

    if (ctx == NULL) {
        return KVS_E_NOMEM;
    }
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* Without it a resumed session with a client certificate is refused. */
    (void)SSL_CTX_set_session_id_context(ctx, session_context, sizeof session_context - 1);
    if (!tls_set_versions(ctx, o)) {
        err = tls_error(error, "TLS versions", NULL);
    } else if (o->ciphers != NULL && SSL_CTX_set_cipher_list(ctx, o->ciphers) != 1) {
        err = tls_error(error, "cipher list", o->ciphers);
    } else {
        err = tls_load_key_pair(ctx, o, error);
    }
    if (err == 0) {
        err = tls_load_ca(ctx, o, t->server, error);
    }
    if (err != 0) {
        SSL_CTX_free(ctx);
        return err;
    }
    *ret_ctx = ctx;
    return 0;
}

static int tls_copy(const char **at)
{
    if (*at == NULL) {
        return 0;
    }
    *at = kvs_strdup(*at);
    return *at != NULL ? 0 : KVS_E_NOMEM;
}

/* All five are copied even after a failure, so that none is left borrowed and freed later. */
static int tls_copy_options(struct tls_options *o)
{
    const char **strings[] = {&o->cert_file, &o->key_file, &o->ca_file, &o->server_name,
                              &o->ciphers};
    int err = 0;

    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        err |= tls_copy(strings[i]);
    }
    return err == 0 ? 0 : KVS_E_NOMEM;
}

static int tls_context_new(const struct tls_options *options,
                           bool server,
                           struct tls_context **ret_context,
                           struct kvs_error *error)
{
    struct tls_context *t;
    int err;

    if ((options->cert_file == NULL) != (options->key_file == NULL) ||
        (server && options->cert_file == NULL) ||
        (server && options->require_peer_cert && options->ca_file == NULL)) {
        if (error != NULL) {
            error->code = KVS_E_INVALID;
            (void)snprintf(error->msg, sizeof error->msg, "certificate, key or CA file is missing");
        }
        return KVS_E_INVALID;
    }
    t = kvs_calloc(1, sizeof *t);
    if (t == NULL) {
        return KVS_E_NOMEM;
    }
    t->server = server;
    t->options = *options;
    err = tls_copy_options(&t->options);
    t->files[0].name = (char *)(uintptr_t)t->options.cert_file;
    t->files[1].name = (char *)(uintptr_t)t->options.key_file;
    t->files[2].name = (char *)(uintptr_t)t->options.ca_file;
    for (int i = 0; i < TLS_FILES; i++) {
        (void)tls_file_changed(&t->files[i]); /* before reading: a change while reading is seen */
    }
    if (err == 0) {
        err = tls_build(t, &t->ssl_ctx, error);
    }
    if (err != 0) {
        tls_context_free(t);
        return err;
    }
    *ret_context = t;
    return 0;
}

int tls_context_new_server(const struct tls_options *options,
                           struct tls_context **ret_context,
                           struct kvs_error *error)
{
    return tls_context_new(options, true, ret_context, error);
}

int tls_context_new_client(const struct tls_options *options,
                           struct tls_context **ret_context,
                           struct kvs_error *error)
{
    return tls_context_new(options, false, ret_context, error);
}

void tls_context_free(struct tls_context *t)
{
    if (t == NULL) {
        return;
    }
    SSL_CTX_free(t->ssl_ctx);
    for (int i = 0; i < TLS_FILES; i++) {
        kvs_free(t->files[i].name);
    }
    kvs_free((char *)(uintptr_t)t->options.server_name);
    kvs_free((char *)(uintptr_t)t->options.ciphers);
    kvs_free(t);
}

static void tls_context_refresh(struct tls_context *t)
{
    struct timespec now;
    bool changed = false;
    SSL_CTX *fresh;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec == t->checked_at.tv_sec) {
        return;
    }
    t->checked_at = now;
    for (int i = 0; i < TLS_FILES; i++) {
        changed = tls_file_changed(&t->files[i]) || changed;
    }
    if (!changed) {
        return;
    }
    if (tls_build(t, &fresh, NULL) != 0) {
        t->reload_failures++;
        return;
    }
    SSL_CTX_free(t->ssl_ctx); /* sessions in use hold their own reference */
    t->ssl_ctx = fresh;
    t->reloads++;
}

SSL *tls_context_session(struct tls_context *t)
{
    tls_context_refresh(t);
    return SSL_new(t->ssl_ctx);
}

const struct tls_options *tls_context_options(const struct tls_context *t)
{
    return &t->options;
}

unsigned tls_context_reloads(const struct tls_context *t)
{
    return t->reloads;
}

unsigned tls_context_reload_failures(const struct tls_context *t)
{
    return t->reload_failures;
}
