/* get: a key or a range; with --watch also what happens to it afterwards. */
#include <string.h>
#include <strings.h>

#include "commands.h"
#include "keys.h"
#include "output.h"
#include "watching.h"

const struct flag get_flags[] = {
    {"consistency", NULL, FLAG_STRING, "l", "Linearizable(l) or Serializable(s)"},
    {"order", NULL, FLAG_STRING, "", "order of results; ASCEND or DESCEND (ASCEND by default)"},
    {"sort-by", NULL, FLAG_STRING, "", "sort target; CREATE, KEY, MODIFY, VALUE, or VERSION"},
    {"limit", NULL, FLAG_INT, "0", "maximum number of results"},
    {"prefix", NULL, FLAG_BOOL, "false", "get keys with matching prefix"},
    {"from-key", NULL, FLAG_BOOL, "false", "get keys that are equal or greater bytewise"},
    {"rev", NULL, FLAG_INT, "0", "the revision to read"},
    {"keys-only", NULL, FLAG_BOOL, "false", "get only the keys"},
    {"count-only", NULL, FLAG_BOOL, "false", "get only the count"},
    {"print-value-only", NULL, FLAG_BOOL, "false", "only write values (format simple)"},
    {"min-create-rev", NULL, FLAG_INT, "0", "only keys created at or after"},
    {"max-create-rev", NULL, FLAG_INT, "0", "only keys created at or before"},
    {"min-mod-rev", NULL, FLAG_INT, "0", "only keys changed last at or after"},
    {"max-mod-rev", NULL, FLAG_INT, "0", "only keys changed last at or before"},
    {"watch", NULL, FLAG_BOOL, "false", "go on with a watch, without a gap"},
    FLAG_END,
};

/* -1: not in the list. */
static int find_word(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(words[i], word) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int sort_request(struct ctl *ctl, struct kvs_range_req *req)
{
    static const char *const orders[] = {"", "ASCEND", "DESCEND"};
    static const char *const targets[] = {"KEY", "VERSION", "CREATE", "MODIFY", "VALUE"};
    const char *order = ctl_string(ctl, "order");
    const char *target = ctl_string(ctl, "sort-by");

    req->sort_order = find_word(orders, 3, order);
    if (req->sort_order < 0) {
        return ctl_fail(EXIT_BAD_FEATURE, "bad sort order %s", order);
    }
    req->sort_target = *target == '\0' ? KVS_SORT_KEY : find_word(targets, 5, target);
    if (req->sort_target < 0) {
        return ctl_fail(EXIT_BAD_FEATURE, "bad sort target %s", target);
    }
    if (req->sort_target == KVS_SORT_KEY && req->sort_order == KVS_SORT_ASCEND) {
        req->sort_order = KVS_SORT_NONE; /* that is the store's own order */
    }
    return 0;
}

int get_request(struct ctl *ctl, struct kvs_range_req *ret_req, void **ret_memory)
{
    const char *consistency = ctl_string(ctl, "consistency");
    struct kvs_range_req req = {0};
    int code = keys_range(ctl, "get", &req.key, &req.range_end, ret_memory);

    if (code == 0) {
        code = sort_request(ctl, &req);
    }
    if (code == 0 && strcmp(consistency, "l") != 0 && strcmp(consistency, "s") != 0) {
        code = ctl_fail(EXIT_BAD_FEATURE, "unknown consistency flag \"%s\"", consistency);
    }
    if (code == 0 && ctl_bool(ctl, "keys-only") && ctl_bool(ctl, "count-only")) {
        code =
            ctl_fail(EXIT_BAD_ARGS,
                     "`--keys-only` and `--count-only` cannot be set at the same time, choose one");
    }
    if (code != 0) {
        return code;
    }
    req.serializable = strcmp(consistency, "s") == 0;
    req.limit = ctl_int(ctl, "limit");
    req.revision = ctl_int(ctl, "rev");
    req.keys_only = ctl_bool(ctl, "keys-only");
    req.count_only = ctl_bool(ctl, "count-only");
    req.min_create_revision = ctl_int(ctl, "min-create-rev");
    req.max_create_revision = ctl_int(ctl, "max-create-rev");
    req.min_mod_revision = ctl_int(ctl, "min-mod-rev");
    req.max_mod_revision = ctl_int(ctl, "max-mod-rev");
    *ret_req = req;
    return 0;
}

/* The watch begins right behind the revision that the list was read at. */
static int
follow(struct ctl *ctl, const struct kvs_range_req *req, const struct kvs_range_resp *resp)
{
    struct kvs_watch_create_req watch = {
        .key = req->key,
        .range_end = req->range_end,
        .start_revision = (req->revision > 0 ? req->revision : resp->header.revision) + 1,
    };

    if (!printer_check(ctl, ctl->printer->watch != NULL)) {
        return watching_run(ctl, &watch, NULL);
    }
    return EXIT_BAD_FEATURE;
}

static int get_run(struct ctl *ctl)
{
    const struct kvs_range_resp *resp;
    struct kvs_range_req req;
    struct kvs_error error;
    void *memory = NULL;
    int code = get_request(ctl, &req, &memory);

    if (code == 0 && ctl_bool(ctl, "print-value-only") &&
        strcmp(ctl->printer->name, "simple") != 0) {
        code = ctl_fail(EXIT_BAD_ARGS, "print-value-only is only for `--write-out=simple`");
    }
    if (code == 0) {
        code = printer_check(ctl, ctl->printer->range != NULL);
    }
    if (code == 0 && ctl_client(ctl) == NULL) {
        code = EXIT_BAD_CONNECTION;
    }
    if (code == 0 && kvs_range_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        code = ctl_fail_kvs(&error);
    } else if (code == 0) {
        ctl->printer->range(ctl, resp);
        if (ctl_bool(ctl, "watch")) {
            code = follow(ctl, &req, resp);
        }
        kvs_resp_free(resp);
    }
    ctl_free(memory);
    return code;
}

const struct command command_get = {"get", "[options] <key> [range_end]",
                                    "Gets the key or a range of keys", get_flags, get_run};
