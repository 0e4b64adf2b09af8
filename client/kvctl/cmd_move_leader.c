/* move-leader: only the leader can hand its office over, so it is looked for among the endpoints.
 */
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"
#include "endpoints.h"

/* The endpoint whose member leads; NULL if there is none among them. */
static const char *find_leader(struct ctl *ctl, const struct endpoints *e, uint64_t *ret_id)
{
    static const struct kvs_status_req req;

    for (size_t i = 0; i < e->count; i++) {
        const struct kvs_call_options options = {.size = sizeof options, .endpoint = e->names[i]};
        const struct kvs_status_resp *resp;
        bool leads;

        if (kvs_status_sync(ctl->client, &req, &options, &resp, NULL) != 0) {
            continue;
        }
        *ret_id = resp->header.member_id;
        leads = resp->leader == resp->header.member_id;
        kvs_resp_free(resp);
        if (leads) {
            return e->names[i];
        }
    }
    return NULL;
}

static int move(struct ctl *ctl, const struct endpoints *e, uint64_t target)
{
    const struct kvs_move_leader_req req = {.target_id = target};
    const struct kvs_move_leader_resp *resp;
    struct kvs_error error;
    uint64_t leader = 0;
    const struct kvs_call_options options = {.size = sizeof options,
                                             .endpoint = find_leader(ctl, e, &leader)};

    if (options.endpoint == NULL) {
        return ctl_fail(EXIT_BAD_ARGS, "no leader endpoint given at [%s]",
                        ctl_string(ctl, "endpoints"));
    }
    if (kvs_move_leader_sync(ctl->client, &req, &options, &resp, &error) != 0) {
        return ctl_fail_kvs(&error);
    }
    (void)printf("Leadership transferred from %" PRIx64 " to %" PRIx64 "\n", leader, target);
    kvs_resp_free(resp);
    return EXIT_OK;
}

static int move_leader_run(struct ctl *ctl)
{
    struct endpoints e;
    uint64_t target;
    int code;

    if (ctl->n_args != 1) {
        return ctl_fail(EXIT_BAD_ARGS, "move-leader command needs 1 argument");
    }
    if (!ctl_parse_hex(ctl->args[0], &target)) {
        return ctl_fail(EXIT_BAD_ARGS, "bad member ID arg (%s), expecting ID in Hex", ctl->args[0]);
    }
    code = endpoints_get(ctl, &e);
    if (code == 0) {
        code = move(ctl, &e, target);
        endpoints_free(&e);
    }
    return code;
}

const struct command command_move_leader = {"move-leader", "<transferee-member-id>",
                                            "Transfers leadership to another member", NULL,
                                            move_leader_run};
