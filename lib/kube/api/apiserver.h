/* A whole API server: certificates, store, registry and HTTP, run until it is told to stop. What
 * server/apiserver's command line starts. */
#ifndef KUBE_APISERVER_H
#define KUBE_APISERVER_H

#include <stdint.h>

#include "kvstore/client.h"
#include "kvstore/node.h"

struct kube_apiserver_options {
    const char *store; /* "embedded:DIR", or endpoints: "https://a:2379,https://b:2379" */
    struct kvs_client_tls store_tls;
    const char *bind_address;
    uint16_t port;
    const char *advertise_address; /* NULL: 127.0.0.1 */
    const char *cert_dir;          /* CA and certificates; made there if they are missing */
    const char *kubeconfig;        /* the administrator's, written at start; NULL: none */
    enum kvs_log_level log_level;
    /* Runs on the server's thread once it serves; may be NULL. */
    void (*ready)(void *ctx, uint16_t port);
    void *ready_ctx;
};

/* Fills in defaults: embedded in "default.keelson", port 6443 on every address. */
void kube_apiserver_options_init(struct kube_apiserver_options *options);

/* Blocks until SIGTERM or SIGINT, then drains. `error` says in words why it could not start or go
 * on. Not more than one in a process at a time: it handles the process' signals. */
KVS_MUST_USE int kube_apiserver_run(const struct kube_apiserver_options *options,
                                    struct kvs_error *error);

#endif
