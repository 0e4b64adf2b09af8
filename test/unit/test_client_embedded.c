/* The embedded client and the remote one say the same: one scenario, played on a store without
 * ports through the mailbox, and on another one over loopback; every answer is written down, and
 * the two transcripts are equal. */
#include "local_store.h"

#include <inttypes.h>

#include "base/buf.h"
#include "node/digest.h"

/* ---- the transcript ---- */

struct play {
    struct kvs_client *client;
    struct buf text;
};

static void KVS_PRINTF(2, 3) note(struct play *p, const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buf_append_str(&p->text, line);
    buf_append_str(&p->text, "\n");
    assert_false(p->text.failed);
}

#define VIEW_ARG(view) (int)(view).len, (const char *)(view).data

static void note_kv(struct play *p, const char *what, const struct kvs_kv *kv)
{
    note(p, "  %s %.*s=%.*s c%" PRId64 " m%" PRId64 " v%" PRId64 " l%" PRIx64, what,
         VIEW_ARG(kv->key), VIEW_ARG(kv->value), kv->create_revision, kv->mod_revision, kv->version,
         (uint64_t)kv->lease);
}

static void note_error(struct play *p, const char *what, int err, const struct kvs_error *error)
{
    note(p, "%s: %d %s", what, err, err == 0 ? "" : error->msg);
    assert_int_equal(err, error->code);
}

static void note_range_resp(struct play *p, const struct kvs_range_resp *resp)
{
    note(p, "  r%" PRId64 " count %" PRId64 " more %d", resp->header.revision, resp->count,
         resp->more);
    for (size_t i = 0; i < resp->n_kvs; i++) {
        note_kv(p, "kv", &resp->kvs[i]);
    }
}

/* ---- the calls, written down ---- */

static void do_put(struct play *p, const struct kvs_put_req *req)
{
    const struct kvs_put_resp *resp;
    struct kvs_error error;
    int err = kvs_put_sync(p->client, req, NULL, &resp, &error);

    note_error(p, "put", err, &error);
    if (err == 0) {
        note(p, "  r%" PRId64, resp->header.revision);
        if (resp->has_prev) {
            note_kv(p, "prev", &resp->prev_kv);
        }
        kvs_resp_free(resp);
    }
}

static void put_text(struct play *p, const char *key, const char *value)
{
    const struct kvs_put_req req = {
        .key = view_str(key), .value = view_str(value), .prev_kv = true};

    do_put(p, &req);
}

static void do_range(struct play *p, const struct kvs_range_req *req)
{
    const struct kvs_range_resp *resp;
    struct kvs_error error;
    int err = kvs_range_sync(p->client, req, NULL, &resp, &error);

    note_error(p, "range", err, &error);
    if (err == 0) {
        note_range_resp(p, resp);
        kvs_resp_free(resp);
    }
}

static void do_delete(struct play *p, const struct kvs_delete_req *req)
{
    const struct kvs_delete_resp *resp;
    struct kvs_error error;
    int err = kvs_delete_sync(p->client, req, NULL, &resp, &error);

    note_error(p, "delete", err, &error);
    if (err == 0) {
        note(p, "  r%" PRId64 " deleted %" PRId64, resp->header.revision, resp->deleted);
        for (size_t i = 0; i < resp->n_prev_kvs; i++) {
            note_kv(p, "prev", &resp->prev_kvs[i]);
        }
        kvs_resp_free(resp);
    }
}

static void note_txn_resp(struct play *p, const struct kvs_txn_resp *resp)
{
    note(p, "  r%" PRId64 " succeeded %d n %zu", resp->header.revision, resp->succeeded,
         resp->n_responses);
    for (size_t i = 0; i < resp->n_responses; i++) {
        const struct kvs_op_resp *op = &resp->responses[i];

        note(p, "  op %d", op->type);
        if (op->type == KVS_OP_RANGE) {
            note_range_resp(p, &op->u.range);
        } else if (op->type == KVS_OP_TXN) {
            note(p, "  nested: succeeded %d n %zu", op->u.txn->succeeded, op->u.txn->n_responses);
        }
    }
}

