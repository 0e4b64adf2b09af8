/* The life of a store: storing, restarts, snapshots, history, leases, hash, damage. */
#include "mvcc_fixture.h"

#include <fcntl.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

#include "mvcc/dbkey.h"
#include "mvcc/record.h"

/* ---- When to store ----------------------------------------------------------------------------
 */

static void test_new_store(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mvcc_revision(f->m), 1);
    assert_int_equal(mvcc_compact_revision(f->m), 0);
    assert_int_equal(mvcc_applied_index(f->m), 0);
    assert_true(mvcc_is_clean(f->m));
    assert_int_equal(mvcc_deadline_ms(f->m), UINT64_MAX);
    mvcc_tick(f->m, 5000);
    assert_false(mvcc_is_storing(f->m));
}

static void test_stores_by_age(void **state)
{
    struct fixture *f = *state;

    fixture_put(f, "a", "1");
    assert_int_equal(mvcc_deadline_ms(f->m), 0); /* its age counts from the next tick */
    mvcc_tick(f->m, 5000);
    assert_int_equal(mvcc_deadline_ms(f->m), 6000);
    mvcc_tick(f->m, 5999);
    assert_false(mvcc_is_storing(f->m));
    mvcc_tick(f->m, 6000);
    assert_true(mvcc_is_storing(f->m));
    fixture_put(f, "b", "2");
    assert_int_equal(mvcc_stored_index(f->m), 0);
    backend_inline_drain(&f->device);
    assert_int_equal(f->progress, 1);
    assert_int_equal(mvcc_stored_index(f->m), 1);
    assert_int_equal(mvcc_stored_term(f->m), 1);
    assert_int_equal(mvcc_applied_index(f->m), 2);
    assert_false(mvcc_is_clean(f->m));
    assert_string_equal(fixture_get(f, "a", 0), "1");
    assert_string_equal(fixture_get(f, "b", 0), "2");
}

/* A large value stays where the entry has it, a small one is copied; the entry is let go when the
 * generation is stored and nobody reads it any more. */
static void test_values_are_shared_with_the_entry(void **state)
{
    struct fixture *f = *state;
    struct rcbuf *entry = rcbuf_new(200);
    struct kvs_put_req large = {.key = VIEW_LITERAL("large"), .value = {entry->data, 100}};
    struct kvs_put_req small = {.key = VIEW_LITERAL("small"), .value = {entry->data + 100, 10}};
    struct mvcc_read read;
    struct kvs_kv kv;

    memset(entry->data, 'e', 200);
    mvcc_txn_begin(f->m, ++f->index, 1);
    mvcc_txn_lend(f->m, entry);
    assert_int_equal(mvcc_txn_put(f->m, &large, NULL, NULL), 0);
    assert_int_equal(mvcc_txn_put(f->m, &large, NULL, NULL), 0);
    assert_int_equal(mvcc_txn_put(f->m, &small, NULL, NULL), 0);
    mvcc_txn_end(f->m, &f->commit);
    assert_int_equal(atomic_load(&entry->refs), 2);
    mvcc_read_begin(f->m, &read);
    assert_int_equal(mvcc_get(&read, small.key, 0, &kv), 0);
    assert_ptr_not_equal(kv.value.data, small.value.data);
    assert_int_equal(mvcc_get(&read, large.key, 0, &kv), 0);
    assert_ptr_equal(kv.value.data, entry->data);
    fixture_store(f);
    assert_int_equal(atomic_load(&entry->refs), 2); /* the read pins the generation */
    assert_true(view_equal(kv.value, large.value));
    mvcc_read_end(&read);
    assert_int_equal(atomic_load(&entry->refs), 1);
    rcbuf_unref(entry);
    assert_int_equal(strspn(fixture_get(f, "large", 0), "e"), 100);
    fixture_put(f, "copied", fixture_get(f, "large", 0)); /* no entry is lent any more */
    assert_int_equal(strspn(fixture_get(f, "copied", 0), "e"), 100);
}

