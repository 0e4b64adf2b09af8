/* The cluster's own certificates, made at the first start: a CA, and what it signs. Keys are
 * ECDSA P-256; files are PEM, keys with mode 0600, written whole or not at all.
 *
 * Blocking; any thread. */
#ifndef KUBE_PKI_H
#define KUBE_PKI_H

#include <stdbool.h>
#include <stddef.h>

#include "kvstore/err.h"

struct kube_pki_subject {
    const char *common_name;
    const char *organization; /* NULL: none */
    const char *const *names; /* of a server: DNS names and addresses; else NULL */
    size_t n_names;
    bool server;
    bool client;
    unsigned days;
};

/* A CA in `cert_file` and `key_file`, unless both are there. KVS_E_IO, KVS_E_TLS, KVS_E_NOMEM, in
 * words in `error`. */
KVS_MUST_USE int kube_pki_ensure_ca(const char *cert_file,
                                    const char *key_file,
                                    const char *common_name,
                                    struct kvs_error *error);

/* A key and its certificate, signed by the CA, unless both files are there. Errors likewise. */
KVS_MUST_USE int kube_pki_ensure(const char *ca_cert_file,
                                 const char *ca_key_file,
                                 const char *cert_file,
                                 const char *key_file,
                                 const struct kube_pki_subject *subject,
                                 struct kvs_error *error);

/* An RSA key pair for signing tokens, unless both files are there. Errors likewise. */
KVS_MUST_USE int
kube_pki_ensure_key(const char *private_file, const char *public_file, struct kvs_error *error);

/* A kubeconfig that carries the three files' contents inside, mode 0600; replaced if it is there.
 * Errors likewise. */
KVS_MUST_USE int kube_pki_write_kubeconfig(const char *file,
                                           const char *server_url,
                                           const char *ca_cert_file,
                                           const char *cert_file,
                                           const char *key_file,
                                           const char *user,
                                           struct kvs_error *error);

#endif