static void do_txn(struct play *p, const struct kvs_txn_req *req)
{
    const struct kvs_txn_resp *resp;
    struct kvs_error error;
    int err = kvs_txn_sync(p->client, req, NULL, &resp, &error);

    note_error(p, "txn", err, &error);
    if (err == 0) {
        note_txn_resp(p, resp);
        kvs_resp_free(resp);
    }
}

static void do_compact(struct play *p, kvs_revision revision, bool physical)
{
    const struct kvs_compact_req req = {.revision = revision, .physical = physical};
    const struct kvs_compact_resp *resp;
    struct kvs_error error;
    int err = kvs_compact_sync(p->client, &req, NULL, &resp, &error);

    note_error(p, "compact", err, &error);
    if (err == 0) {
        note(p, "  r%" PRId64, resp->header.revision);
        kvs_resp_free(resp);
    }
}

/* ---- the scenes ---- */

#define ALL .key = VIEW_LITERAL("\0"), .range_end = VIEW_LITERAL("\0")

static void scene_keys(struct play *p)
{
    const struct kvs_range_req all = {ALL};
    const struct kvs_range_req page = {ALL, .limit = 2};
    const struct kvs_range_req past = {ALL, .revision = 3, .serializable = true};
    const struct kvs_range_req future = {ALL, .revision = 1000};
    const struct kvs_range_req none = {.key = {NULL, 0}};
    const struct kvs_range_req sorted = {ALL, .sort_order = KVS_SORT_DESCEND,
                                         .sort_target = KVS_SORT_MOD, .keys_only = true};
    const struct kvs_range_req count = {ALL, .count_only = true};
    const struct kvs_put_req bad_lease = {.key = VIEW_LITERAL("k"), .lease = 77};
    const struct kvs_put_req keep = {.key = VIEW_LITERAL("absent"), .ignore_value = true};

    put_text(p, "a", "1");
    put_text(p, "b", "2");
    put_text(p, "a", "3");
    put_text(p, "c", "");
    put_text(p, "", "no key");
    do_put(p, &bad_lease);
    do_put(p, &keep);
    do_range(p, &all);
    do_range(p, &page);
    do_range(p, &past);
    do_range(p, &future);
    do_range(p, &none);
    do_range(p, &sorted);
    do_range(p, &count);
}

static void scene_pages(struct play *p)
{
    const struct kvs_range_req req = {.key = VIEW_LITERAL("p/"), .range_end = VIEW_LITERAL("p0")};
    struct kvs_range_iter *iter;
    const struct kvs_kv *kv;
    char key[16];

    for (int i = 0; i < 25; i++) {
        (void)snprintf(key, sizeof key, "p/%02d", i);
        (void)local_put(p->client, key, key);
    }
    assert_int_equal(kvs_range_iter_open(p->client, &req, 10, &iter), 0);
    while (kvs_range_iter_next(iter, &kv, NULL) == 0 && kv != NULL) {
        note_kv(p, "page", kv);
    }
    note(p, "pages at %" PRId64, kvs_range_iter_header(iter).revision);
    kvs_range_iter_close(iter);
}

