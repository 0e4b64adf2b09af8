/* defrag: asks each endpoint; needed by no store of ours, kept for scripts. */
#include <stdio.h>

#include "commands.h"
#include "endpoints.h"

static const struct flag defrag_flags[] = {
    {"cluster", NULL, FLAG_BOOL, "false", "use all endpoints of the member list"},
    FLAG_END,
};

static int defrag_run(struct ctl *ctl)
{
    static const struct kvs_defragment_req req;
    struct endpoints e;
    int code = endpoints_get(ctl, &e);

    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < e.count; i++) {
        const struct kvs_call_options options = {
            .size = sizeof options, .timeout_ms = KVS_NO_TIMEOUT, .endpoint = e.names[i]};
        const struct kvs_defragment_resp *resp;
        struct kvs_error error;

        if (kvs_defragment_sync(ctl->client, &req, &options, &resp, &error) == 0) {
            (void)printf("Finished defragmenting etcd member[%s]\n", e.names[i]);
            kvs_resp_free(resp);
        } else {
            (void)fprintf(stderr, "Failed to defragment etcd member[%s] (%s)\n", e.names[i],
                          error.msg);
            code = EXIT_ERROR;
        }
    }
    endpoints_free(&e);
    return code;
}

const struct command command_defrag = {
    "defrag", "[options]", "Defragments the storage of the members", defrag_flags, defrag_run};
