/* A naive model of the multi-version store: every version ever written, in one array, and nothing
 * clever. Shared by the unit test (seeded) and the fuzzer (bytes), which drive it next to the real
 * store and compare everything that can be asked. */
#ifndef TEST_MVCC_MODEL_H
#define TEST_MVCC_MODEL_H

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kvstore/types.h"

#define MODEL_VERSIONS_MAX 20000
#define MODEL_KEYS_MAX     256

struct model_version {
    int key;
    bool tombstone;
    kvs_revision main;
    kvs_revision create;
    int64_t version;
    kvs_lease_id lease;
    unsigned value; /* values are made from this number */
    int prev;       /* index of the live version that it replaced, or -1 */
};

struct model {
    struct kvs_view keys[MODEL_KEYS_MAX]; /* all that are ever used, sorted */
    int n_keys;
    struct model_version *versions;
    int n_versions;
    kvs_revision revision;
    kvs_revision compact; /* -1: never */
    bool in_txn;
    int txn_changes;
};

/* Values of many sizes, some larger than a page, made from one number. */
static inline size_t model_value(unsigned value, char *buffer)
{
    size_t len = value % 97 == 0 ? 5000 : value % 31;

    memset(buffer, (int)('a' + value % 26), len);
    if (len >= 4) {
        memcpy(buffer, &value, 4);
    }
    return len;
}

#define MODEL_VALUE_MAX 5000

static inline int model_compare_views(const void *a, const void *b)
{
    return view_compare(*(const struct kvs_view *)a, *(const struct kvs_view *)b);
}

static inline struct kvs_view model_own(const char *bytes, size_t len)
{
    char *copy = malloc(len);

    kvs_assert(copy != NULL);
    memcpy(copy, bytes, len);
    return view_make(copy, len);
}

/* Short keys with common prefixes, keys around the limit of LMDB, and long ones that differ only
 * far behind it. */
static inline void model_init(struct model *m)
{
    char bytes[1200];

    *m = (struct model){.revision = 1, .compact = -1};
    m->versions = malloc(MODEL_VERSIONS_MAX * sizeof *m->versions);
    kvs_assert(m->versions != NULL);
    for (int i = 0; i < 24; i++) {
        int len = snprintf(bytes, sizeof bytes, "/reg/%c/%d", 'a' + i % 3, i);

        m->keys[m->n_keys++] = model_own(bytes, (size_t)len);
    }
    memset(bytes, 'q', sizeof bytes);
    for (size_t len = 478; len <= 484; len++) {
        m->keys[m->n_keys++] = model_own(bytes, len);
    }
    for (int i = 0; i < 10; i++) {
        bytes[700] = (char)('a' + i);
        m->keys[m->n_keys++] = model_own(bytes, 701 + (size_t)i * 40);
    }
    m->keys[m->n_keys++] = model_own("\0", 1);
    m->keys[m->n_keys++] = model_own("\xff\xff", 2);
    m->keys[m->n_keys++] = model_own("z", 1);
    qsort(m->keys, (size_t)m->n_keys, sizeof m->keys[0], model_compare_views);
}

static inline void model_fini(struct model *m)
{
    for (int i = 0; i < m->n_keys; i++) {
        free((void *)(uintptr_t)m->keys[i].data);
    }
    free(m->versions);
}

/* Index of the newest version of `key` at or below `rev`, tombstones included; -1. */
static inline int model_newest(const struct model *m, int key, kvs_revision rev)
{
    for (int i = m->n_versions; i-- > 0;) {
        if (m->versions[i].key == key && m->versions[i].main <= rev) {
            return i;
        }
    }
    return -1;
}

/* As model_newest, but -1 for a deleted key. */
static inline int model_get(const struct model *m, int key, kvs_revision rev)
{
    int at = model_newest(m, key, rev);

    return at >= 0 && m->versions[at].tombstone ? -1 : at;
}

static inline void model_begin(struct model *m)
{
    kvs_assert(!m->in_txn);
    m->in_txn = true;
    m->txn_changes = 0;
}

static inline void model_end(struct model *m)
{
    m->in_txn = false;
    m->revision += m->txn_changes > 0;
}

/* What reads inside the transaction see. */
static inline kvs_revision model_now(const struct model *m)
{
    return m->revision + (m->in_txn && m->txn_changes > 0);
}

static inline void model_add(struct model *m, struct model_version v)
{
    kvs_assert(m->n_versions < MODEL_VERSIONS_MAX);
    v.main = m->revision + 1;
    m->versions[m->n_versions++] = v;
    m->txn_changes++;
}

/* False: refused, the key does not exist. */
static inline bool model_put(struct model *m,
                             int key,
                             unsigned value,
                             kvs_lease_id lease,
                             bool ignore_value,
                             bool ignore_lease)
{
    int old = model_get(m, key, m->revision + 1);
    struct model_version v = {.key = key, .value = value, .lease = lease, .prev = old};

    if ((ignore_value || ignore_lease) && old < 0) {
        return false;
    }
    v.create = old >= 0 ? m->versions[old].create : m->revision + 1;
    v.version = old >= 0 ? m->versions[old].version + 1 : 1;
    v.value = ignore_value ? m->versions[old].value : value;
    v.lease = ignore_lease ? m->versions[old].lease : lease;
    model_add(m, v);
    return true;
}

static inline int64_t model_delete(struct model *m, struct kvs_view begin, struct kvs_view end)
{
    int64_t deleted = 0;

    for (int key = 0; key < m->n_keys; key++) {
        int old = model_get(m, key, m->revision + 1);

        if (old >= 0 && view_in_range(m->keys[key], begin, end)) {
            model_add(m, (struct model_version){.key = key, .tombstone = true, .prev = old});
            deleted++;
        }
    }
    return deleted;
}

