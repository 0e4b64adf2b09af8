/* kube-apiserver: the API server as a program, with Kubernetes' flags where there are such.
 *
 * Everything but the command line is in lib/kube/api; see kube/api/apiserver.h. */
#include <signal.h>
#include <stdio.h>

#include "kube/api/apiserver.h"
#include "kube/version.h"
#include "shared/flags.h"
#include "shared/notify.h"

struct arguments {
    struct kube_apiserver_options options;
    unsigned port;
    const char *log_level;
    bool version;
    bool help;
};

static void main_ready(void *ctx, uint16_t port)
{
    (void)ctx;
    (void)port;
    notify_service_manager("READY=1");
}

static int main_parse(struct arguments *a, int argc, char **argv, struct kvs_error *error)
{
    struct kube_apiserver_options *o = &a->options;
    const struct flag table[] = {
        {"Store", "store", FLAG_STRING, &o->store, "embedded:default.keelson",
         "embedded:DIR, or the store's endpoints: https://a:2379,https://b:2379"},
        {NULL, "etcd-servers", FLAG_STRING, &o->store, "", "the same, as Kubernetes calls it"},
        {NULL, "etcd-cafile", FLAG_STRING, &o->store_tls.ca_file, "", "CA of the store's servers"},
        {NULL, "etcd-certfile", FLAG_STRING, &o->store_tls.cert_file, "", "identity for the store"},
        {NULL, "etcd-keyfile", FLAG_STRING, &o->store_tls.key_file, "", "its key"},
        {"Serving", "bind-address", FLAG_STRING, &o->bind_address, "0.0.0.0", "where to listen"},
        {NULL, "secure-port", FLAG_UINT, &a->port, "6443", "port; 0: any free one"},
        {NULL, "advertise-address", FLAG_STRING, &o->advertise_address, "127.0.0.1",
         "where clients reach this server"},
        {NULL, "cert-dir", FLAG_STRING, &o->cert_dir, "default.keelson/pki",
         "CA and certificates; made here at the first start"},
        {NULL, "write-kubeconfig", FLAG_STRING, &o->kubeconfig, "",
         "file for the administrator's kubeconfig"},
        {"Other", "version", FLAG_BOOL, &a->version, "", "print the version and end"},
        {NULL, "help", FLAG_BOOL, &a->help, "", "print this and end"},
    };
    const struct flags flags = {
        .table = table, .n = sizeof table / sizeof table[0], .env_prefix = "KEELSON_APISERVER_"};
    int err = flags_parse(&flags, argc, argv, error);

    if (err == 0 && a->port > UINT16_MAX) {
        error->code = KVS_E_INVALID;
        (void)snprintf(error->msg, sizeof error->msg, "--secure-port: at most %u", UINT16_MAX);
        err = KVS_E_INVALID;
    }
    if (err == 0 && a->help) {
        flags_print(&flags);
    }
    o->port = (uint16_t)a->port;
    return err;
}

int main(int argc, char **argv)
{
    struct arguments a = {.port = 6443};
    struct kvs_error error = {0};

    kube_apiserver_options_init(&a.options);
    a.options.ready = main_ready;
    if (main_parse(&a, argc, argv, &error) != 0) {
        (void)fprintf(stderr, "kube-apiserver: %s\n", error.msg);
        return 2;
    }
    if (a.help) {
        return 0;
    }
    if (a.version) {
        (void)printf("Kubernetes %s\n", KUBE_VERSION);
        return 0;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (kube_apiserver_run(&a.options, &error) != 0) {
        (void)fprintf(stderr, "kube-apiserver: %s\n", error.msg);
        return 1;
    }
    return 0;
}
