/* compaction: forgets what is older than a revision. */
#include <inttypes.h>
#include <stdio.h>

#include "commands.h"

static const struct flag compaction_flags[] = {
    {"physical", NULL, FLAG_BOOL, "false", "wait until the old revisions have been removed"},
    FLAG_END,
};

static int compaction_run(struct ctl *ctl)
{
    struct kvs_compact_req req = {.physical = ctl_bool(ctl, "physical")};
    const struct kvs_call_options options = {.size = sizeof options,
                                             .timeout_ms = req.physical ? KVS_NO_TIMEOUT : 0};
    const struct kvs_compact_resp *resp;
    struct kvs_error error;

    if (ctl->n_args != 1) {
        return ctl_fail(EXIT_BAD_ARGS, "compaction command needs 1 argument");
    }
    if (!ctl_parse_i64(ctl->args[0], &req.revision)) {
        return ctl_fail(EXIT_ERROR, "bad revision (%s), expecting a number", ctl->args[0]);
    }
    if (ctl_client(ctl) == NULL) {
        return EXIT_BAD_CONNECTION;
    }
    if (kvs_compact_sync(ctl->client, &req, &options, &resp, &error) != 0) {
        return ctl_fail_kvs(&error);
    }
    (void)printf("compacted revision %" PRId64 "\n", req.revision);
    kvs_resp_free(resp);
    return EXIT_OK;
}

const struct command command_compaction = {"compaction", "[options] <revision>",
                                           "Compacts the event history", compaction_flags,
                                           compaction_run};
