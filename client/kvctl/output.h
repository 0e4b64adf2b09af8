/* The output formats. Each is a table of functions; an entry that a format does not have is NULL,
 * and the command ends as etcdctl's does ("table not supported as output format"). */
#ifndef KVCTL_OUTPUT_H
#define KVCTL_OUTPUT_H

#include "ctl.h"

struct endpoint_health {
    const char *endpoint;
    bool healthy;
    uint64_t took_ns;
    const char *error;
};

struct endpoint_status {
    const char *endpoint;
    const struct kvs_status_resp *resp;
};

struct endpoint_hash {
    const char *endpoint;
    const struct kvs_hash_kv_resp *resp;
};

struct snapshot_info {
    uint32_t hash; /* the first bytes of the sum */
    int64_t revision;
    uint64_t n_keys;     /* records of all tables, as etcd counts */
    uint64_t size_bytes; /* without the sum */
};

struct printer {
    const char *name;
    void (*range)(const struct ctl *ctl, const struct kvs_range_resp *resp);
    void (*put)(const struct ctl *ctl, const struct kvs_put_resp *resp);
    void (*del)(const struct ctl *ctl, const struct kvs_delete_resp *resp);
    void (*txn)(const struct ctl *ctl, const struct kvs_txn_resp *resp);
    void (*watch)(const struct ctl *ctl, const struct kvs_watch_resp *resp);
    void (*lease_grant)(const struct ctl *ctl, const struct kvs_lease_grant_resp *resp);
    void (*lease_revoke)(const struct ctl *ctl,
                         kvs_lease_id id,
                         const struct kvs_lease_revoke_resp *resp);
    void (*lease_ttl)(const struct ctl *ctl, const struct kvs_lease_ttl_resp *resp, bool keys);
    void (*lease_list)(const struct ctl *ctl, const struct kvs_lease_list_resp *resp);
    void (*lease_keepalive)(const struct ctl *ctl, const struct kvs_lease_keepalive_resp *resp);
    void (*member_list)(const struct ctl *ctl, const struct kvs_member_list_resp *resp);
    void (*member_add)(const struct ctl *ctl, const struct kvs_member_add_resp *resp);
    /* `what`: "removed from", "updated in", "promoted in" */
    void (*member_change)(const struct ctl *ctl,
                          uint64_t id,
                          const char *what,
                          const struct kvs_member_list_resp *resp);
    void (*health)(const struct ctl *ctl, const struct endpoint_health *list, size_t count);
    void (*status)(const struct ctl *ctl, const struct endpoint_status *list, size_t count);
    void (*hash_kv)(const struct ctl *ctl, const struct endpoint_hash *list, size_t count);
    void (*alarms)(const struct ctl *ctl, const struct kvs_alarm_list_resp *resp);
    void (*snapshot)(const struct ctl *ctl, const struct snapshot_info *info);
};

extern const struct printer printer_simple;
extern const struct printer printer_json;
extern const struct printer printer_fields;
extern const struct printer printer_table;
extern const struct printer printer_protobuf;

/* NULL: no such format. */
const struct printer *printer_find(const char *name);

/* The i-th format; NULL after the last. */
const struct printer *printer_at(size_t i);

/* ctl_fail if the chosen format lacks `function`; use as: if ((code = ...) != 0) return code. */
int printer_check(const struct ctl *ctl, bool has_function);

/* ---- words that several formats share ---- */

enum { TEXT_SIZE = 64 };

/* "20 kB" */
const char *text_size(uint64_t bytes, char text[TEXT_SIZE]);
/* "1.501835ms" */
const char *text_duration(uint64_t ns, char text[TEXT_SIZE]);
/* "NOSPACE" */
const char *text_alarm(int type);
/* "a,b" as a string of its own (ctl_free) */
char *text_join(const struct kvs_view *list, size_t count);

#endif