/* Keys that begin as the first ones did, that go on with zeros, that end before, that do not. */
static void test_keys_are_in_order_whatever_came_first(void **state)
{
    struct fixture *f = *state;
    static const struct kvs_view later[] = {
        VIEW_LITERAL("/a/k1\0"),      VIEW_LITERAL("/a/k1\0\0"), VIEW_LITERAL("/a/k123456789"),
        VIEW_LITERAL("/a/k12345678"), VIEW_LITERAL("/a/k"),      VIEW_LITERAL("/a/"),
        VIEW_LITERAL("/b"),           VIEW_LITERAL("\xff"),      VIEW_LITERAL("0"),
        VIEW_LITERAL("/a/k1\0\1"),    VIEW_LITERAL("/a/k\xff"),  VIEW_LITERAL("/a/k1234567\0")};
    struct mvcc_iter *it;
    struct mvcc_read read;
    struct kvs_kv kv;
    struct kvs_view last = {0};
    size_t n = 0;

    fixture_put(f, "/a/k2", "v");
    fixture_put(f, "/a/k1", "v");
    for (size_t i = 0; i <= ARRAY_LEN(later); i++) {
        mvcc_read_begin(f->m, &read);
        assert_int_equal(mvcc_iter_open(&read, VIEW_LITERAL("\0"), VIEW_LITERAL("\0"), 0, &it), 0);
        for (n = 0, last.len = 0; mvcc_iter_next(it, &kv) == 0; n++) {
            assert_true(view_compare(last, kv.key) < 0);
            last = kv.key;
        }
        assert_int_equal(n, 2 + i);
        mvcc_iter_close(it);
        mvcc_read_end(&read);
        mvcc_check(f->m);
        if (i < ARRAY_LEN(later)) {
            struct kvs_put_req req = {.key = later[i], .value = VIEW_LITERAL("v")};

            assert_int_equal(fixture_put_req(f, &req, NULL), 0);
        }
    }
}

/* Opens the store anew with a 16th of `freeze_bytes` filled by each of these values. */
static void reopen_with_large_values(struct fixture *f, char value[10001])
{
    struct mvcc_options options = fixture_options(f);

    fixture_close(f);
    options.freeze_bytes = 160000;
    options.freeze_ms = 5000;
    options.freeze_quiet_ms = 500;
    options.release_quiet_ms = 1500;
    assert_int_equal(mvcc_open(&options, &f->m, NULL), 0);
    f->index = 0;
    memset(value, 'v', 10000);
    value[10000] = '\0';
}

static void test_stores_much_when_quiet(void **state)
{
    struct fixture *f = *state;
    char value[10001];

    reopen_with_large_values(f, value);
    fixture_put(f, "a", "little");
    mvcc_tick(f->m, 1000);
    assert_int_equal(mvcc_deadline_ms(f->m), 6000);
    fixture_put(f, "a", value);
    mvcc_tick(f->m, 1400);
    assert_int_equal(mvcc_deadline_ms(f->m), 1900);
    fixture_put(f, "b", "changed again");
    mvcc_tick(f->m, 1899);
    mvcc_tick(f->m, 2398);
    assert_false(mvcc_is_storing(f->m));
    assert_int_equal(mvcc_deadline_ms(f->m), 2399);
    mvcc_tick(f->m, 2399);
    assert_true(mvcc_is_storing(f->m));
    backend_inline_drain(&f->device);
    assert_true(mvcc_is_clean(f->m));
}

static void test_memory_is_released_when_quiet(void **state)
{
    struct fixture *f = *state;
    struct mvcc_read read;
    char value[10001];

    reopen_with_large_values(f, value);
    fixture_put(f, "a", value);
    mvcc_tick(f->m, 1000);
    mvcc_flush(f->m);
    mvcc_tick(f->m, 5000); /* not while a job is under way */
    assert_int_equal(mvcc_n_releases(f->m), 0);
    backend_inline_drain(&f->device);
    mvcc_read_begin(f->m, &read);
    mvcc_tick(f->m, 6000); /* nor while somebody reads */
    assert_int_equal(mvcc_n_releases(f->m), 0);
    mvcc_read_end(&read);
    fixture_put(f, "b", "not stored");
    mvcc_tick(f->m, 6001);
    mvcc_tick(f->m, 7500); /* 1499 ms after the last change */
    assert_int_equal(mvcc_n_releases(f->m), 0);
    mvcc_tick(f->m, 7501);
    assert_int_equal(mvcc_n_releases(f->m), 1);
    mvcc_check(f->m);
    assert_string_equal(fixture_get(f, "a", 0), value);
    assert_string_equal(fixture_get(f, "b", 0), "not stored");
    mvcc_tick(f->m, 9500); /* once is enough */
    assert_int_equal(mvcc_n_releases(f->m), 1);
    fixture_store(f);
    fixture_put(f, "a", "anew");
    fixture_store(f);
    assert_string_equal(fixture_get(f, "a", 0), "anew");
}

