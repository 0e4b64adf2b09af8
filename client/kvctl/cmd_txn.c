/* txn: comparisons, then the operations for success, then those for failure, each list ended by an
 * empty line; the operations are written as the commands get, put and del. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "keys.h"
#include "output.h"
#include "quote.h"

enum { LINE_MAX_BYTES = 2 << 20 };

static const struct flag txn_flags[] = {
    {"interactive", "i", FLAG_BOOL, "false", "prompt for the lines"},
    FLAG_END,
};

/* One line of input without its end; NULL at the end of the input. */
static char *read_line(char *line)
{
    if (fgets(line, LINE_MAX_BYTES, stdin) == NULL) {
        return NULL;
    }
    line[strcspn(line, "\n")] = '\0';
    return line;
}

static const char *skip_spaces(const char *at)
{
    while (isspace((unsigned char)*at)) {
        at++;
    }
    return at;
}

/* ---- comparisons: target("key") op "value" ---- */

static int parse_target(const char *name, size_t len)
{
    static const struct {
        const char *name;
        int target;
    } targets[] = {
        {"ver", KVS_COMPARE_VERSION}, {"version", KVS_COMPARE_VERSION},
        {"c", KVS_COMPARE_CREATE},    {"create", KVS_COMPARE_CREATE},
        {"m", KVS_COMPARE_MOD},       {"mod", KVS_COMPARE_MOD},
        {"val", KVS_COMPARE_VALUE},   {"value", KVS_COMPARE_VALUE},
        {"lease", KVS_COMPARE_LEASE},
    };

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        if (strlen(targets[i].name) == len && strncmp(targets[i].name, name, len) == 0) {
            return targets[i].target;
        }
    }
    return -1;
}

static const char *parse_op(const char *at, int *ret_result)
{
    if (strncmp(at, "!=", 2) == 0) {
        *ret_result = KVS_COMPARE_NOT_EQUAL;
        return at + 2;
    }
    switch (*at) {
    case '=':
        *ret_result = KVS_COMPARE_EQUAL;
        return at + 1;
    case '>':
        *ret_result = KVS_COMPARE_GREATER;
        return at + 1;
    case '<':
        *ret_result = KVS_COMPARE_LESS;
        return at + 1;
    default:
        return NULL;
    }
}

static bool parse_operand(struct kvs_compare *c, const char *text, size_t len)
{
    uint64_t lease;

    if (c->target == KVS_COMPARE_VALUE) {
        c->value = (struct kvs_view){text, len};
        return true;
    }
    if (c->target == KVS_COMPARE_LEASE) {
        bool ok = ctl_parse_hex(text, &lease);

        c->number = (int64_t)lease;
        return ok;
    }
    return ctl_parse_i64(text, &c->number);
}

/* `key` and `value` have room for the whole line. */
static int parse_compare(const char *line, char *key, char *value, struct kvs_compare *ret_compare)
{
    const char *paren = strchr(line, '(');
    const char *at = skip_spaces(line);
    struct kvs_compare c = {0};
    size_t key_len;
    size_t value_len;
    size_t name_len = paren != NULL ? (size_t)(paren - at) : 0;

    while (name_len > 0 && isspace((unsigned char)at[name_len - 1])) {
        name_len--;
    }
    c.target = parse_target(at, name_len);
    if (paren == NULL || c.target < 0) {
        return ctl_fail(EXIT_INVALID_INPUT, "malformed comparison: %s (unknown target %.*s)", line,
                        (int)name_len, at);
    }
    at = skip_spaces(paren + 1);
    if (!quote_read(&at, key, &key_len) || *(at = skip_spaces(at)) != ')' ||
        (at = parse_op(skip_spaces(at + 1), &c.result)) == NULL) {
        return ctl_fail(EXIT_INVALID_INPUT, "malformed comparison: %s", line);
    }
    at = skip_spaces(at);
    if (!quote_read(&at, value, &value_len) || *skip_spaces(at) != '\0') {
        return ctl_fail(EXIT_INVALID_INPUT, "malformed comparison: %s", line);
    }
    value[value_len] = '\0';
    c.key = (struct kvs_view){key, key_len};
    if (!parse_operand(&c, value, value_len)) {
        return ctl_fail(EXIT_INVALID_INPUT, "invalid txn compare request: %s", line);
    }
    *ret_compare = c;
    return 0;
}

