/* put: one key; the value comes as an argument or from standard input. */
#include <stdio.h>

#include "commands.h"
#include "keys.h"
#include "output.h"

const struct flag put_flags[] = {
    {"lease", NULL, FLAG_STRING, "0", "lease ID (in hexadecimal) to attach to the key"},
    {"prev-kv", NULL, FLAG_BOOL, "false", "return the previous key-value pair"},
    {"ignore-value", NULL, FLAG_BOOL, "false", "keep the current value"},
    {"ignore-lease", NULL, FLAG_BOOL, "false", "keep the current lease"},
    FLAG_END,
};

static char *read_all(FILE *in, size_t *ret_len)
{
    size_t room = 4096;
    size_t len = 0;
    char *text = ctl_alloc(room);

    for (;;) {
        size_t n = fread(text + len, 1, room - len, in);

        len += n;
        if (n == 0) {
            break;
        }
        if (len == room) {
            room *= 2;
            text = ctl_realloc(text, room);
        }
    }
    *ret_len = len;
    return text;
}

int put_request(struct ctl *ctl, struct kvs_put_req *ret_req, void **ret_memory)
{
    const char *lease_text = ctl_string(ctl, "lease");
    struct kvs_put_req req = {0};
    uint64_t lease = 0;

    *ret_memory = NULL;
    req.ignore_value = ctl_bool(ctl, "ignore-value");
    if (req.ignore_value && ctl->n_args != 1) {
        return ctl_fail(EXIT_BAD_ARGS,
                        "put command needs only 1 argument when 'ignore-value' is set");
    }
    if (ctl->n_args < 1 || ctl->n_args > 2) {
        return ctl_fail(EXIT_BAD_ARGS,
                        "put command needs 1 argument and input from stdin or 2 arguments");
    }
    if (!ctl_parse_hex(lease_text, &lease)) {
        return ctl_fail(EXIT_BAD_ARGS, "bad lease ID (%s), expecting ID in Hex", lease_text);
    }
    req.key = ctl_view(ctl->args[0]);
    if (ctl->n_args == 2) {
        req.value = ctl_view(ctl->args[1]);
    } else if (!req.ignore_value) {
        size_t len;
        char *text = read_all(stdin, &len);

        if (len == 0) {
            ctl_free(text);
            return ctl_fail(EXIT_BAD_ARGS,
                            "put command needs 1 argument and input from stdin or 2 arguments");
        }
        *ret_memory = text;
        req.value = (struct kvs_view){text, len};
    }
    req.lease = (kvs_lease_id)lease;
    req.prev_kv = ctl_bool(ctl, "prev-kv");
    req.ignore_lease = ctl_bool(ctl, "ignore-lease");
    *ret_req = req;
    return 0;
}

static int put_run(struct ctl *ctl)
{
    const struct kvs_put_resp *resp;
    struct kvs_put_req req;
    struct kvs_error error;
    void *memory = NULL;
    int code = printer_check(ctl, ctl->printer->put != NULL);

    if (code == 0) {
        code = put_request(ctl, &req, &memory);
    }
    if (code == 0 && ctl_client(ctl) == NULL) {
        code = EXIT_BAD_CONNECTION;
    }
    if (code == 0 && kvs_put_sync(ctl->client, &req, NULL, &resp, &error) != 0) {
        code = ctl_fail_kvs(&error);
    } else if (code == 0) {
        ctl->printer->put(ctl, resp);
        kvs_resp_free(resp);
    }
    ctl_free(memory);
    return code;
}

const struct command command_put = {
    "put", "[options] <key> <value> (<value> can also be given from stdin)",
    "Puts the given key into the store", put_flags, put_run};
