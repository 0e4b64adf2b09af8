/* The HTTP face of the registry: an API server as an object, which server/apiserver opens and tests
 * open too.
 *
 *   rpc_http request -> who is it -> route -> may they -> registry / cache / discovery -> reply
 *
 * Health (/healthz, /livez, /readyz) and /version are open to everybody; everything else needs an
 * identity. Loop thread. */
#ifndef KUBE_API_H
#define KUBE_API_H

#include <stdint.h>

#include "kube/registry/registry.h"
#include "loop/loop.h"

struct kube_api;

struct kube_api_options {
    struct loop *loop;
    struct kube_registry *registry;
    struct log *log;
    const char *bind_address; /* "0.0.0.0" */
    uint16_t port;            /* 0: any free one */
    const char *advertise;    /* host that discovery tells; NULL: 127.0.0.1 */
    const char *cert_file;    /* the server's */
    const char *key_file;
    const char *client_ca_file; /* who signs the users' certificates */
};

/* Listens. Borrows registry and log. KVS_E_ADDRESS, KVS_E_TLS, KVS_E_NOMEM, in words in `error`. */
KVS_MUST_USE int kube_api_open(const struct kube_api_options *options,
                               struct kube_api **ret_api,
                               struct kvs_error *error);

uint16_t kube_api_port(const struct kube_api *api);

/* Ends watches, lets requests finish for `grace_ms`, frees; then `cb`, once. */
void kube_api_close(struct kube_api *api, unsigned grace_ms, void (*cb)(void *ctx), void *ctx);

#endif