static void scene_txn(struct play *p)
{
    struct kvs_op inner_ops[] = {
        {.type = KVS_OP_PUT, .u.put = {.key = VIEW_LITERAL("t/in"), .value = VIEW_LITERAL("x")}},
    };
    struct kvs_txn_req inner = {.success = inner_ops, .n_success = 1};
    struct kvs_compare compares[] = {
        {.target = KVS_COMPARE_VALUE, .key = VIEW_LITERAL("a"), .value = VIEW_LITERAL("3")},
        {.result = KVS_COMPARE_GREATER,
         .target = KVS_COMPARE_VERSION,
         .key = VIEW_LITERAL("a"),
         .number = 1},
    };
    struct kvs_op then[] = {
        {.type = KVS_OP_PUT, .u.put = {.key = VIEW_LITERAL("t/1"), .value = VIEW_LITERAL("one")}},
        {.type = KVS_OP_RANGE,
         .u.range = {.key = VIEW_LITERAL("a"), .range_end = VIEW_LITERAL("d")}},
        {.type = KVS_OP_TXN, .u.txn = &inner},
        {.type = KVS_OP_DELETE, .u.del = {.key = VIEW_LITERAL("c"), .prev_kv = true}},
    };
    struct kvs_op other[] = {
        {.type = KVS_OP_RANGE, .u.range = {.key = VIEW_LITERAL("t/1")}},
    };
    struct kvs_op twice[] = {then[0], then[0]};
    const struct kvs_txn_req req = {compares, 2, then, 4, other, 1};
    const struct kvs_txn_req reads = {NULL, 0, other, 1, NULL, 0};
    const struct kvs_txn_req duplicate = {NULL, 0, twice, 2, NULL, 0};

    do_txn(p, &req);
    compares[0].value = VIEW_LITERAL("something else");
    do_txn(p, &req);
    do_txn(p, &reads);
    do_txn(p, &duplicate);
}

static void scene_watch(struct play *p)
{
    const struct kvs_watch_create_req req = {ALL, .start_revision = 2, .prev_kv = true};
    const struct kvs_delete_req del = {
        .key = VIEW_LITERAL("p/1"), .range_end = VIEW_LITERAL("p/2"), .prev_kv = true};
    const struct kvs_watch_resp *resp;
    struct kvs_watch_reader *reader;
    kvs_revision last;
    kvs_revision seen = 0;

    assert_int_equal(kvs_watch_reader_open(p->client, &req, 0, &reader), 0);
    do_delete(p, &del);
    last = local_put(p->client, "w", "last");
    while (seen < last) {
        assert_int_equal(kvs_watch_reader_next(reader, 20000, &resp, NULL), 0);
        for (size_t i = 0; i < resp->n_events; i++) {
            const struct kvs_event *e = &resp->events[i];

            seen = e->kv.mod_revision;
            note_kv(p, e->type == KVS_EVENT_PUT ? "put" : "del", &e->kv);
            if (e->has_prev) {
                note_kv(p, "prev", &e->prev_kv);
            }
        }
        kvs_resp_free(resp);
    }
    kvs_watch_reader_progress(reader);
    do {
        assert_int_equal(kvs_watch_reader_next(reader, 20000, &resp, NULL), 0);
        seen = resp->n_events == 0 && !resp->created ? resp->header.revision : 0;
        kvs_resp_free(resp);
    } while (seen == 0);
    note(p, "progress at %" PRId64, seen);
    kvs_watch_reader_close(reader);
}

static void scene_compact(struct play *p)
{
    const struct kvs_range_req past = {ALL, .revision = 3};
    const struct kvs_watch_create_req req = {ALL, .start_revision = 2};
    const struct kvs_watch_resp *resp;
    struct kvs_watch_reader *reader;
    struct kvs_error error;
    int err;

    do_compact(p, 10, true);
    do_compact(p, 10, false);
    do_compact(p, 100000, false);
    do_range(p, &past);
    assert_int_equal(kvs_watch_reader_open(p->client, &req, 0, &reader), 0);
    while ((err = kvs_watch_reader_next(reader, 20000, &resp, &error)) == 0) {
        kvs_resp_free(resp);
    }
    note_error(p, "watch", err, &error);
    resp = kvs_watch_reader_last_words(reader);
    assert_non_null(resp);
    note(p, "compacted at %" PRId64, resp->compact_revision);
    kvs_watch_reader_close(reader);
}

static void lease_ttl(struct play *p, kvs_lease_id id)
{
    const struct kvs_lease_ttl_req req = {.id = id, .keys = true};
    const struct kvs_lease_ttl_resp *resp;
    struct kvs_error error;
    int err = kvs_lease_ttl_sync(p->client, &req, NULL, &resp, &error);

    note_error(p, "ttl", err, &error);
    if (err == 0) {
        note(p, "  %" PRId64 " granted %" PRId64 " alive %d keys %zu", resp->id,
             resp->granted_ttl_s, resp->ttl_s > 0, resp->n_keys);
        for (size_t i = 0; i < resp->n_keys; i++) {
            note(p, "  key %.*s", VIEW_ARG(resp->keys[i]));
        }
        kvs_resp_free(resp);
    }
}