static void test_memory_is_released_after_a_burst(void **state)
{
    struct fixture *f = *state;
    char value[10001];

    reopen_with_large_values(f, value);
    for (int i = 0; i < 8; i++) {
        fixture_put(f, "a", value);
    }
    mvcc_tick(f->m, 1000);
    mvcc_flush(f->m);
    backend_inline_drain(&f->device);
    fixture_put(f, "a", value);
    mvcc_tick(f->m, 1001);
    assert_int_equal(mvcc_n_releases(f->m), 0);
    mvcc_flush(f->m);
    backend_inline_drain(&f->device);
    mvcc_tick(f->m, 1002); /* the batch was an eighth of the last */
    assert_int_equal(mvcc_n_releases(f->m), 1);
    assert_string_equal(fixture_get(f, "a", 0), value);
}

static void test_stores_by_size_and_says_busy(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    struct backend_size size;
    size_t overlay;
    char value[10001];

    fixture_close(f);
    options.freeze_bytes = 300 << 10;
    options.overlay_max_bytes = 1 << 20;
    assert_int_equal(mvcc_open(&options, &f->m, NULL), 0);
    memset(value, 'v', 10000);
    value[10000] = '\0';
    for (int i = 0; i < 50; i++) {
        fixture_put(f, "a", value);
    }
    assert_false(mvcc_is_busy(f->m));
    mvcc_tick(f->m, 1);
    assert_true(mvcc_is_storing(f->m));
    for (int i = 0; i < 80; i++) {
        fixture_put(f, "a", value);
    }
    assert_true(mvcc_is_busy(f->m)); /* the device is slow */
    mvcc_get_size(f->m, &size, &overlay);
    assert_true(overlay > 1300000);
    backend_inline_drain(&f->device);
    assert_false(mvcc_is_busy(f->m));
}

static void test_entry_without_change_is_stored(void **state)
{
    struct fixture *f = *state;

    mvcc_set_applied(f->m, 10, 3);
    assert_false(mvcc_is_clean(f->m));
    fixture_store(f);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(mvcc_applied_index(f->m), 10);
    assert_int_equal(mvcc_applied_term(f->m), 3);
    assert_int_equal(mvcc_revision(f->m), 1);
}

static void test_crash_loses_what_was_not_stored(void **state)
{
    struct fixture *f = *state;

    fixture_put(f, "a", "1");
    fixture_store(f);
    fixture_put(f, "a", "2");
    mvcc_flush(f->m);
    backend_inline_drop(&f->device);
    assert_int_equal(mvcc_failure(f->m), KVS_E_CLOSED);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(mvcc_applied_index(f->m), 1);
    assert_int_equal(mvcc_revision(f->m), 2);
    assert_string_equal(fixture_get(f, "a", 0), "1");
    fixture_put(f, "a", "2"); /* the log applies it again */
    fixture_store(f);
    assert_string_equal(fixture_get(f, "a", 0), "2");
    assert_string_equal(fixture_get(f, "a", 2), "1");
}

static int collect(void *ctx, struct kvs_view key, struct kvs_view value)
{
    char *text = ctx;
    size_t at = strlen(text);

    snprintf(text + at, 100 - at, "%.*s=%.*s ", (int)key.len, (const char *)key.data,
             (int)value.len, (const char *)value.data);
    return 0;
}

static int refuse(void *ctx, struct kvs_view key, struct kvs_view value)
{
    (void)ctx;
    (void)key;
    (void)value;
    return KVS_E_MALFORMED;
}

