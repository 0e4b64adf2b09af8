/* del: a key or a range. */
#include "commands.h"
#include "keys.h"
#include "output.h"

const struct flag del_flags[] = {
    {"prefix", NULL, FLAG_BOOL, "false", "delete keys with matching prefix"},
    {"from-key", NULL, FLAG_BOOL, "false", "delete keys that are equal or greater bytewise"},
    {"prev-kv", NULL, FLAG_BOOL, "false", "return deleted key-value pairs"},
    {"range", NULL, FLAG_BOOL, "false", "delete the range [key, range_end)"},
    FLAG_END,
};

int del_request(struct ctl *ctl, struct kvs_delete_req *ret_req, void **ret_memory)
{
    struct kvs_delete_req req = {0};
    int code = keys_range(ctl, "del", &req.key, &req.range_end, ret_memory);

    if (code == 0) {
        req.prev_kv = ctl_bool(ctl, "prev-kv");
        *ret_req = req;
    }
    return code;
}

static int del_run(struct ctl *ctl)
{
    const struct kvs_delete_resp *resp;
    struct kvs_delete_req req;
    struct kvs_error error;
    void *memory = NULL;
    int code = printer_check(ctl, ctl->printer->del != NULL);

    if (code == 0) {
        code = del_request(ctl, &req, &memory);
    }
    if (code == 0 && ctl_client(ctl) == NULL) {
        code = EXIT_BAD_CONNECTION;
    }
    if (code == 0 && kvs_delete_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        code = ctl_fail_kvs(&error);
    } else if (code == 0) {
        ctl->printer->del(ctl, resp);
        kvs_resp_free(resp);
    }
    ctl_free(memory);
    return code;
}

const struct command command_del = {"del", "[options] <key> [range_end]",
                                    "Removes the specified key or range of keys [key, range_end)",
                                    del_flags, del_run};
