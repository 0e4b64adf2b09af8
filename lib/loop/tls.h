/* TLS contexts: certificates from files, read again when the files change. */
#ifndef LOOP_TLS_H
#define LOOP_TLS_H

#include <stdbool.h>

#include "base/attr.h"

struct tls_context;

enum tls_version {
    TLS_VERSION_DEFAULT, /* least: 1.2; most: what the library has */
    TLS_VERSION_1_2,
    TLS_VERSION_1_3,
};

/* File names are copied. */
struct tls_options {
    const char *cert_file; /* PEM chain; a server needs it */
    const char *key_file;
    const char *ca_file;       /* who signs the other side; NULL on a client: the system's */
    bool require_peer_cert;    /* server: refuse a client without a certificate signed by ca_file */
    bool insecure_skip_verify; /* client: accept any server */
    const char *server_name;   /* client: the name to check instead of the host; NULL */
    const char *ciphers;       /* TLS 1.2 list in OpenSSL's words; NULL: the default */
    enum tls_version min_version;
    enum tls_version max_version;
};

/* Reads the files. `error` (may be NULL) says what is wrong with which file. KVS_E_TLS,
 * KVS_E_NOMEM, KVS_E_INVALID. Use from one thread at a time. */
KVS_MUST_USE int tls_context_new_server(const struct tls_options *options,
                                        struct tls_context **ret_context,
                                        struct kvs_error *error);
KVS_MUST_USE int tls_context_new_client(const struct tls_options *options,
                                        struct tls_context **ret_context,
                                        struct kvs_error *error);

/* Streams that use the context keep what they need. NULL is allowed. */
void tls_context_free(struct tls_context *t);

/* How often changed files were taken over, and how often that failed (the old ones stay in use). */
unsigned tls_context_reloads(const struct tls_context *t);
unsigned tls_context_reload_failures(const struct tls_context *t);

#endif