static void test_records_of_other_modules(void **state)
{
    struct fixture *f = *state;
    char text[100] = "";

    assert_int_equal(mvcc_meta_put(f->m, BACKEND_LEASES, view_str("b"), view_str("1")), 0);
    assert_int_equal(mvcc_meta_put(f->m, BACKEND_LEASES, view_str("a"), view_str("2")), 0);
    assert_int_equal(mvcc_meta_put(f->m, BACKEND_LEASES, view_str("b"), view_str("3")), 0);
    assert_int_equal(mvcc_meta_put(f->m, BACKEND_LEASES, view_str("c"), view_str("4")), 0);
    assert_int_equal(mvcc_meta_delete(f->m, BACKEND_LEASES, view_str("c")), 0);
    assert_int_equal(mvcc_meta_delete(f->m, BACKEND_LEASES, view_str("never")), 0);
    assert_int_equal(mvcc_meta_put(f->m, BACKEND_AUTH, view_str("x"), view_str("")), 0);
    fixture_store(f);
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(mvcc_meta_scan(f->m, BACKEND_LEASES, collect, text), 0);
    assert_string_equal(text, "a=2 b=3 ");
    assert_int_equal(mvcc_meta_scan(f->m, BACKEND_LEASES, refuse, NULL), KVS_E_MALFORMED);
    text[0] = '\0';
    assert_int_equal(mvcc_meta_scan(f->m, BACKEND_MEMBERS, collect, text), 0);
    assert_string_equal(text, "");
}

/* ---- The real thread ---------------------------------------------------------------------------
 */

static void post_wake(void *ctx)
{
    sem_post(ctx);
}

static void test_with_the_thread(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    struct backend_thread *t;
    char key[32];
    uint64_t hash;
    sem_t woken;

    fixture_close(f);
    assert_int_equal(sem_init(&woken, 0, 0), 0);
    assert_int_equal(backend_thread_new(post_wake, &woken, &t), 0);
    options.device = backend_thread_device(t);
    assert_int_equal(mvcc_open(&options, &f->m, NULL), 0);
    for (int i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "k%d", i % 700);
        fixture_put(f, key, "value");
        if (i % 97 == 0) {
            mvcc_flush(f->m);
        }
        if (i % 501 == 0) {
            (void)fixture_compact(f, mvcc_revision(f->m) - 10);
        }
        backend_thread_poll(t);
        assert_non_null(fixture_get(f, key, 0));
    }
    mvcc_flush(f->m);
    while (!mvcc_is_clean(f->m) || mvcc_is_storing(f->m)) {
        assert_int_equal(sem_wait(&woken), 0);
        backend_thread_poll(t);
        mvcc_flush(f->m);
    }
    assert_int_equal(mvcc_failure(f->m), 0);
    fixture_put(f, "k0", "stored");
    hash = fixture_hash(f, 0).hash;
    while (sem_trywait(&woken) == 0) {
    }
    mvcc_flush(f->m);
    assert_int_equal(sem_wait(&woken), 0); /* committed, but not reported yet */
    assert_int_equal(fixture_hash(f, 0).hash, hash);
    backend_thread_poll(t);
    assert_int_equal(fixture_hash(f, 0).hash, hash);
    fixture_put(f, "k0", "stored");
    mvcc_flush(f->m);
    fixture_put(f, "k0", "lost");
    backend_thread_free(t); /* what is submitted is stored, no more */
    assert_false(mvcc_is_storing(f->m));
    mvcc_close(f->m);
    fixture_open(f);
    assert_string_equal(fixture_get(f, "k0", 0), "stored");
    sem_destroy(&woken);
}

/* ---- History -----------------------------------------------------------------------------------
 */