static void lease_keepalive(struct play *p, kvs_lease_id id)
{
    const struct kvs_lease_keepalive_req req = {.id = id};
    const struct kvs_lease_keepalive_resp *resp;
    struct kvs_error error;
    int err = kvs_lease_keepalive_sync(p->client, &req, NULL, &resp, &error);

    note_error(p, "keepalive", err, &error);
    if (err == 0) {
        note(p, "  %" PRId64 " ttl %" PRId64, resp->id, resp->ttl_s);
        kvs_resp_free(resp);
    }
}

static void lease_grant(struct play *p, kvs_lease_id id, int64_t ttl_s)
{
    const struct kvs_lease_grant_req req = {.id = id, .ttl_s = ttl_s};
    const struct kvs_lease_grant_resp *resp;
    struct kvs_error error;
    int err = kvs_lease_grant_sync(p->client, &req, NULL, &resp, &error);

    note_error(p, "grant", err, &error);
    if (err == 0) {
        note(p, "  %" PRId64 " ttl %" PRId64, resp->id, resp->ttl_s);
        kvs_resp_free(resp);
    }
}

static void lease_revoke(struct play *p, kvs_lease_id id)
{
    const struct kvs_lease_revoke_req req = {.id = id};
    const struct kvs_lease_revoke_resp *resp;
    struct kvs_error error;
    int err = kvs_lease_revoke_sync(p->client, &req, NULL, &resp, &error);

    note_error(p, "revoke", err, &error);
    if (err == 0) {
        note(p, "  r%" PRId64, resp->header.revision);
        kvs_resp_free(resp);
    }
}

static void scene_lease(struct play *p)
{
    const struct kvs_put_req one = {.key = VIEW_LITERAL("l/1"), .lease = 5};
    const struct kvs_put_req two = {.key = VIEW_LITERAL("l/2"), .lease = 5};
    const struct kvs_lease_list_req list = {0};
    const struct kvs_lease_list_resp *resp;

    lease_grant(p, 5, 600);
    lease_grant(p, 5, 600);
    lease_grant(p, 6, -1);
    do_put(p, &one);
    do_put(p, &two);
    lease_ttl(p, 5);
    lease_ttl(p, 999);
    lease_keepalive(p, 5);
    lease_keepalive(p, 999);
    assert_int_equal(kvs_lease_list_sync(p->client, &list, NULL, &resp, NULL), 0);
    note(p, "leases %zu", resp->n_leases);
    kvs_resp_free(resp);
    lease_revoke(p, 5);
    lease_revoke(p, 5);
}

static void scene_lock(struct play *p)
{
    const struct kvs_call_options brief = {.size = sizeof brief, .timeout_ms = 200};
    const struct kvs_view name = VIEW_LITERAL("lock");
    const struct kvs_range_resp *leader;
    struct kvs_lock *first;
    struct kvs_lock *second;
    struct kvs_error error;
    int err;

    lease_grant(p, 21, 600);
    lease_grant(p, 22, 600);
    err = kvs_lock_acquire_sync(p->client, name, 21, VIEW_LITERAL("me"), NULL, &first, &error);
    note_error(p, "lock", err, &error);
    note(p, "  %.*s at %" PRId64, VIEW_ARG(kvs_lock_key(first)), kvs_lock_revision(first));
    err = kvs_lock_acquire_sync(p->client, name, 22, VIEW_LITERAL("you"), &brief, &second, &error);
    note_error(p, "second lock", err, &error);
    assert_int_equal(kvs_election_proclaim_sync(first, VIEW_LITERAL("still me"), NULL), 0);
    assert_int_equal(kvs_election_leader_sync(p->client, name, &leader, NULL), 0);
    note_kv(p, "leader", &leader->kvs[0]);
    kvs_resp_free(leader);
    assert_int_equal(kvs_lock_release_sync(first, NULL), 0);
    err = kvs_election_leader_sync(p->client, name, &leader, &error);
    note_error(p, "no leader", err, &error);
}

