/* One of many: campaigns, does its work while it leads, and hands over when it ends. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kvstore/client.h>

enum { LEASE_TTL_S = 5 };

/* Runs on the client's thread. Without the lease we do not lead any more: stop at once. */
static void
lease_cb(void *ctx, const struct kvs_error *error, const struct kvs_lease_keepalive_resp *resp)
{
    (void)resp;
    if (error->code == KVS_E_LEASE_NOT_FOUND) {
        atomic_store((atomic_bool *)ctx, true);
    }
}

static int lead(struct kvs_client *client, const char *me, int seconds, struct kvs_error *error)
{
    const struct kvs_lease_grant_req grant = {.ttl_s = LEASE_TTL_S};
    const struct kvs_lease_grant_resp *lease;
    struct kvs_lease_keeper *keeper;
    struct kvs_lock *office;
    static atomic_bool lost;
    int err = kvs_lease_grant_sync(client, &grant, NULL, &lease, error);

    if (err == 0) {
        err = kvs_lease_keep(client, lease->id, lease_cb, &lost, &keeper);
    }
    if (err == 0) {
        err = kvs_lock_acquire_sync(client, (struct kvs_view){"example", 7}, lease->id,
                                    (struct kvs_view){me, strlen(me)}, NULL, &office, error);
    }
    if (err != 0) {
        return err;
    }
    (void)printf("%s leads since revision %lld\n", me, (long long)kvs_lock_revision(office));
    (void)fflush(stdout);
    for (int i = 0; i < seconds && !atomic_load(&lost); i++) {
        (void)sleep(1); /* the work; writes compare kvs_lock_key's create revision */
    }
    kvs_lease_keeper_stop(keeper);
    kvs_resp_free(lease);
    return kvs_lock_release_sync(office, error);
}

int main(int argc, char **argv)
{
    struct kvs_client_options options;
    struct kvs_client *client;
    struct kvs_error error = {0, "out of memory"};
    int err;

    kvs_client_options_init(&options);
    options.endpoints = argc > 1 ? argv[1] : "127.0.0.1:2379";
    err = kvs_client_open(&options, &client, &error);
    if (err == 0) {
        err = lead(client, argc > 2 ? argv[2] : "somebody", 3, &error);
        kvs_client_close(client);
    }
    if (err != 0) {
        (void)fprintf(stderr, "election: %s\n", error.msg);
    }
    return err == 0 ? 0 : 1;
}
