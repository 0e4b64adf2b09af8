#include "session.h"

#include <stdio.h>

#include "output.h"

static void
keeper_cb(void *ctx, const struct kvs_error *error, const struct kvs_lease_keepalive_resp *resp)
{
    struct session *s = ctx;

    (void)resp;
    if (error->code == KVS_E_LEASE_NOT_FOUND) {
        s->lost = true;
        interrupt_raise(&s->interrupt);
    }
}

int session_open(struct session *s, struct ctl *ctl, int64_t ttl_s)
{
    const struct kvs_lease_grant_req req = {.ttl_s = ttl_s};
    const struct kvs_lease_grant_resp *resp;
    struct kvs_error error;
    int code;

    *s = (struct session){.ctl = ctl};
    code = interrupt_open(&s->interrupt);
    if (code != 0) {
        return code;
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_lease_grant_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail_kvs(&error);
    }
    s->lease = resp->id;
    kvs_resp_free(resp);
    if (kvs_lease_keep(ctl->client, s->lease, keeper_cb, s, &s->keeper) != 0) {
        return ctl_fail(EXIT_ERROR, "out of memory");
    }
    return 0;
}

static void acquired_cb(void *ctx, const struct kvs_error *error, struct kvs_lock *lock)
{
    struct session *s = ctx;

    s->lock = lock;
    s->error = *error;
    s->decided = true;
    interrupt_raise(&s->interrupt);
}

int session_acquire(struct session *s, const char *name, struct kvs_view value)
{
    const struct kvs_call_options options = {.size = sizeof options, .timeout_ms = KVS_NO_TIMEOUT};
    int err =
        kvs_lock_acquire(s->ctl->client, ctl_view(name), s->lease, value, &options, acquired_cb, s);

    if (err != 0) {
        return ctl_fail(EXIT_ERROR, "%s", kvs_strerror(err));
    }
    if (interrupt_wait(&s->interrupt) == INTERRUPT_SIGNAL) {
        return EXIT_INTERRUPTED; /* session_close revokes the lease, and our place with it */
    }
    if (s->lost) {
        return ctl_fail(EXIT_ERROR, "session expired");
    }
    return s->lock != NULL ? 0 : ctl_fail_kvs(&s->error);
}

int session_show(struct session *s)
{
    const struct kvs_range_req req = {.key = kvs_lock_key(s->lock)};
    const struct kvs_range_resp *resp;
    struct kvs_error error;

    if (kvs_range_sync(s->ctl->client, &req, NULL, &resp, &error) != 0) {
        return ctl_fail_kvs(&error);
    }
    s->ctl->printer->range(s->ctl, resp);
    (void)fflush(stdout);
    kvs_resp_free(resp);
    return 0;
}

void session_close(struct session *s)
{
    const struct kvs_lease_revoke_req req = {.id = s->lease};
    const struct kvs_lease_revoke_resp *resp;

    if (s->lock != NULL) {
        (void)kvs_lock_release_sync(s->lock, NULL); /* the revocation below does it as well */
        s->lock = NULL;
    }
    if (s->lease != 0 && kvs_lease_revoke_sync(s->ctl->client, &req, NULL, &resp, NULL) == 0) {
        kvs_resp_free(resp);
    }
    kvs_client_close(s->ctl->client); /* ends the callbacks that know `s` */
    s->ctl->client = NULL;
    if (s->lock != NULL) {
        kvs_lock_forget(s->lock);
    }
}