static void scene_alarms(struct play *p)
{
    const struct kvs_alarm_req requests[] = {
        {.action = KVS_ALARM_ACTIVATE, .type = KVS_ALARM_NOSPACE, .member_id = 1},
        {.action = KVS_ALARM_GET},
        {.action = KVS_ALARM_DEACTIVATE, .type = KVS_ALARM_NOSPACE, .member_id = 1},
        {.action = KVS_ALARM_GET},
    };

    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        const struct kvs_alarm_list_resp *resp;

        assert_int_equal(kvs_alarm_sync(p->client, &requests[i], NULL, &resp, NULL), 0);
        note(p, "alarms %zu", resp->n_alarms);
        for (size_t j = 0; j < resp->n_alarms; j++) {
            note(p, "  %d of %" PRIu64, resp->alarms[j].type, resp->alarms[j].member_id);
        }
        kvs_resp_free(resp);
        put_text(p, "alarm", "is it set?");
    }
}

static void scene_members(struct play *p)
{
    const struct kvs_member_list_req list = {.linearizable = true};
    const struct kvs_member_remove_req unknown = {.id = 4711};
    struct kvs_view urls[] = {VIEW_LITERAL("http://127.0.0.1:1")};
    struct kvs_member_add_req add = {.peer_urls = urls, .n_peer_urls = 1, .is_learner = true};
    const struct kvs_member_list_resp *resp;
    const struct kvs_member_add_resp *added;
    struct kvs_error error;
    int err;

    err = kvs_member_add_sync(p->client, &add, NULL, &added, &error);
    note_error(p, "member add", err, &error);
    note(p, "  %zu members, the new one at %.*s, learner %d", added->n_members,
         VIEW_ARG(added->member.peer_urls[0]), added->member.is_learner);
    kvs_resp_free(added);
    err = kvs_member_remove_sync(p->client, &unknown, NULL, &resp, &error);
    note_error(p, "member remove", err, &error);
    assert_int_equal(kvs_member_list_sync(p->client, &list, NULL, &resp, NULL), 0);
    note(p, "members %zu r%" PRId64, resp->n_members, resp->header.revision);
    for (int learner = 0; learner < 2; learner++) { /* their order is that of their ids */
        for (size_t i = 0; i < resp->n_members; i++) {
            if (resp->members[i].is_learner == (learner == 1)) {
                note(p, "  %.*s learner %d", VIEW_ARG(resp->members[i].name), learner);
            }
        }
    }
    kvs_resp_free(resp);
}

struct picture {
    struct digest *digest;
    uint64_t size_bytes;
    uint8_t last[DIGEST_SHA256_BYTES];
    size_t last_len;
};

/* The sum comes last, so a blob is summed up when the next one is there. */
static int picture_chunk(void *ctx, struct kvs_view blob, uint64_t remaining_bytes)
{
    struct picture *s = ctx;

    if (remaining_bytes == 0 && blob.len == DIGEST_SHA256_BYTES) {
        memcpy(s->last, blob.data, blob.len);
        s->last_len = blob.len;
        return 0;
    }
    digest_update(s->digest, blob.data, blob.len);
    s->size_bytes += blob.len;
    return 0;
}

static int refuse_chunk(void *ctx, struct kvs_view blob, uint64_t remaining_bytes)
{
    (void)ctx;
    (void)blob;
    (void)remaining_bytes;
    return KVS_E_IO;
}

static void scene_snapshot(struct play *p)
{
    struct picture s = {.digest = digest_sha256_new()};
    uint8_t sum[DIGEST_SHA256_BYTES];
    struct kvs_error error;
    int err;

    assert_non_null(s.digest);
    err = kvs_snapshot_sync(p->client, NULL, picture_chunk, &s, &error);
    note_error(p, "snapshot", err, &error);
    digest_final(s.digest, sum);
    digest_free(s.digest);
    assert_int_equal(s.last_len, sizeof sum);
    assert_memory_equal(s.last, sum, sizeof sum);
    assert_true(s.size_bytes > 0);
    err = kvs_snapshot_sync(p->client, NULL, refuse_chunk, NULL, &error);
    note_error(p, "snapshot refused", err, &error);
}

