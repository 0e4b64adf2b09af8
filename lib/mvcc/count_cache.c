#include "mvcc/count_cache.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"

#define COUNT_CACHE_BYTES_MAX 1024

void count_cache_clear(struct count_cache *c)
{
    for (unsigned i = 0; i < COUNT_CACHE_ENTRIES; i++) {
        c->entries[i].rev = 0;
    }
}

void count_cache_fini(struct count_cache *c)
{
    for (unsigned i = 0; i < COUNT_CACHE_ENTRIES; i++) {
        kvs_free(c->entries[i].bytes);
    }
    *c = (struct count_cache){0};
}

static bool count_entry_is(const struct count_entry *e,
                           struct kvs_view key,
                           struct kvs_view end,
                           kvs_revision rev)
{
    return e->rev == rev && view_equal(view_make(e->bytes, e->key_len), key) &&
           view_equal(view_make(e->bytes + e->key_len, e->end_len), end);
}

bool count_cache_get(const struct count_cache *c,
                     struct kvs_view key,
                     struct kvs_view end,
                     kvs_revision rev,
                     int64_t *ret_count)
{
    kvs_assert(rev > 0);
    for (unsigned i = 0; i < COUNT_CACHE_ENTRIES; i++) {
        if (count_entry_is(&c->entries[i], key, end, rev)) {
            *ret_count = c->entries[i].count;
            return true;
        }
    }
    return false;
}

/* `suffix_len` zero bytes are added to the key. */
static void count_cache_add(struct count_cache *c,
                            struct kvs_view key,
                            size_t suffix_len,
                            struct kvs_view end,
                            kvs_revision rev,
                            int64_t count)
{
    struct count_entry *e = &c->entries[c->next];
    size_t key_len = key.len + suffix_len;

    kvs_assert(rev > 0 && count >= 0);
    if (key_len + end.len > COUNT_CACHE_BYTES_MAX) {
        return;
    }
    e->rev = 0;
    if (e->bytes == NULL && (e->bytes = kvs_malloc(COUNT_CACHE_BYTES_MAX)) == NULL) {
        return;
    }
    memcpy(e->bytes, key.data, key.len);
    memset(e->bytes + key.len, 0, suffix_len);
    memcpy(e->bytes + key_len, end.data, end.len);
    e->rev = rev;
    e->count = count;
    e->key_len = key_len;
    e->end_len = end.len;
    c->next = (c->next + 1) % COUNT_CACHE_ENTRIES;
}

void count_cache_put(struct count_cache *c,
                     struct kvs_view key,
                     struct kvs_view end,
                     kvs_revision rev,
                     int64_t count)
{
    int64_t known;

    if (!count_cache_get(c, key, end, rev, &known)) {
        count_cache_add(c, key, 0, end, rev, count);
    }
    kvs_dassert(!count_cache_get(c, key, end, rev, &known) || known == count);
}

void count_cache_put_after(struct count_cache *c,
                           struct kvs_view last,
                           struct kvs_view end,
                           kvs_revision rev,
                           int64_t count)
{
    count_cache_add(c, last, 1, end, rev, count);
}
