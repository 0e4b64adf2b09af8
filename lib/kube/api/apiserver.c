/* Order of life: certificates, store, registry (lists everything), namespaces, HTTP; backwards when
 * a signal comes: HTTP drains, registry, client, node. */
#include "kube/api/apiserver.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/log.h"
#include "kube/api/api.h"
#include "kube/api/bootstrap.h"
#include "kube/pki/pki.h"

enum { PATH_LEN_MAX = 1024, GRACE_MS = 10000, STORE_READY_MS = 30000, CERT_DAYS = 365 };

static const char embedded_prefix[] = "embedded:";

struct apiserver {
    const struct kube_apiserver_options *options;
    struct kvs_error *error;
    struct loop *loop;
    struct log *log;
    struct kvs_node *node; /* NULL: a store elsewhere */
    struct kube_store *store;
    struct kube_registry *registry;
    struct kube_api *api; /* NULL until it serves */
    bool stopping;
    int status;
};

void kube_apiserver_options_init(struct kube_apiserver_options *options)
{
    *options = (struct kube_apiserver_options){.store = "embedded:default.keelson",
                                               .bind_address = "0.0.0.0",
                                               .port = 6443,
                                               .cert_dir = "default.keelson/pki",
                                               .log_level = KVS_LOG_INFO};
}

static int apiserver_error(struct kvs_error *error, int code, const char *what, const char *why)
{
    error->code = code;
    (void)snprintf(error->msg, sizeof error->msg, "%s: %s", what, why);
    return code;
}

/* --- certificates -------------------------------------------------------------------------------
 */

struct paths {
    char ca_cert[PATH_LEN_MAX];
    char ca_key[PATH_LEN_MAX];
    char server_cert[PATH_LEN_MAX];
    char server_key[PATH_LEN_MAX];
    char admin_cert[PATH_LEN_MAX];
    char admin_key[PATH_LEN_MAX];
};

static void apiserver_paths(const char *dir, struct paths *p)
{
    (void)snprintf(p->ca_cert, PATH_LEN_MAX, "%s/ca.crt", dir);
    (void)snprintf(p->ca_key, PATH_LEN_MAX, "%s/ca.key", dir);
    (void)snprintf(p->server_cert, PATH_LEN_MAX, "%s/apiserver.crt", dir);
    (void)snprintf(p->server_key, PATH_LEN_MAX, "%s/apiserver.key", dir);
    (void)snprintf(p->admin_cert, PATH_LEN_MAX, "%s/admin.crt", dir);
    (void)snprintf(p->admin_key, PATH_LEN_MAX, "%s/admin.key", dir);
}

/* Every folder on the way, private. */
static int apiserver_make_dir(const char *dir)
{
    char path[PATH_LEN_MAX];
    size_t len = strlen(dir);

    if (len == 0 || len >= sizeof path) {
        return KVS_E_INVALID;
    }
    memcpy(path, dir, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] == '/' || path[i] == '\0') {
            char kept = path[i];

            path[i] = '\0';
            (void)mkdir(path, 0700); /* there already, or the next step fails and says why */
            path[i] = kept;
        }
    }
    return 0;
}

static int apiserver_certificates(const struct kube_apiserver_options *o,
                                  const struct paths *p,
                                  struct kvs_error *error)
{
    const char *const names[] = {"kubernetes",
                                 "kubernetes.default",
                                 "kubernetes.default.svc",
                                 "kubernetes.default.svc.cluster.local",
                                 "localhost",
                                 "127.0.0.1",
                                 "::1",
                                 "10.96.0.1",
                                 o->advertise_address == NULL ? "127.0.0.1" : o->advertise_address};
    const struct kube_pki_subject server = {.common_name = "kube-apiserver",
                                            .names = names,
                                            .n_names = sizeof names / sizeof names[0],
                                            .server = true,
                                            .days = CERT_DAYS};
    const struct kube_pki_subject admin = {.common_name = "kubernetes-admin",
                                           .organization = "system:masters",
                                           .client = true,
                                           .days = CERT_DAYS};
    int err;

    if (apiserver_make_dir(o->cert_dir) != 0) {
        return apiserver_error(error, KVS_E_INVALID, o->cert_dir, "not a usable folder");
    }
    err = kube_pki_ensure_ca(p->ca_cert, p->ca_key, "kubernetes", error);
    if (err == 0) {
        err = kube_pki_ensure(p->ca_cert, p->ca_key, p->server_cert, p->server_key, &server, error);
    }
    if (err == 0) {
        err = kube_pki_ensure(p->ca_cert, p->ca_key, p->admin_cert, p->admin_key, &admin, error);
    }
    return err;
}

static int apiserver_kubeconfig(const struct apiserver *s, const struct paths *p)
{
    const struct kube_apiserver_options *o = s->options;
    char url[PATH_LEN_MAX];

    if (o->kubeconfig == NULL) {
        return 0;
    }
    (void)snprintf(url, sizeof url, "https://%s:%u",
                   o->advertise_address == NULL ? "127.0.0.1" : o->advertise_address,
                   (unsigned)kube_api_port(s->api));
    return kube_pki_write_kubeconfig(o->kubeconfig, url, p->ca_cert, p->admin_cert, p->admin_key,
                                     "kubernetes-admin", s->error);
}

/* --- the store ----------------------------------------------------------------------------------
 */

