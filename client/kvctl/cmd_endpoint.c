/* endpoint health, status, hashkv: each endpoint is asked by itself. */
#include <stdio.h>
#include <time.h>

#include "commands.h"
#include "endpoints.h"
#include "output.h"

#define CLUSTER_FLAG                                                                               \
    {                                                                                              \
        "cluster", NULL, FLAG_BOOL, "false", "use all endpoints of the member list"                \
    }

static const struct flag endpoint_flags[] = {CLUSTER_FLAG, FLAG_END};

static const struct flag hashkv_flags[] = {
    CLUSTER_FLAG,
    {"rev", NULL, FLAG_INT, "0", "maximum revision to hash (default: latest)"},
    FLAG_END,
};

static struct kvs_call_options only(const char *endpoint)
{
    return (struct kvs_call_options){.size = sizeof(struct kvs_call_options), .endpoint = endpoint};
}

static uint64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- health: can it answer a read that needs the cluster's consent ---- */

static bool
ask_health(struct ctl *ctl, const char *endpoint, struct endpoint_health *ret, char **ret_text)
{
    const struct kvs_range_req req = {.key = {"health", 6}};
    const struct kvs_call_options options = only(endpoint);
    const struct kvs_range_resp *resp = NULL;
    struct kvs_error error;
    uint64_t start = now_ns();
    int err = kvs_range_sync(ctl->client, &req, &options, &resp, &error);

    kvs_resp_free(resp);
    ret->endpoint = endpoint;
    ret->healthy = err == 0 || err == KVS_E_PERMISSION; /* it had to agree even on that */
    ret->took_ns = now_ns() - start;
    *ret_text = ctl_strdup(ret->healthy ? "" : error.msg);
    ret->error = *ret_text;
    return ret->healthy;
}

static int health_run(struct ctl *ctl)
{
    struct endpoints e;
    struct endpoint_health *list;
    char **texts;
    bool all_healthy = true;
    int code = printer_check(ctl, ctl->printer->health != NULL);

    if (code == 0) {
        code = endpoints_get(ctl, &e);
    }
    if (code != 0) {
        return code;
    }
    list = ctl_alloc(e.count * sizeof *list);
    texts = ctl_alloc(e.count * sizeof *texts);
    for (size_t i = 0; i < e.count; i++) {
        all_healthy = ask_health(ctl, e.names[i], &list[i], &texts[i]) && all_healthy;
    }
    ctl->printer->health(ctl, list, e.count);
    for (size_t i = 0; i < e.count; i++) {
        ctl_free(texts[i]);
    }
    ctl_free(texts);
    ctl_free(list);
    endpoints_free(&e);
    return all_healthy ? EXIT_OK : ctl_fail(EXIT_ERROR, "unhealthy cluster");
}

/* ---- status ---- */

static int status_run(struct ctl *ctl)
{
    static const struct kvs_status_req req;
    struct endpoints e;
    struct endpoint_status *list;
    size_t count = 0;
    int code = printer_check(ctl, ctl->printer->status != NULL);

    if (code == 0) {
        code = endpoints_get(ctl, &e);
    }
    if (code != 0) {
        return code;
    }
    list = ctl_alloc(e.count * sizeof *list);
    for (size_t i = 0; i < e.count; i++) {
        const struct kvs_call_options options = only(e.names[i]);
        struct kvs_error error;

        if (kvs_status_sync(ctl->client, &req, &options, &list[count].resp, &error) == 0) {
            list[count++].endpoint = e.names[i];
        } else {
            (void)fprintf(stderr, "Failed to get the status of endpoint %s (%s)\n", e.names[i],
                          error.msg);
            code = EXIT_ERROR;
        }
    }
    ctl->printer->status(ctl, list, count);
    for (size_t i = 0; i < count; i++) {
        kvs_resp_free(list[i].resp);
    }
    ctl_free(list);
    endpoints_free(&e);
    return code;
}

/* ---- hashkv ---- */

static int hashkv_run(struct ctl *ctl)
{
    const struct kvs_hash_kv_req req = {.revision = ctl_int(ctl, "rev")};
    struct endpoints e;
    struct endpoint_hash *list;
    size_t count = 0;
    int code = printer_check(ctl, ctl->printer->hash_kv != NULL);

    if (code == 0) {
        code = endpoints_get(ctl, &e);
    }
    if (code != 0) {
        return code;
    }
    list = ctl_alloc(e.count * sizeof *list);
    for (size_t i = 0; i < e.count; i++) {
        const struct kvs_call_options options = only(e.names[i]);
        struct kvs_error error;

        if (kvs_hash_kv_sync(ctl->client, &req, &options, &list[count].resp, &error) == 0) {
            list[count++].endpoint = e.names[i];
        } else {
            (void)fprintf(stderr, "Failed to get the hash of endpoint %s (%s)\n", e.names[i],
                          error.msg);
            code = EXIT_ERROR;
        }
    }
    ctl->printer->hash_kv(ctl, list, count);
    for (size_t i = 0; i < count; i++) {
        kvs_resp_free(list[i].resp);
    }
    ctl_free(list);
    endpoints_free(&e);
    return code;
}

const struct command command_endpoint_health = {"endpoint health", "[options]",
                                                "Checks the healthiness of the endpoints",
                                                endpoint_flags, health_run};
const struct command command_endpoint_status = {"endpoint status", "[options]",
                                                "Prints out the status of the endpoints",
                                                endpoint_flags, status_run};
const struct command command_endpoint_hashkv = {"endpoint hashkv", "[options]",
                                                "Prints the KV history hash for each endpoint",
                                                hashkv_flags, hashkv_run};