static int read_compares(struct kvs_txn_builder *b, char *line)
{
    while (read_line(line) != NULL && *skip_spaces(line) != '\0') {
        size_t room = strlen(line) + 1;
        struct kvs_compare compare;
        char *key = ctl_alloc(room);
        char *value = ctl_alloc(room);
        int code = parse_compare(line, key, value, &compare);

        if (code == 0) {
            kvs_txn_builder_if(b, &compare);
        }
        ctl_free(key);
        ctl_free(value);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

/* ---- operations ---- */

static int parse_op_words(struct ctl *ctl, const char *name, struct kvs_op *op, void **ret_memory)
{
    if (strcmp(name, "get") == 0) {
        op->type = KVS_OP_RANGE;
        return get_request(ctl, &op->u.range, ret_memory);
    }
    if (strcmp(name, "put") == 0) {
        op->type = KVS_OP_PUT;
        return put_request(ctl, &op->u.put, ret_memory);
    }
    op->type = KVS_OP_DELETE;
    return del_request(ctl, &op->u.del, ret_memory);
}

static int read_op(struct kvs_txn_builder *b,
                   char *line,
                   void (*add)(struct kvs_txn_builder *b, const struct kvs_op *op))
{
    struct ctl sub = {.dash_at = -1};
    char *words[ARGS_MAX];
    char *copy = ctl_strdup(line);
    int n_words = quote_split(copy, words, ARGS_MAX);
    const struct flag *flags = strcmp(words[0], "get") == 0   ? get_flags
                               : strcmp(words[0], "put") == 0 ? put_flags
                               : strcmp(words[0], "del") == 0 ? del_flags
                                                              : NULL;
    struct kvs_op op = {.type = KVS_OP_NONE};
    void *memory = NULL;
    int code;

    flags_add(&sub.flags, flags);
    if (flags == NULL || ctl_parse(&sub, n_words - 1, words + 1) != 0) {
        code = ctl_fail(EXIT_INVALID_INPUT, "invalid txn request: %s", line);
    } else {
        code = parse_op_words(&sub, words[0], &op, &memory);
    }
    if (code == 0) {
        add(b, &op);
    }
    ctl_free(memory);
    ctl_free(copy);
    return code;
}

static int read_ops(struct kvs_txn_builder *b,
                    char *line,
                    void (*add)(struct kvs_txn_builder *b, const struct kvs_op *op))
{
    while (read_line(line) != NULL && *skip_spaces(line) != '\0') {
        int code = read_op(b, line, add);

        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static void prompt(struct ctl *ctl, const char *text)
{
    if (ctl_bool(ctl, "interactive")) {
        (void)puts(text);
        (void)fflush(stdout);
    }
}

static int read_txn(struct ctl *ctl, struct kvs_txn_builder *b)
{
    char *line = ctl_alloc(LINE_MAX_BYTES);
    int code;

    prompt(ctl, "compares:");
    code = read_compares(b, line);
    if (code == 0) {
        prompt(ctl, "success requests (get, put, del):");
        code = read_ops(b, line, kvs_txn_builder_then);
    }
    if (code == 0) {
        prompt(ctl, "failure requests (get, put, del):");
        code = read_ops(b, line, kvs_txn_builder_else);
    }
    ctl_free(line);
    return code;
}

static int txn_run(struct ctl *ctl)
{
    struct kvs_txn_builder *b;
    const struct kvs_txn_req *req;
    const struct kvs_txn_resp *resp;
    struct kvs_error error;
    int code = printer_check(ctl, ctl->printer->txn != NULL);

    if (code == 0 && ctl->n_args != 0) {
        code = ctl_fail(EXIT_BAD_ARGS, "txn command does not accept argument");
    }
    if (code != 0) {
        return code;
    }
    b = kvs_txn_builder_new();
    if (b == NULL) {
        return ctl_fail(EXIT_ERROR, "out of memory");
    }
    code = read_txn(ctl, b);
    req = kvs_txn_builder_req(b);
    if (code == 0 && req == NULL) {
        code = ctl_fail(EXIT_ERROR, "out of memory");
    }
    if (code == 0 && ctl_client(ctl) == NULL) {
        code = EXIT_BAD_CONNECTION;
    }
    if (code == 0 && kvs_txn_sync(ctl->client, req, NULL, &resp, &error) != 0) {
        code = ctl_fail_kvs(&error);
    } else if (code == 0) {
        ctl->printer->txn(ctl, resp);
        kvs_resp_free(resp);
    }
    kvs_txn_builder_free(b);
    return code;
}

const struct command command_txn = {
    "txn", "[options]", "Txn processes all the requests in one transaction", txn_flags, txn_run};