static int apiserver_open_node(struct apiserver *s, const char *dir, struct kvs_client **ret_client)
{
    struct kvs_node_options o;
    int err;

    if (apiserver_make_dir(dir) != 0) {
        return apiserver_error(s->error, KVS_E_INVALID, dir, "not a usable folder");
    }
    kvs_node_options_init(&o);
    o.name = "keelson";
    o.data_dir = dir;
    o.listen_client_urls = NULL;
    o.listen_peer_urls = NULL;
    o.log_level = KVS_LOG_WARN;
    o.auto_compaction_mode = "periodic";
    o.auto_compaction_retention = "5m";
    err = kvs_node_open(&o, &s->node, s->error);
    if (err == 0) {
        err = kvs_node_wait_ready(s->node, STORE_READY_MS);
        if (err != 0) {
            return apiserver_error(s->error, err, dir, kvs_strerror(err));
        }
        err = kvs_client_open_node(s->node, ret_client, s->error);
    }
    return err;
}

static int apiserver_open_store(struct apiserver *s)
{
    const char *where = s->options->store;
    struct kvs_client_options o;
    struct kvs_client *client;
    int err;

    if (strncmp(where, embedded_prefix, sizeof embedded_prefix - 1) == 0) {
        err = apiserver_open_node(s, where + sizeof embedded_prefix - 1, &client);
    } else {
        kvs_client_options_init(&o);
        o.endpoints = where;
        o.tls = s->options->store_tls;
        err = kvs_client_open(&o, &client, s->error);
    }
    return err != 0 ? err : kube_store_new(s->loop, client, &s->store);
}

/* --- life ---------------------------------------------------------------------------------------
 */

static void apiserver_registry_closed(void *ctx)
{
    struct apiserver *s = ctx;

    s->registry = NULL;
    loop_stop(s->loop);
}

static void apiserver_api_closed(void *ctx)
{
    struct apiserver *s = ctx;

    s->api = NULL;
    kube_registry_close(s->registry, apiserver_registry_closed, s);
}

static void apiserver_stop(struct apiserver *s, int status)
{
    if (s->stopping) {
        return;
    }
    s->stopping = true;
    s->status = status;
    if (s->api != NULL) {
        kube_api_close(s->api, GRACE_MS, apiserver_api_closed, s);
    } else {
        kube_registry_close(s->registry, apiserver_registry_closed, s);
    }
}

static void apiserver_on_signal(void *ctx, int signum)
{
    struct apiserver *s = ctx;

    log_info(s->log, "stopping", LOG_I64("signal", signum));
    apiserver_stop(s, 0);
}

static int apiserver_serve(struct apiserver *s)
{
    struct paths p;
    struct kube_api_options o = {.loop = s->loop,
                                 .registry = s->registry,
                                 .log = s->log,
                                 .bind_address = s->options->bind_address,
                                 .port = s->options->port,
                                 .advertise = s->options->advertise_address,
                                 .cert_file = p.server_cert,
                                 .key_file = p.server_key,
                                 .client_ca_file = p.ca_cert};
    int err;

    apiserver_paths(s->options->cert_dir, &p);
    err = kube_api_open(&o, &s->api, s->error);
    if (err == 0) {
        err = apiserver_kubeconfig(s, &p);
    }
    return err;
}

static void apiserver_bootstrapped(void *ctx, int status)
{
    struct apiserver *s = ctx;

    if (s->stopping) {
        return;
    }
    if (status != 0) {
        (void)apiserver_error(s->error, status, "namespaces", kvs_strerror(status));
    } else {
        status = apiserver_serve(s);
    }
    if (status != 0) {
        apiserver_stop(s, status);
        return;
    }
    log_info(s->log, "serving", LOG_I64("port", kube_api_port(s->api)));
    if (s->options->ready != NULL) {
        s->options->ready(s->options->ready_ctx, kube_api_port(s->api));
    }
}

static void apiserver_loaded(void *ctx)
{
    struct apiserver *s = ctx;
    int err = kube_bootstrap_start(s->registry, apiserver_bootstrapped, s);

    if (err != 0) {
        apiserver_stop(s, apiserver_error(s->error, err, "namespaces", kvs_strerror(err)));
    }
}

static int apiserver_open_registry(struct apiserver *s)
{
    struct kube_registry_options o = {
        .loop = s->loop, .store = s->store, .clock = clock_system(), .log = s->log};
    int err;

    if (getrandom(&o.seed, sizeof o.seed, 0) != (ssize_t)sizeof o.seed) {
        return apiserver_error(s->error, KVS_E_INTERNAL, "getrandom", "no random bytes");
    }
    err = kube_registry_open(&o, &s->registry);
    if (err == 0) {
        kube_registry_on_ready(s->registry, apiserver_loaded, s);
    }
    return err;
}

static int apiserver_open(struct apiserver *s)
{
    struct paths p;
    int err;

    apiserver_paths(s->options->cert_dir, &p);
    err = apiserver_certificates(s->options, &p, s->error);
    if (err == 0) {
        err = apiserver_open_store(s);
    }
    if (err == 0) {
        err = loop_signal(s->loop, SIGTERM, apiserver_on_signal, s);
    }
    if (err == 0) {
        err = loop_signal(s->loop, SIGINT, apiserver_on_signal, s);
    }
    if (err == 0) {
        err = apiserver_open_registry(s);
    }
    return err;
}

int kube_apiserver_run(const struct kube_apiserver_options *options, struct kvs_error *error)
{
    struct apiserver s = {.options = options, .error = error};
    int err = loop_new(&s.loop);

    if (err == 0) {
        s.log = log_new((enum log_level)options->log_level, LOG_FORMAT_JSON, NULL, NULL);
        err = apiserver_open(&s);
    }
    if (err == 0) {
        loop_run(s.loop);
        err = s.status;
    }
    kube_store_free(s.store);
    kvs_node_close(s.node);
    if (s.loop != NULL) {
        loop_free(s.loop);
    }
    log_free(s.log);
    if (err != 0 && error->code == 0) {
        (void)apiserver_error(error, err, "kube-apiserver", kvs_strerror(err));
    }
    return err;
}
