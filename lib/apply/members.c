#include "apply/members.h"

#include <string.h>

#include "apply/codec.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/view.h"

#define MEMBER_VERSION 1
#define MEMBER_LEARNER 1u

void members_init(struct member_table *t)
{
    *t = (struct member_table){0};
}

void members_fini(struct member_table *t)
{
    for (size_t i = 0; i < t->n_items; i++) {
        kvs_free(t->blocks[i]);
    }
    members_forget_leaving(t);
    kvs_free(t->removed);
    kvs_free(t->raft_conf.data);
    members_init(t);
}

/* The first index whose id is not below `id`. */
static size_t members_place(const struct member_table *t, uint64_t id)
{
    size_t at = 0;

    while (at < t->n_items && t->items[at].id < id) {
        at++;
    }
    return at;
}

int members_find(const struct member_table *t, uint64_t id)
{
    size_t at = members_place(t, id);

    return at < t->n_items && t->items[at].id == id ? (int)at : -1;
}

bool members_was_removed(const struct member_table *t, uint64_t id)
{
    for (size_t i = 0; i < t->n_removed; i++) {
        if (t->removed[i] == id) {
            return true;
        }
    }
    return false;
}

/* --- Rules ------------------------------------------------------------------------------------ */

static bool member_has_url(const struct kvs_member *m, struct kvs_view url)
{
    for (size_t i = 0; i < m->n_peer_urls; i++) {
        if (view_equal(m->peer_urls[i], url)) {
            return true;
        }
    }
    return false;
}

/* Peer URLs of another member. */
static int check_urls(const struct member_table *t, const struct apply_member_change *change)
{
    if (change->n_peer_urls == 0) {
        return KVS_E_MEMBER_BAD_URLS;
    }
    for (size_t i = 0; i < t->n_items; i++) {
        for (size_t j = 0; j < change->n_peer_urls && t->items[i].id != change->id; j++) {
            if (member_has_url(&t->items[i], change->peer_urls[j])) {
                return KVS_E_PEER_URL_EXISTS;
            }
        }
    }
    return 0;
}

static size_t members_count_learners(const struct member_table *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_items; i++) {
        n += t->items[i].is_learner ? 1 : 0;
    }
    return n;
}

static int check_add(const struct member_table *t,
                     const struct apply_member_change *change,
                     size_t learners_max)
{
    int err;

    if (members_find(t, change->id) >= 0) {
        return KVS_E_MEMBER_EXISTS;
    }
    err = check_urls(t, change);
    if (err != 0) {
        return err;
    }
    if (change->is_learner && learners_max > 0 && members_count_learners(t) >= learners_max) {
        return KVS_E_TOO_MANY_LEARNERS;
    }
    return t->n_items < APPLY_MEMBERS_MAX ? 0 : KVS_E_TOO_LONG;
}

int members_check(const struct member_table *t,
                  const struct apply_member_change *change,
                  size_t learners_max)
{
    int at = members_find(t, change->id);

    if (change->id == 0 || members_was_removed(t, change->id)) {
        return KVS_E_MEMBER_NOT_FOUND;
    }
    if (change->op == APPLY_MEMBER_ADD) {
        return check_add(t, change, learners_max);
    }
    if (at < 0) {
        return KVS_E_MEMBER_NOT_FOUND;
    }
    if (change->op == APPLY_MEMBER_UPDATE) {
        return check_urls(t, change);
    }
    if (change->op == APPLY_MEMBER_PROMOTE && !t->items[at].is_learner) {
        return KVS_E_MEMBER_NOT_LEARNER;
    }
    return 0;
}

/* --- Changes ---------------------------------------------------------------------------------- */

static size_t urls_bytes(const struct kvs_view *urls, size_t n)
{
    size_t bytes = n * sizeof *urls;

    for (size_t i = 0; i < n; i++) {
        bytes += urls[i].len;
    }
    return bytes;
}

/* Copies to *at and moves it. */
static struct kvs_view copy_view(struct kvs_view from, uint8_t **at)
{
    struct kvs_view to = {*at, from.len};

    if (from.len > 0) {
        memcpy(*at, from.data, from.len);
        *at += from.len;
    }
    return to;
}

static struct kvs_view *
copy_urls(const struct kvs_view *from, size_t n, struct kvs_view *to, uint8_t **at)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = copy_view(from[i], at);
    }
    return to;
}

/* One block: both arrays of views, then the bytes. NULL if out of memory. */
static void *member_copy(const struct kvs_member *from, struct kvs_member *ret_copy)
{
    size_t n_views = from->n_peer_urls + from->n_client_urls;
    size_t bytes = from->name.len + urls_bytes(from->peer_urls, from->n_peer_urls) +
                   urls_bytes(from->client_urls, from->n_client_urls);
    struct kvs_view *views = kvs_malloc(bytes);
    uint8_t *at;

    if (views == NULL) {
        return NULL;
    }
    at = (uint8_t *)(views + n_views);
    *ret_copy = *from;
    ret_copy->name = copy_view(from->name, &at);
    ret_copy->peer_urls = copy_urls(from->peer_urls, from->n_peer_urls, views, &at);
    ret_copy->client_urls =
        copy_urls(from->client_urls, from->n_client_urls, views + from->n_peer_urls, &at);
    return views;
}

