/* Tables, for what comes as one: members, endpoints, snapshots. Headings are centred, cells are
 * flush right, as etcdctl's are. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

enum { COLUMNS_MAX = 12 };

struct table {
    const char *const *headings;
    size_t n_columns;
    char **cells; /* row by row */
    size_t n_cells;
};

static void table_add(struct table *t, const char *text)
{
    t->cells = ctl_realloc(t->cells, (t->n_cells + 1) * sizeof *t->cells);
    t->cells[t->n_cells++] = ctl_strdup(text);
}

static void table_add_u64(struct table *t, uint64_t value, bool hex)
{
    char text[TEXT_SIZE];

    (void)snprintf(text, sizeof text, hex ? "%" PRIx64 : "%" PRIu64, value);
    table_add(t, text);
}

static void table_add_bool(struct table *t, bool value)
{
    table_add(t, value ? "true" : "false");
}

static void put_rule(const size_t *widths, size_t n_columns)
{
    for (size_t c = 0; c < n_columns; c++) {
        (void)fputc('+', stdout);
        for (size_t i = 0; i < widths[c] + 2; i++) {
            (void)fputc('-', stdout);
        }
    }
    (void)puts("+");
}

/* Characters, not bytes: "µs" is one shorter than it looks. */
static size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
    }
    return width;
}

static void put_cell(const char *text, size_t width, bool centred)
{
    size_t spare = width - text_width(text);
    size_t left = centred ? spare / 2 : spare;

    (void)printf("| %*s%s%*s ", (int)left, "", text, (int)(spare - left), "");
}

static void table_print(struct table *t)
{
    size_t widths[COLUMNS_MAX] = {0};

    for (size_t c = 0; c < t->n_columns; c++) {
        widths[c] = text_width(t->headings[c]);
    }
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t width = text_width(t->cells[i]);
        size_t *column = &widths[i % t->n_columns];

        *column = width > *column ? width : *column;
    }
    put_rule(widths, t->n_columns);
    for (size_t c = 0; c < t->n_columns; c++) {
        put_cell(t->headings[c], widths[c], true);
    }
    (void)puts("|");
    put_rule(widths, t->n_columns);
    for (size_t i = 0; i < t->n_cells; i++) {
        put_cell(t->cells[i], widths[i % t->n_columns], false);
        if (i % t->n_columns == t->n_columns - 1) {
            (void)puts("|");
        }
        ctl_free(t->cells[i]);
    }
    put_rule(widths, t->n_columns);
    ctl_free(t->cells);
}

static void table_member_list(const struct ctl *ctl, const struct kvs_member_list_resp *resp)
{
    static const char *const headings[] = {"ID",         "STATUS",       "NAME",
                                           "PEER ADDRS", "CLIENT ADDRS", "IS LEARNER"};
    struct table t = {headings, 6, NULL, 0};

    (void)ctl;
    for (size_t i = 0; i < resp->n_members; i++) {
        const struct kvs_member *m = &resp->members[i];
        char *name = text_join(&m->name, m->name.len > 0 ? 1 : 0);
        char *peers = text_join(m->peer_urls, m->n_peer_urls);
        char *clients = text_join(m->client_urls, m->n_client_urls);

        table_add_u64(&t, m->id, true);
        table_add(&t, m->name.len == 0 ? "unstarted" : "started");
        table_add(&t, name);
        table_add(&t, peers);
        table_add(&t, clients);
        table_add_bool(&t, m->is_learner);
        ctl_free(name);
        ctl_free(peers);
        ctl_free(clients);
    }
    table_print(&t);
}

static void table_health(const struct ctl *ctl, const struct endpoint_health *list, size_t count)
{
    static const char *const headings[] = {"ENDPOINT", "HEALTH", "TOOK", "ERROR"};
    struct table t = {headings, 4, NULL, 0};
    char took[TEXT_SIZE];

    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        table_add(&t, list[i].endpoint);
        table_add_bool(&t, list[i].healthy);
        table_add(&t, text_duration(list[i].took_ns, took));
        table_add(&t, list[i].error);
    }
    table_print(&t);
}

static void table_status(const struct ctl *ctl, const struct endpoint_status *list, size_t count)
{
    static const char *const headings[] = {"ENDPOINT",  "ID",         "VERSION",
                                           "DB SIZE",   "IS LEADER",  "IS LEARNER",
                                           "RAFT TERM", "RAFT INDEX", "RAFT APPLIED INDEX",
                                           "ERRORS"};
    struct table t = {headings, 10, NULL, 0};
    char size[TEXT_SIZE];

    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        const struct kvs_status_resp *s = list[i].resp;
        char errors[512] = "";

        for (size_t e = 0; e < s->n_errors; e++) {
            size_t len = strlen(errors);

            (void)snprintf(errors + len, sizeof errors - len, "%s%s", e > 0 ? ", " : "",
                           s->errors[e]);
        }
        table_add(&t, list[i].endpoint);
        table_add_u64(&t, s->header.member_id, true);
        table_add(&t, s->version != NULL ? s->version : "");
        table_add(&t, text_size((uint64_t)s->db_size_bytes, size));
        table_add_bool(&t, s->leader == s->header.member_id);
        table_add_bool(&t, s->is_learner);
        table_add_u64(&t, s->raft_term, false);
        table_add_u64(&t, s->raft_index, false);
        table_add_u64(&t, s->raft_applied_index, false);
        table_add(&t, errors);
    }
    table_print(&t);
}

static void table_hash_kv(const struct ctl *ctl, const struct endpoint_hash *list, size_t count)
{
    static const char *const headings[] = {"ENDPOINT", "HASH"};
    struct table t = {headings, 2, NULL, 0};

    (void)ctl;
    for (size_t i = 0; i < count; i++) {
        table_add(&t, list[i].endpoint);
        table_add_u64(&t, list[i].resp->hash, false);
    }
    table_print(&t);
}

static void table_snapshot(const struct ctl *ctl, const struct snapshot_info *info)
{
    static const char *const headings[] = {"HASH", "REVISION", "TOTAL KEYS", "TOTAL SIZE"};
    struct table t = {headings, 4, NULL, 0};
    char size[TEXT_SIZE];

    (void)ctl;
    table_add_u64(&t, info->hash, true);
    table_add_u64(&t, (uint64_t)info->revision, false);
    table_add_u64(&t, info->n_keys, false);
    table_add(&t, text_size(info->size_bytes, size));
    table_print(&t);
}

const struct printer printer_table = {
    .name = "table",
    .member_list = table_member_list,
    .health = table_health,
    .status = table_status,
    .hash_kv = table_hash_kv,
    .snapshot = table_snapshot,
};