static void scene_maintenance(struct play *p)
{
    const struct kvs_status_req status = {0};
    const struct kvs_hash_kv_req hash = {0};
    const struct kvs_move_leader_req move = {.target_id = 4711};
    const struct kvs_defragment_req defragment = {0};
    const struct kvs_status_resp *s;
    const struct kvs_hash_kv_resp *h;
    const struct kvs_move_leader_resp *m;
    const struct kvs_defragment_resp *d;
    struct kvs_error error;
    int err;

    assert_int_equal(kvs_status_sync(p->client, &status, NULL, &s, NULL), 0);
    note(p, "status %s r%" PRId64 " leads %d learner %d errors %zu applied %d", s->version,
         s->header.revision, s->leader == s->header.member_id, s->is_learner, s->n_errors,
         s->raft_index == s->raft_applied_index);
    kvs_resp_free(s);
    assert_int_equal(kvs_hash_kv_sync(p->client, &hash, NULL, &h, NULL), 0);
    note(p, "hash %" PRIu32 " of %" PRId64 " compacted %" PRId64, h->hash, h->hash_revision,
         h->compact_revision);
    kvs_resp_free(h);
    err = kvs_move_leader_sync(p->client, &move, NULL, &m, &error);
    note_error(p, "move leader", err, &error);
    err = kvs_defragment_sync(p->client, &defragment, NULL, &d, &error);
    note_error(p, "defragment", err, &error);
    kvs_resp_free(d);
}

static void play(struct kvs_client *client, struct buf *ret_text)
{
    struct play p = {.client = client};

    buf_init(&p.text);
    scene_keys(&p);
    scene_pages(&p);
    scene_txn(&p);
    scene_watch(&p);
    scene_compact(&p);
    scene_lease(&p);
    scene_lock(&p);
    scene_alarms(&p);
    scene_snapshot(&p);
    scene_maintenance(&p);
    scene_members(&p);
    *ret_text = p.text;
}

/* ---- the two stages ---- */

static void play_embedded(struct buf *ret_text)
{
    struct local_store s;

    local_store_start(&s);
    play(s.client, ret_text);
    local_store_stop(&s);
}

static void play_remote(struct buf *ret_text)
{
    struct kvs_client_options client;
    struct kvs_node_options options;
    struct local_store s;
    char url[64];

    kvs_node_options_init(&options);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", local_free_port());
    options.listen_client_urls = url;
    options.advertise_client_urls = url;
    local_store_open(&s, &options);
    assert_int_equal(kvs_node_wait_ready(s.node, LOCAL_READY_MS), 0);
    kvs_client_options_init(&client);
    client.endpoints = url;
    assert_int_equal(kvs_client_open(&client, &s.client, NULL), 0);
    play(s.client, ret_text);
    local_store_stop(&s);
}

static void assert_same_lines(const char *a, const char *b)
{
    size_t line = 1;
    size_t begin = 0;
    size_t i = 0;

    for (; a[i] != '\0' && a[i] == b[i]; i++) {
        if (a[i] == '\n') {
            line++;
            begin = i + 1;
        }
    }
    if (a[i] != b[i]) {
        fail_msg("line %zu: embedded \"%.*s\", remote \"%.*s\"", line,
                 (int)strcspn(a + begin, "\n"), a + begin, (int)strcspn(b + begin, "\n"),
                 b + begin);
    }
}

static void test_embedded_is_as_remote(void **state)
{
    struct buf embedded;
    struct buf remote;

    (void)state;
    play_embedded(&embedded);
    play_remote(&remote);
    buf_append_u8(&embedded, 0);
    buf_append_u8(&remote, 0);
    assert_false(embedded.failed || remote.failed);
    assert_true(embedded.len > 4000); /* something was written down */
    assert_same_lines((const char *)embedded.data, (const char *)remote.data);
    buf_fini(&embedded);
    buf_fini(&remote);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedded_is_as_remote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
