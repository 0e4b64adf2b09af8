/* For tests of lib/apply: a state machine on a store in a temporary folder, whose writes happen
 * when the test says so. */
#ifndef TEST_UNIT_APPLY_DRIVE_H
#define TEST_UNIT_APPLY_DRIVE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/apply.h"
#include "backend/device.h"
#include "base/assert.h"
#include "base/view.h"

struct member {
    char dir[64];
    struct backend_inline device;
    struct mvcc *store;
    struct apply *apply;
    struct arena reply;
    struct buf bytes;
    struct apply_result result;
    uint64_t index;
    uint64_t term;
    uint64_t now_ms;
};

static inline void member_open(struct member *m)
{
    struct mvcc_options options;
    struct kvs_error error;

    mvcc_options_init(&options);
    options.dir = m->dir;
    options.map_bytes = (size_t)256 << 20;
    options.device = &m->device.device;
    options.freeze_bytes = 16 << 10;
    options.compact_step = 5;
    options.hash_seed = 42;
    backend_inline_init(&m->device);
    kvs_assert(mvcc_open(&options, &m->store, &error) == 0);
    kvs_assert(apply_new(m->store, m->now_ms, &m->apply) == 0);
    m->index = mvcc_applied_index(m->store);
}

static inline void member_init(struct member *m)
{
    const char *tmp = getenv("TMPDIR");
    int n;

    *m = (struct member){.term = 1};
    n = snprintf(m->dir, sizeof m->dir, "%s/apply.XXXXXX",
                 tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
    kvs_assert(n > 0 && mkdtemp(m->dir) != NULL);
    arena_init(&m->reply, 0);
    buf_init(&m->bytes);
    member_open(m);
}

/* Everything applied is in the file afterwards. */
static inline void member_store(struct member *m)
{
    for (int i = 0; i < 100000 && !(mvcc_is_clean(m->store) && !mvcc_is_storing(m->store)); i++) {
        mvcc_flush(m->store);
        mvcc_tick(m->store, m->now_ms);
        backend_inline_drain(&m->device);
    }
    kvs_assert(mvcc_stored_index(m->store) == mvcc_applied_index(m->store));
}

/* As after a crash: what is not stored is lost. */
static inline void member_crash(struct member *m)
{
    backend_inline_drop(&m->device);
    apply_free(m->apply);
    mvcc_close(m->store);
    member_open(m);
}

static inline void member_fini(struct member *m)
{
    DIR *dir;
    struct dirent *file;

    backend_inline_drop(&m->device);
    apply_free(m->apply);
    mvcc_close(m->store);
    arena_fini(&m->reply);
    buf_fini(&m->bytes);
    dir = opendir(m->dir);
    kvs_assert(dir != NULL);
    while ((file = readdir(dir)) != NULL) {
        char path[sizeof m->dir + sizeof file->d_name + 2];

        (void)snprintf(path, sizeof path, "%s/%s", m->dir, file->d_name);
        (void)unlink(path); /* "." and ".." refuse */
    }
    (void)closedir(dir);
    kvs_assert(rmdir(m->dir) == 0);
}

static inline struct apply_input member_input(struct member *m)
{
    arena_reset(&m->reply);
    return (struct apply_input){
        .index = ++m->index, .term = m->term, .now_ms = m->now_ms, .reply = &m->reply};
}

/* Applies bytes as the next entry; returns the status. */
static inline int member_apply_bytes(struct member *m, struct kvs_view bytes)
{
    struct apply_input input = member_input(m);

    kvs_assert(apply_entry(m->apply, &input, bytes, &m->result) == 0);
    kvs_assert(mvcc_applied_index(m->store) == m->index);
    kvs_assert(m->result.revision == mvcc_revision(m->store));
    return m->result.status;
}

/* Encodes and applies. */
static inline int member_apply(struct member *m, const struct apply_entry *entry)
{
    buf_clear(&m->bytes);
    kvs_assert(apply_encode(entry, &m->bytes) == 0);
    return member_apply_bytes(m, buf_view(&m->bytes));
}

/* A configuration change, as Raft's core brings it. */
static inline int
member_apply_conf(struct member *m, const char *raft_conf, const struct apply_member_change *change)
{
    struct apply_entry entry = {.kind = APPLY_MEMBER_CHANGE, .request_id = 9, .u.change = *change};
    struct apply_input input = member_input(m);

    buf_clear(&m->bytes);
    kvs_assert(apply_encode(&entry, &m->bytes) == 0);
    kvs_assert(apply_conf(m->apply, &input, view_str(raft_conf), buf_view(&m->bytes), &m->result) ==
               0);
    return m->result.status;
}

static inline int
member_put(struct member *m, const char *key, const char *value, kvs_lease_id lease)
{
    struct apply_entry e = {.kind = APPLY_PUT, .request_id = m->index + 100};

    e.u.put = (struct kvs_put_req){.key = view_str(key), .value = view_str(value), .lease = lease};
    return member_apply(m, &e);
}

static inline int member_grant(struct member *m, kvs_lease_id id, int64_t ttl_s)
{
    struct apply_entry e = {.kind = APPLY_LEASE_GRANT, .u.lease_grant = {ttl_s, id}};

    return member_apply(m, &e);
}

static inline int member_revoke(struct member *m, kvs_lease_id id, uint64_t only_term)
{
    struct apply_entry e = {.kind = APPLY_LEASE_REVOKE, .u.lease_revoke = {id, only_term}};

    return member_apply(m, &e);
}

static inline int member_alarm(struct member *m, bool activate, int type, uint64_t member_id)
{
    struct apply_entry e = {.kind = APPLY_ALARM, .u.alarm = {activate, type, member_id}};

    return member_apply(m, &e);
}

static inline uint64_t member_hash(struct member *m)
{
    uint64_t hash = 0;

    kvs_assert(apply_state_hash(m->apply, &hash) == 0);
    return hash;
}

static inline bool member_has_key(struct member *m, const char *key)
{
    struct mvcc_read read;
    struct kvs_kv kv;
    int err;

    mvcc_read_begin(m->store, &read);
    err = mvcc_get(&read, view_str(key), 0, &kv);
    mvcc_read_end(&read);
    kvs_assert(err == 0 || err == KVS_E_NOT_FOUND);
    return err == 0;
}

#endif