static void test_history(void **state)
{
    struct fixture *f = *state;
    struct mvcc_history *h;
    struct kvs_event event;
    struct mvcc_read r;
    struct kvs_kv prev;

    fixture_put(f, "a", "1");
    fixture_put(f, "a", "2");
    fixture_store(f);
    assert_int_equal(fixture_delete(f, "a", ""), 1);
    fixture_put(f, "a", "3");
    mvcc_read_begin(f->m, &r);
    fixture_put(f, "a", "after the view");
    assert_int_equal(mvcc_history_open(&r, 3, 0, &h), 0);
    assert_int_equal(mvcc_history_next(h, &event), 0);
    assert_int_equal(event.kv.mod_revision, 3);
    assert_true(event.has_prev);
    assert_int_equal(mvcc_history_prev(h, &prev), 0);
    assert_true(view_equal_str(prev.value, "1"));
    assert_int_equal(mvcc_history_next(h, &event), 0);
    assert_int_equal(event.type, KVS_EVENT_DELETE);
    assert_int_equal(event.kv.version, 0);
    assert_int_equal(mvcc_history_prev(h, &prev), 0);
    assert_true(view_equal_str(prev.value, "2"));
    assert_int_equal(mvcc_history_next(h, &event), 0);
    assert_int_equal(event.kv.version, 1);
    assert_false(event.has_prev);
    assert_int_equal(mvcc_history_prev(h, &prev), KVS_E_NOT_FOUND);
    assert_int_equal(mvcc_history_next(h, &event), KVS_E_NOT_FOUND);
    mvcc_history_close(h);
    mvcc_read_end(&r);
    assert_int_equal(fixture_compact(f, 4), 0);
    mvcc_read_begin(f->m, &r);
    assert_int_equal(mvcc_history_open(&r, 3, 0, &h), KVS_E_COMPACTED);
    assert_int_equal(mvcc_history_open(&r, 4, 4, &h), 0);
    assert_int_equal(mvcc_history_next(h, &event), 0);
    assert_int_equal(event.type, KVS_EVENT_DELETE);
    assert_false(event.has_prev); /* compacted, or about to be */
    assert_int_equal(mvcc_history_next(h, &event), KVS_E_NOT_FOUND);
    mvcc_history_close(h);
    mvcc_read_end(&r);
}

/* ---- Leases ------------------------------------------------------------------------------------
 */

static size_t lease_count(struct fixture *f, kvs_lease_id lease)
{
    struct mvcc_read r;
    struct kvs_view *keys;
    size_t n;

    mvcc_read_begin(f->m, &r);
    assert_int_equal(mvcc_lease_keys(&r, lease, &f->arena, &keys, &n), 0);
    for (size_t i = 1; i < n; i++) {
        assert_true(view_compare(keys[i - 1], keys[i]) < 0);
    }
    mvcc_read_end(&r);
    return n;
}

static void put_leased(struct fixture *f, const char *key, kvs_lease_id lease)
{
    struct kvs_put_req req = {.key = view_str(key), .lease = lease};

    assert_int_equal(fixture_put_req(f, &req, NULL), 0);
}

static void test_lease_keys(void **state)
{
    struct fixture *f = *state;

    put_leased(f, "b", 7);
    put_leased(f, "a", 7);
    put_leased(f, "a", 7);
    put_leased(f, "c", 8);
    assert_int_equal(lease_count(f, 7), 2);
    fixture_store(f);
    assert_int_equal(lease_count(f, 7), 2);
    put_leased(f, "a", 8);
    put_leased(f, "b", 0);
    put_leased(f, "d", 7);
    assert_int_equal(lease_count(f, 7), 1);
    assert_int_equal(lease_count(f, 8), 2);
    fixture_store(f);
    assert_int_equal(lease_count(f, 7), 1);
    assert_int_equal(fixture_delete(f, "a", "z"), 4);
    assert_int_equal(lease_count(f, 8), 0);
    fixture_store(f);
    assert_int_equal(lease_count(f, 7), 0);
    assert_int_equal(lease_count(f, 9), 0);
}

/* ---- Hash --------------------------------------------------------------------------------------
 */

static void test_hash_depends_on_state_alone(void **state)
{
    struct fixture *f = *state;
    struct mvcc_hash *h;
    uint64_t at_4;
    uint64_t now;

    fixture_put(f, "a", "1");
    fixture_put(f, "b", "2");
    fixture_put(f, "a", "3");
    at_4 = fixture_hash(f, 0).hash;
    assert_int_equal(fixture_hash(f, 0).revision, 4);
    assert_int_equal(fixture_delete(f, "b", ""), 1);
    now = fixture_hash(f, 0).hash;
    assert_int_not_equal(now, at_4);
    fixture_store(f);
    assert_int_equal(fixture_hash(f, 0).hash, now);
    assert_int_equal(fixture_hash(f, 4).hash, at_4);
    assert_int_equal(fixture_hash(f, 4).current_revision, 5);
    assert_int_equal(mvcc_hash_begin(f->m, 6, &h), KVS_E_FUTURE_REV);
    assert_int_equal(fixture_compact(f, 5), 0);
    assert_int_equal(mvcc_hash_begin(f->m, 4, &h), KVS_E_COMPACTED);
    now = fixture_hash(f, 0).hash; /* logically compacted, nothing deleted yet */
    assert_int_equal(fixture_hash(f, 0).compact_revision, 5);
    fixture_compact_physically(f);
    assert_int_equal(fixture_hash(f, 0).hash, now);
}