/* True if the record is what the model says of version `at`. */
static inline bool
model_matches(const struct model *m, int at, const struct kvs_kv *kv, bool with_value)
{
    const struct model_version *v = &m->versions[at];
    char bytes[MODEL_VALUE_MAX];
    size_t len = model_value(v->value, bytes);

    if (!with_value || v->tombstone) {
        len = 0;
    }
    return view_equal(kv->key, m->keys[v->key]) && view_equal(kv->value, view_make(bytes, len)) &&
           kv->mod_revision == v->main && kv->create_revision == v->create &&
           kv->version == v->version && kv->lease == v->lease;
}

/* ---- Range ---------------------------------------------------------------------------------- */

struct model_range {
    int versions[MODEL_KEYS_MAX];
    size_t n;
    int64_t count;
    bool more;
};

static inline bool model_filtered(const struct model_version *v, const struct kvs_range_req *req)
{
    return (req->min_mod_revision != 0 && v->main < req->min_mod_revision) ||
           (req->max_mod_revision != 0 && v->main > req->max_mod_revision) ||
           (req->min_create_revision != 0 && v->create < req->min_create_revision) ||
           (req->max_create_revision != 0 && v->create > req->max_create_revision);
}

/* > 0 if version `a` sorts after `b`. */
static inline int model_order(const struct model *m, int target, int a, int b)
{
    const struct model_version *x = &m->versions[a];
    const struct model_version *y = &m->versions[b];
    char bytes_x[MODEL_VALUE_MAX];
    char bytes_y[MODEL_VALUE_MAX];
    int order = 0;

    if (target == KVS_SORT_VALUE) {
        order = view_compare(view_make(bytes_x, model_value(x->value, bytes_x)),
                             view_make(bytes_y, model_value(y->value, bytes_y)));
    } else if (target == KVS_SORT_VERSION) {
        order = (x->version > y->version) - (x->version < y->version);
    } else if (target == KVS_SORT_CREATE) {
        order = (x->create > y->create) - (x->create < y->create);
    } else if (target == KVS_SORT_MOD) {
        order = (x->main > y->main) - (x->main < y->main);
    }
    return order != 0 ? order : (x->key > y->key) - (x->key < y->key);
}

static inline void
model_sort(const struct model *m, const struct kvs_range_req *req, struct model_range *r)
{
    int sign = req->sort_order == KVS_SORT_DESCEND ? -1 : 1;

    for (size_t i = 1; i < r->n; i++) {
        for (size_t j = i;
             j > 0 &&
             sign * model_order(m, req->sort_target, r->versions[j - 1], r->versions[j]) > 0;
             j--) {
            int swap = r->versions[j];

            r->versions[j] = r->versions[j - 1];
            r->versions[j - 1] = swap;
        }
    }
}

static inline int model_range(const struct model *m,
                              const struct kvs_range_req *req,
                              kvs_revision now,
                              struct model_range *r)
{
    kvs_revision rev = req->revision <= 0 ? now : req->revision;
    bool filter = req->min_mod_revision != 0 || req->max_mod_revision != 0 ||
                  req->min_create_revision != 0 || req->max_create_revision != 0;
    bool cut_early = req->limit > 0 && req->sort_order == KVS_SORT_NONE && !filter;

    *r = (struct model_range){0};
    if (req->revision > now) {
        return KVS_E_FUTURE_REV;
    }
    if (rev < m->compact) {
        return KVS_E_COMPACTED;
    }
    for (int key = 0; key < m->n_keys; key++) {
        int at = model_get(m, key, rev);

        if (at < 0 || !view_in_range(m->keys[key], req->key, req->range_end)) {
            continue;
        }
        r->count++;
        if (!req->count_only && !model_filtered(&m->versions[at], req) &&
            !(cut_early && (int64_t)r->n > req->limit)) {
            r->versions[r->n++] = at;
        }
    }
    model_sort(m, req, r);
    if (req->limit > 0 && (int64_t)r->n > req->limit) {
        r->n = (size_t)req->limit;
        r->more = true;
    }
    return 0;
}

/* ---- Compare -------------------------------------------------------------------------------- */

static inline bool model_compare_one(const struct model_version *v, const struct kvs_compare *c)
{
    char bytes[MODEL_VALUE_MAX];
    int64_t n = 0;
    int order;

    if (c->target == KVS_COMPARE_VALUE) {
        if (v == NULL) {
            return false;
        }
        order = view_compare(view_make(bytes, model_value(v->value, bytes)), c->value);
    } else {
        if (v != NULL) {
            n = c->target == KVS_COMPARE_VERSION  ? v->version
                : c->target == KVS_COMPARE_CREATE ? v->create
                : c->target == KVS_COMPARE_MOD    ? v->main
                                                  : v->lease;
        }
        order = (n > c->number) - (n < c->number);
    }
    return c->result == KVS_COMPARE_EQUAL     ? order == 0
           : c->result == KVS_COMPARE_GREATER ? order > 0
           : c->result == KVS_COMPARE_LESS    ? order < 0
                                              : order != 0;
}

static inline bool model_compare(const struct model *m, const struct kvs_compare *c)
{
    bool any = false;

    for (int key = 0; key < m->n_keys; key++) {
        int at = model_get(m, key, m->revision);

        if (at >= 0 && view_in_range(m->keys[key], c->key, c->range_end)) {
            any = true;
            if (!model_compare_one(&m->versions[at], c)) {
                return false;
            }
        }
    }
    return any || model_compare_one(NULL, c);
}

#endif
