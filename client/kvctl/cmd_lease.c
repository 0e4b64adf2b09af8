/* lease grant, revoke, timetolive, list, keep-alive. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "interrupt.h"
#include "output.h"

static const struct flag timetolive_flags[] = {
    {"keys", NULL, FLAG_BOOL, "false", "get the keys attached to this lease"},
    FLAG_END,
};

static const struct flag keep_alive_flags[] = {
    {"once", NULL, FLAG_BOOL, "false", "renew once and end"},
    FLAG_END,
};

/* The one argument of most of these commands. 0 or an exit code. */
static int lease_argument(struct ctl *ctl, const char *command, kvs_lease_id *ret_id)
{
    uint64_t id;

    if (ctl->n_args != 1) {
        return ctl_fail(EXIT_BAD_ARGS, "%s command needs %s argument", command,
                        strcmp(command, "lease revoke") == 0 ? "1" : "lease ID as");
    }
    if (!ctl_parse_hex(ctl->args[0], &id)) {
        return ctl_fail(EXIT_BAD_ARGS, "bad lease ID arg (%s), expecting ID in Hex", ctl->args[0]);
    }
    *ret_id = (kvs_lease_id)id;
    return 0;
}

/* ---- grant ---- */

static int grant_run(struct ctl *ctl)
{
    const struct kvs_lease_grant_resp *resp;
    struct kvs_lease_grant_req req = {0};
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->lease_grant != NULL);

    if (code != 0) {
        return code;
    }
    if (ctl->n_args != 1) {
        return ctl_fail(EXIT_BAD_ARGS, "lease grant command needs TTL argument");
    }
    if (!ctl_parse_i64(ctl->args[0], &req.ttl_s)) {
        return ctl_fail(EXIT_BAD_ARGS, "bad TTL (%s)", ctl->args[0]);
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_lease_grant_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail(EXIT_ERROR, "failed to grant lease (%s)", error.msg);
    }
    ctl->printer->lease_grant(ctl, resp);
    kvs_resp_free(resp);
    return EXIT_OK;
}

/* ---- revoke ---- */

static int revoke_run(struct ctl *ctl)
{
    const struct kvs_lease_revoke_resp *resp;
    struct kvs_lease_revoke_req req;
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->lease_revoke != NULL);

    if (code == 0) {
        code = lease_argument(ctl, "lease revoke", &req.id);
    }
    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_lease_revoke_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail(EXIT_ERROR, "failed to revoke lease (%s)", error.msg);
    }
    ctl->printer->lease_revoke(ctl, req.id, resp);
    kvs_resp_free(resp);
    return EXIT_OK;
}

/* ---- timetolive ---- */

static int timetolive_run(struct ctl *ctl)
{
    const struct kvs_lease_ttl_resp *resp;
    struct kvs_lease_ttl_req req = {.keys = ctl_bool(ctl, "keys")};
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->lease_ttl != NULL);

    if (code == 0) {
        code = lease_argument(ctl, "lease timetolive", &req.id);
    }
    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_lease_ttl_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail(EXIT_BAD_CONNECTION, "%s", error.msg);
    }
    ctl->printer->lease_ttl(ctl, resp, req.keys);
    kvs_resp_free(resp);
    return EXIT_OK;
}

/* ---- list ---- */

static int list_run(struct ctl *ctl)
{
    static const struct kvs_lease_list_req req;
    const struct kvs_lease_list_resp *resp;
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->lease_list != NULL);

    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_lease_list_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail(EXIT_BAD_CONNECTION, "%s", error.msg);
    }
    ctl->printer->lease_list(ctl, resp);
    kvs_resp_free(resp);
    return EXIT_OK;
}

/* ---- keep-alive ---- */

static int keep_alive_once(struct ctl *ctl, kvs_lease_id id)
{
    const struct kvs_lease_keepalive_req req = {.id = id};
    const struct kvs_lease_keepalive_resp *resp;
    struct kvs_error error;

    if (kvs_lease_keepalive_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail(EXIT_BAD_CONNECTION, "%s", error.msg);
    }
    if (resp->ttl_s == 0) {
        kvs_resp_free(resp);
        return ctl_fail(EXIT_BAD_CONNECTION, "%s", kvs_strerror(KVS_E_LEASE_NOT_FOUND));
    }
    ctl->printer->lease_keepalive(ctl, resp);
    kvs_resp_free(resp);
    return EXIT_OK;
}

struct keeping {
    struct ctl *ctl;
    struct interrupt interrupt;
};

static void
keeping_cb(void *ctx, const struct kvs_error *error, const struct kvs_lease_keepalive_resp *resp)
{
    struct keeping *k = ctx;

    if (error->code == 0) {
        k->ctl->printer->lease_keepalive(k->ctl, resp);
        (void)fflush(stdout);
    } else {
        interrupt_raise(&k->interrupt);
    }
}

static int keep_alive_run(struct ctl *ctl)
{
    struct kvs_lease_keeper *keeper;
    struct keeping k = {.ctl = ctl};
    kvs_lease_id id;
    int code = printer_check(ctl, ctl->printer->lease_keepalive != NULL);

    if (code == 0) {
        code = lease_argument(ctl, "lease keep-alive", &id);
    }
    if (code == 0) {
        code = interrupt_open(&k.interrupt);
    }
    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (ctl_bool(ctl, "once")) {
        return keep_alive_once(ctl, id);
    }
    if (kvs_lease_keep(ctl->client, id, keeping_cb, &k, &keeper) != 0) {
        return ctl_fail(EXIT_ERROR, "out of memory");
    }
    if (interrupt_wait(&k.interrupt) == INTERRUPT_RAISED) {
        (void)printf("lease %016" PRIx64 " expired or revoked.\n", (uint64_t)id);
        return EXIT_OK;
    }
    kvs_client_close(ctl->client); /* ends the keeper while `k` is still there */
    ctl->client = NULL;
    return EXIT_INTERRUPTED;
}

const struct command command_lease_grant = {"lease grant", "<ttl>", "Creates leases", NULL,
                                            grant_run};
const struct command command_lease_revoke = {"lease revoke", "<leaseID>", "Revokes leases", NULL,
                                             revoke_run};
const struct command command_lease_timetolive = {"lease timetolive", "<leaseID> [options]",
                                                 "Get lease information", timetolive_flags,
                                                 timetolive_run};
const struct command command_lease_list = {"lease list", "", "List all active leases", NULL,
                                           list_run};
const struct command command_lease_keep_alive = {"lease keep-alive", "[options] <leaseID>",
                                                 "Keeps leases alive (renew)", keep_alive_flags,
                                                 keep_alive_run};