/* A key that came and went in the very revision that is compacted to: kept until the next time. */
static void test_hash_of_a_short_life(void **state)
{
    struct fixture *f = *state;
    struct kvs_put_req put = {.key = VIEW_LITERAL("a"), .value = VIEW_LITERAL("1")};
    struct kvs_delete_req del = {.key = put.key};
    uint64_t hash;

    fixture_put(f, "a", "0");
    mvcc_txn_begin(f->m, ++f->index, 1);
    assert_int_equal(mvcc_txn_put(f->m, &put, &f->arena, NULL), 0);
    assert_int_equal(mvcc_txn_delete(f->m, &del, &f->arena, NULL), 0);
    mvcc_txn_end(f->m, &f->commit);
    assert_int_equal(fixture_compact(f, 3), 0);
    hash = fixture_hash(f, 0).hash;
    fixture_compact_physically(f);
    assert_int_equal(fixture_hash(f, 0).hash, hash);
    assert_int_equal(fixture_hist_count(f), 2);
    fixture_put(f, "b", "0");
    assert_int_equal(fixture_compact(f, 4), 0);
    hash = fixture_hash(f, 0).hash;
    fixture_compact_physically(f);
    assert_int_equal(fixture_hash(f, 0).hash, hash);
    assert_int_equal(fixture_hist_count(f), 1);
}

/* ---- Damage ------------------------------------------------------------------------------------
 */

/* Changes a record of `table` behind the store's back; `at` counts from the value's end. */
static void
damage(struct fixture *f, enum backend_table table, const char *key, size_t key_len, size_t at)
{
    struct backend *b = mvcc_backend_ref(f->m);
    struct backend_txn *txn;
    struct kvs_view value;
    char bytes[500];

    assert_int_equal(backend_write_begin(b, &txn), 0);
    assert_int_equal(backend_get(txn, table, view_make(key, key_len), &value), 0);
    memcpy(bytes, value.data, value.len);
    bytes[value.len - at] ^= 1;
    assert_int_equal(backend_put(txn, table, view_make(key, key_len), view_make(bytes, value.len)),
                     0);
    assert_int_equal(backend_commit(txn), 0);
    backend_unref(b);
    fixture_close(f);
}

static void test_damaged_value_is_no_answer(void **state)
{
    struct fixture *f = *state;
    struct kvs_range_req req = {.key = VIEW_LITERAL("a"), .range_end = VIEW_LITERAL("z")};
    struct kvs_range_resp resp;
    struct mvcc_read r;
    struct kvs_kv kv;
    struct kvs_put_req put = {.key = VIEW_LITERAL("a"), .value = VIEW_LITERAL("new")};

    fixture_put(f, "a", "value");
    fixture_put(f, "b", "value");
    fixture_store(f);
    damage(f, BACKEND_CUR, "a", 1, 2);
    fixture_open(f);
    mvcc_read_begin(f->m, &r);
    assert_int_equal(mvcc_get(&r, view_str("a"), 0, &kv), KVS_E_DAMAGED);
    mvcc_read_end(&r);
    assert_int_equal(fixture_range(f, &req, &resp), KVS_E_DAMAGED);
    assert_string_equal(fixture_get(f, "b", 0), "value");
    assert_int_equal(fixture_put_req(f, &put, NULL), KVS_E_DAMAGED);
    assert_int_equal(mvcc_failure(f->m), KVS_E_DAMAGED); /* and nothing more is applied */
    put.key = VIEW_LITERAL("c");
    assert_int_equal(fixture_put_req(f, &put, NULL), KVS_E_DAMAGED);
}

static void test_damaged_state_refuses_to_open(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    struct kvs_error error;

    fixture_put(f, "a", "1");
    fixture_store(f);
    damage(f, BACKEND_META, "state", 5, 9);
    assert_int_equal(mvcc_open(&options, &f->m, &error), KVS_E_DAMAGED);
    assert_non_null(strstr(error.msg, f->dir));
    f->m = NULL;
}

