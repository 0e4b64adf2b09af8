/* The remote backend's beginning and end, and the translation of gRPC's errors into ours. */
#include <string.h>

#include "base/alloc.h"
#include "client/remote_int.h"

static const int code_of_status[RPC_STATUS_COUNT] = {
    [RPC_OK] = 0,
    [RPC_CANCELED] = KVS_E_CANCELED,
    [RPC_UNKNOWN] = KVS_E_UNKNOWN,
    [RPC_INVALID_ARGUMENT] = KVS_E_INVALID,
    [RPC_DEADLINE_EXCEEDED] = KVS_E_DEADLINE_EXCEEDED,
    [RPC_NOT_FOUND] = KVS_E_NOT_FOUND,
    [RPC_ALREADY_EXISTS] = KVS_E_INVALID,
    [RPC_PERMISSION_DENIED] = KVS_E_PERMISSION,
    [RPC_RESOURCE_EXHAUSTED] = KVS_E_TOO_LONG,
    [RPC_FAILED_PRECONDITION] = KVS_E_INVALID,
    [RPC_ABORTED] = KVS_E_AGAIN,
    [RPC_OUT_OF_RANGE] = KVS_E_INVALID,
    [RPC_UNIMPLEMENTED] = KVS_E_UNSUPPORTED,
    [RPC_INTERNAL] = KVS_E_INTERNAL,
    [RPC_UNAVAILABLE] = KVS_E_UNAVAILABLE,
    [RPC_DATA_LOSS] = KVS_E_DAMAGED,
    [RPC_UNAUTHENTICATED] = KVS_E_PERMISSION,
};

int remote_code(enum rpc_status status, const char *text)
{
    int code = kvs_err_from_text(text);

    if (code != KVS_E_UNKNOWN) {
        return code;
    }
    return (unsigned)status < RPC_STATUS_COUNT ? code_of_status[status] : KVS_E_UNKNOWN;
}

static void remote_free(struct client_backend *b)
{
    struct remote *r = container_of(b, struct remote, base);

    endpoint_free_all(r);
    loop_task_cancel(&r->wake);
    tls_context_free(r->tls);
    kvs_free(r);
}

static const struct client_backend_ops remote_ops = {
    .call = remote_call,
    .call_cancel = remote_call_cancel,
    .stream_open = remote_stream_open,
    .stream_send = remote_stream_send,
    .stream_pause = remote_stream_pause,
    .stream_resume = remote_stream_resume,
    .stream_cancel = remote_stream_cancel,
    .free = remote_free,
};

static int make_tls(struct remote *r, const struct kvs_client_tls *tls, struct kvs_error *ret_error)
{
    struct tls_options options = {
        .cert_file = tls->cert_file,
        .key_file = tls->key_file,
        .ca_file = tls->ca_file,
        .server_name = tls->server_name,
        .insecure_skip_verify = tls->skip_verify,
    };

    return tls_context_new_client(&options, &r->tls, ret_error);
}

/* "a:2379, https://b:2379" -> endpoints. */
static int add_endpoints(struct remote *r, const char *list, struct kvs_error *ret_error)
{
    while (*list != '\0') {
        size_t len = strcspn(list, ",");
        size_t skip = strspn(list, " ");
        char name[REMOTE_NAME_MAX];
        struct endpoint *ep;
        int err;

        skip = skip < len ? skip : len;
        if (len - skip >= sizeof name) {
            return client_error_set(ret_error, KVS_E_ADDRESS, "an endpoint is too long");
        }
        memcpy(name, list + skip, len - skip);
        name[len - skip] = '\0';
        if (len > skip) {
            err = endpoint_get(r, name, true, &ep, ret_error);
            if (err != 0) {
                return err;
            }
        }
        list += len + (list[len] == ',' ? 1 : 0);
    }
    if (r->n_endpoints == 0) {
        return client_error_set(ret_error, KVS_E_ADDRESS, "no endpoint is given");
    }
    return 0;
}

static bool wants_tls(const struct kvs_client_options *options)
{
    return options->use_tls || options->tls.ca_file != NULL || options->tls.cert_file != NULL ||
           options->tls.skip_verify || strstr(options->endpoints, "https://") != NULL;
}

int client_remote_new(struct kvs_client *c,
                      const struct kvs_client_options *options,
                      struct client_backend **ret_backend,
                      struct kvs_error *ret_error)
{
    struct remote *r = kvs_calloc(1, sizeof *r);
    int err = 0;

    if (r == NULL) {
        return KVS_E_NOMEM;
    }
    r->base.ops = &remote_ops;
    r->base.client = c;
    list_init(&r->waiters);
    loop_task_init(&r->wake, NULL);
    r->use_tls = options->use_tls;
    r->require_leader = options->require_leader;
    r->dial_timeout_ms = options->dial_timeout_ms;
    r->keepalive_time_ms = options->keepalive_time_ms;
    r->keepalive_timeout_ms = options->keepalive_timeout_ms;
    r->recv_max_bytes = options->recv_max_bytes;
    if (wants_tls(options)) {
        err = make_tls(r, &options->tls, ret_error);
    }
    if (err == 0) {
        err = add_endpoints(r, options->endpoints, ret_error);
    }
    if (err != 0) {
        remote_free(&r->base);
        return err;
    }
    *ret_backend = &r->base;
    return 0;
}