int members_put(struct member_table *t, const struct kvs_member *member)
{
    size_t at = members_place(t, member->id);
    bool replace = at < t->n_items && t->items[at].id == member->id;
    struct kvs_member copy;
    void *block;

    if (!replace && t->n_items == APPLY_MEMBERS_MAX) {
        return KVS_E_TOO_LONG;
    }
    block = member_copy(member, &copy);
    if (block == NULL) {
        return KVS_E_NOMEM;
    }
    if (replace) {
        kvs_free(t->blocks[at]);
    } else {
        memmove(&t->items[at + 1], &t->items[at], (t->n_items - at) * sizeof t->items[0]);
        memmove(&t->blocks[at + 1], &t->blocks[at], (t->n_items - at) * sizeof t->blocks[0]);
        t->n_items++;
    }
    t->items[at] = copy;
    t->blocks[at] = block;
    return 0;
}

static int members_remember(struct member_table *t, uint64_t id)
{
    if (members_was_removed(t, id)) {
        return 0;
    }
    if (t->n_removed == t->removed_capacity) {
        size_t capacity = t->removed_capacity > 0 ? t->removed_capacity * 2 : 8;
        uint64_t *removed = kvs_realloc(t->removed, capacity * sizeof *removed);

        if (removed == NULL) {
            return KVS_E_NOMEM;
        }
        t->removed = removed;
        t->removed_capacity = capacity;
    }
    t->removed[t->n_removed++] = id;
    return 0;
}

int members_remove(struct member_table *t, uint64_t id)
{
    int found = members_find(t, id);
    int err = members_remember(t, id);

    if (err != 0 || found < 0) {
        return err;
    }
    size_t at = (size_t)found;

    members_forget_leaving(t);
    t->leaving = t->items[at];
    t->leaving_block = t->blocks[at];
    t->n_items--;
    memmove(&t->items[at], &t->items[at + 1], (t->n_items - at) * sizeof t->items[0]);
    memmove(&t->blocks[at], &t->blocks[at + 1], (t->n_items - at) * sizeof t->blocks[0]);
    return 0;
}

int members_set_leaving(struct member_table *t, const struct kvs_member *member)
{
    struct kvs_member copy;
    void *block = member_copy(member, &copy);

    if (block == NULL) {
        return KVS_E_NOMEM;
    }
    members_forget_leaving(t);
    t->leaving = copy;
    t->leaving_block = block;
    return 0;
}

void members_forget_leaving(struct member_table *t)
{
    kvs_free(t->leaving_block);
    t->leaving_block = NULL;
    t->leaving = (struct kvs_member){0};
}

int members_set_raft_conf(struct member_table *t, struct kvs_view raft_conf)
{
    void *copy = kvs_malloc(raft_conf.len);

    if (copy == NULL) {
        return KVS_E_NOMEM;
    }
    if (raft_conf.len > 0) {
        memcpy(copy, raft_conf.data, raft_conf.len);
    }
    kvs_free(t->raft_conf.data);
    t->raft_conf = (struct kvs_blob){copy, raft_conf.len};
    return 0;
}

/* --- Records ---------------------------------------------------------------------------------- */

int member_encode(const struct kvs_member *member, struct buf *to)
{
    int err;

    buf_append_u8(to, MEMBER_VERSION);
    buf_append_u8(to, member->is_learner ? MEMBER_LEARNER : 0);
    write_bytes(to, member->name);
    err = write_urls(to, member->peer_urls, member->n_peer_urls);
    return err != 0 ? err : write_urls(to, member->client_urls, member->n_client_urls);
}

int member_decode(uint64_t id,
                  struct kvs_view record,
                  struct arena *arena,
                  struct kvs_member *ret_member)
{
    struct reader r;
    int err;

    reader_init(&r, record);
    if (read_u8(&r) != MEMBER_VERSION) {
        return record.len > 0 ? KVS_E_VERSION : KVS_E_DAMAGED;
    }
    *ret_member = (struct kvs_member){.id = id};
    ret_member->is_learner = read_flags(&r, MEMBER_LEARNER) != 0;
    ret_member->name = read_bytes(&r, APPLY_NAME_BYTES_MAX);
    ret_member->peer_urls = read_urls(&r, arena, &ret_member->n_peer_urls);
    ret_member->client_urls = read_urls(&r, arena, &ret_member->n_client_urls);
    err = reader_finish(&r);
    return err == 0 || err == KVS_E_NOMEM ? err : KVS_E_DAMAGED;
}

void members_verify(const struct member_table *t)
{
    for (size_t i = 0; i < t->n_items; i++) {
        kvs_assert(t->items[i].id != 0 && t->blocks[i] != NULL);
        kvs_assert(i == 0 || t->items[i - 1].id < t->items[i].id);
        kvs_assert(!members_was_removed(t, t->items[i].id));
        for (size_t j = 0; j < i; j++) {
            for (size_t k = 0; k < t->items[j].n_peer_urls; k++) {
                kvs_assert(!member_has_url(&t->items[i], t->items[j].peer_urls[k]));
            }
        }
    }
    kvs_assert((t->leaving.id == 0) == (t->leaving_block == NULL));
    kvs_assert(t->leaving.id == 0 || members_was_removed(t, t->leaving.id));
}