static void test_unknown_version_refuses_to_open(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);

    damage(f, BACKEND_META, "format", 6, 2);
    assert_int_equal(mvcc_open(&options, &f->m, NULL), KVS_E_VERSION);
    f->m = NULL;
}

static void test_foreign_data_refuses_to_open(void **state)
{
    struct fixture *f = *state;
    struct mvcc_options options = fixture_options(f);
    struct backend *b = mvcc_backend_ref(f->m);
    struct backend_txn *txn;

    assert_int_equal(backend_write_begin(b, &txn), 0);
    assert_int_equal(backend_delete(txn, BACKEND_META, view_str("format")), 0);
    assert_int_equal(backend_put(txn, BACKEND_CUR, view_str("x"), view_str("y")), 0);
    assert_int_equal(backend_commit(txn), 0);
    backend_unref(b);
    fixture_close(f);
    assert_int_equal(mvcc_open(&options, &f->m, NULL), KVS_E_DAMAGED);
    f->m = NULL;
}

/* ---- Snapshots ---------------------------------------------------------------------------------
 */

static void save(struct fixture *f, struct mvcc_snapshot *s, char path[128])
{
    struct backend *b = mvcc_backend_ref(f->m);
    char from[64];

    assert_int_equal(mvcc_snapshot_take(b, f->dir, s), 0);
    backend_unref(b);
    snprintf(path, 128, "%s/incoming", f->dir);
    snprintf(from, sizeof from, "/proc/self/fd/%d", s->fd);
    assert_int_equal(linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW), 0);
    close(s->fd);
}

static void test_snapshot_and_install(void **state)
{
    struct fixture *f = *state;
    struct mvcc_snapshot s;
    struct mvcc_snapshot seen;
    struct mvcc_read old;
    struct kvs_kv kv;
    char path[128];

    fixture_put(f, "a", "1");
    fixture_put(f, "a", "2");
    assert_int_equal(fixture_compact(f, 2), 0);
    fixture_store(f);
    fixture_put(f, "a", "not stored");
    save(f, &s, path);
    assert_int_equal(s.index, 3);
    assert_int_equal(s.term, 1);
    assert_int_equal(s.revision, 3);
    assert_int_equal(s.compact_revision, 2);
    assert_int_equal(mvcc_snapshot_inspect(path, &seen), 0);
    assert_int_equal(seen.index, 3);
    assert_int_equal(seen.size_bytes, s.size_bytes);

    fixture_put(f, "b", "will be gone");
    mvcc_flush(f->m);
    assert_int_equal(mvcc_install(f->m, path), KVS_E_BUSY);
    backend_inline_drain(&f->device);
    fixture_put(f, "c", "too");
    mvcc_read_begin(f->m, &old);
    assert_int_equal(mvcc_install(f->m, path), 0);
    assert_int_equal(mvcc_applied_index(f->m), 3);
    assert_int_equal(mvcc_revision(f->m), 3);
    assert_int_equal(mvcc_compact_revision(f->m), 2);
    assert_string_equal(fixture_get(f, "a", 0), "2");
    assert_null(fixture_get(f, "b", 0));
    assert_int_equal(mvcc_get(&old, view_str("c"), 0, &kv), 0); /* the old view lives on */
    assert_int_equal(mvcc_get(&old, view_str("b"), 0, &kv), 0);
    mvcc_read_end(&old);
    f->index = mvcc_applied_index(f->m);
    fixture_put(f, "d", "new");
    fixture_store(f);
    fixture_close(f);
    fixture_open(f);
    assert_string_equal(fixture_get(f, "d", 0), "new");
    assert_null(fixture_get(f, "c", 0));
}

static void test_bad_snapshot_is_refused(void **state)
{
    struct fixture *f = *state;
    struct mvcc_snapshot s;
    char path[128];

    fixture_put(f, "a", "1");
    fixture_store(f);
    save(f, &s, path);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(mvcc_install(f->m, path), KVS_E_DAMAGED);
    assert_int_equal(mvcc_install(f->m, "/nonexistent"), KVS_E_IO);
    assert_int_equal(mvcc_failure(f->m), 0);
    assert_string_equal(fixture_get(f, "a", 0), "1");
    fixture_put(f, "a", "2");
    fixture_store(f);
    assert_int_equal(unlink(path), 0);
}

/* ---- Long keys with equal hashes ---------------------------------------------------------------
 */

/* Pretends that another key has the same prefix and hash: its record sits under number 0. */
static void test_equal_hashes_are_told_apart(void **state)
{
    struct fixture *f = *state;
    struct backend *b = mvcc_backend_ref(f->m);
    struct backend_txn *txn;
    char mine[600];
    char theirs[600];
    struct record r = {.mod = {2, 0}, .version = 1, .create = 2};
    struct dbkey first;
    struct dbkey second;
    struct dbkey found;
    uint8_t rev[RECORD_REV_BYTES];
    uint8_t idx[RECORD_IDX_BYTES];
    struct buf bytes;

    memset(mine, 'm', sizeof mine);
    memcpy(theirs, mine, sizeof mine);
    theirs[599] = 't';
    assert_int_equal(backend_write_begin(b, &txn), 0);
    assert_int_equal(dbkey_find(txn, view_make(mine, 600), &first), KVS_E_NOT_FOUND);
    r.key = view_make(theirs, 600);
    buf_init(&bytes);
    record_hist_encode(&r, &bytes);
    record_rev_encode(r.mod, rev);
    record_idx_encode(r.mod, false, idx);
    assert_int_equal(backend_put(txn, BACKEND_HIST, view_make(rev, sizeof rev), buf_view(&bytes)),
                     0);
    assert_int_equal(backend_put(txn, BACKEND_IDX, first.view, view_make(idx, sizeof idx)), 0);

    assert_int_equal(dbkey_assign(txn, view_make(mine, 600), &second), 0);
    assert_false(view_equal(first.view, second.view));
    assert_memory_equal(first.bytes, second.bytes, DBKEY_SHORT_MAX + 8);
    r.key = view_make(mine, 600);
    r.mod.main = 3;
    buf_clear(&bytes);
    record_hist_encode(&r, &bytes);
    record_rev_encode(r.mod, rev);
    record_idx_encode(r.mod, false, idx);
    assert_int_equal(backend_put(txn, BACKEND_HIST, view_make(rev, sizeof rev), buf_view(&bytes)),
                     0);
    assert_int_equal(backend_put(txn, BACKEND_IDX, second.view, view_make(idx, sizeof idx)), 0);
    assert_int_equal(dbkey_find(txn, view_make(mine, 600), &found), 0);
    assert_true(view_equal(found.view, second.view));
    /* The first number becomes free again, and the second key keeps its own. */
    assert_int_equal(backend_delete(txn, BACKEND_IDX, first.view), 0);
    assert_int_equal(dbkey_find(txn, view_make(mine, 600), &found), 0);
    assert_true(view_equal(found.view, second.view));
    assert_int_equal(dbkey_assign(txn, view_make(mine, 600), &found), 0);
    assert_true(view_equal(found.view, second.view));
    backend_end(txn);
    backend_unref(b);
    buf_fini(&bytes);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(test_new_store),
        WITH_STORE(test_stores_by_age),
        WITH_STORE(test_keys_are_in_order_whatever_came_first),
        WITH_STORE(test_values_are_shared_with_the_entry),
        WITH_STORE(test_stores_much_when_quiet),
        WITH_STORE(test_memory_is_released_when_quiet),
        WITH_STORE(test_memory_is_released_after_a_burst),
        WITH_STORE(test_stores_by_size_and_says_busy),
        WITH_STORE(test_entry_without_change_is_stored),
        WITH_STORE(test_crash_loses_what_was_not_stored),
        WITH_STORE(test_records_of_other_modules),
        WITH_STORE(test_with_the_thread),
        WITH_STORE(test_history),
        WITH_STORE(test_lease_keys),
        WITH_STORE(test_hash_depends_on_state_alone),
        WITH_STORE(test_hash_of_a_short_life),
        WITH_STORE(test_damaged_value_is_no_answer),
        WITH_STORE(test_damaged_state_refuses_to_open),
        WITH_STORE(test_unknown_version_refuses_to_open),
        WITH_STORE(test_foreign_data_refuses_to_open),
        WITH_STORE(test_snapshot_and_install),
        WITH_STORE(test_bad_snapshot_is_refused),
        WITH_STORE(test_equal_hashes_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
