#include "node/ident.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/view.h"
#include "node/digest.h"

static int ident_compare_views(const void *a, const void *b)
{
    return view_compare(*(const struct kvs_view *)a, *(const struct kvs_view *)b);
}

static int ident_compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static int ident_compare_members(const void *a, const void *b)
{
    return ident_compare_ids(&((const struct kvs_member *)a)->id,
                             &((const struct kvs_member *)b)->id);
}

uint64_t
ident_member_id(struct kvs_view *urls, size_t n_urls, const char *token, uint64_t added_at_s)
{
    struct buf text;
    uint64_t id;

    qsort(urls, n_urls, sizeof *urls, ident_compare_views);
    buf_init(&text);
    for (size_t i = 0; i < n_urls; i++) {
        buf_append_view(&text, urls[i]);
    }
    buf_append_str(&text, token);
    if (added_at_s != 0) {
        buf_printf(&text, "%" PRIu64, added_at_s);
    }
    id = text.failed ? 0 : digest_sha1_id(buf_view(&text));
    buf_fini(&text);
    return id;
}

uint64_t ident_cluster_id(uint64_t *ids, size_t n_ids)
{
    uint8_t bytes[IDENT_MEMBERS_MAX * 8];

    kvs_assert(n_ids <= IDENT_MEMBERS_MAX);
    qsort(ids, n_ids, sizeof *ids, ident_compare_ids);
    for (size_t i = 0; i < n_ids; i++) {
        store_be64(bytes + i * 8, ids[i]);
    }
    return digest_sha1_id(view_make(bytes, n_ids * 8));
}

static bool ident_port_is_valid(struct kvs_view port)
{
    unsigned value = 0;

    if (port.len == 0 || port.len > 5) {
        return false;
    }
    for (size_t i = 0; i < port.len; i++) {
        char c = ((const char *)port.data)[i];

        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(c - '0');
    }
    return value <= 65535;
}

bool ident_url_is_valid(struct kvs_view url)
{
    static const char *const schemes[] = {"http://", "https://", "unix://", "unixs://"};
    const char *text = url.data;

    if (url.len == 0 || url.len > IDENT_URL_BYTES_MAX || memchr(text, '\0', url.len) != NULL) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t skip = strlen(schemes[i]);
        const char *host = text + skip;
        const char *colon;

        if (url.len <= skip || memcmp(text, schemes[i], skip) != 0) {
            continue;
        }
        if (memchr(host, '/', url.len - skip) != NULL) {
            return false;
        }
        colon = memrchr(host, ':', url.len - skip);
        return colon != NULL && colon > host &&
               ident_port_is_valid(view_make(colon + 1, (size_t)(text + url.len - colon - 1)));
    }
    return false;
}

int ident_parse_urls(const char *urls,
                     struct arena *arena,
                     struct kvs_view **ret_urls,
                     size_t *ret_n)
{
    struct kvs_view *list = arena_calloc(arena, IDENT_URLS_MAX, sizeof *list);
    size_t n = 0;

    if (list == NULL) {
        return KVS_E_NOMEM;
    }
    for (const char *at = urls; *at != '\0';) {
        size_t len = strcspn(at, ",");
        int err;

        if (n == IDENT_URLS_MAX || !ident_url_is_valid(view_make(at, len))) {
            return KVS_E_MEMBER_BAD_URLS;
        }
        err = arena_copy(arena, view_make(at, len), &list[n++]);
        if (err != 0) {
            return err;
        }
        at += len + (at[len] == ',' ? 1 : 0);
    }
    if (n == 0) {
        return KVS_E_MEMBER_BAD_URLS;
    }
    *ret_urls = list;
    *ret_n = n;
    return 0;
}

static struct kvs_member *ident_member_of_name(struct ident_cluster *c, struct kvs_view name)
{
    for (size_t i = 0; i < c->n_members; i++) {
        if (view_equal(c->members[i].name, name)) {
            return &c->members[i];
        }
    }
    return NULL;
}

static int
ident_add(struct ident_cluster *c, struct arena *arena, struct kvs_view name, struct kvs_view url)
{
    struct kvs_member *m = ident_member_of_name(c, name);
    int err;

    if (!ident_url_is_valid(url) || name.len == 0) {
        return KVS_E_INVALID;
    }
    if (m == NULL) {
        if (c->n_members == IDENT_MEMBERS_MAX) {
            return KVS_E_INVALID;
        }
        m = &c->members[c->n_members++];
        *m = (struct kvs_member){0};
        m->peer_urls = arena_calloc(arena, IDENT_URLS_MAX, sizeof *m->peer_urls);
        err = m->peer_urls == NULL ? KVS_E_NOMEM : arena_copy(arena, name, &m->name);
        if (err != 0) {
            return err;
        }
    }
    if (m->n_peer_urls == IDENT_URLS_MAX) {
        return KVS_E_INVALID;
    }
    return arena_copy(arena, url, &m->peer_urls[m->n_peer_urls++]);
}

static int ident_number(struct ident_cluster *c, const char *token)
{
    uint64_t ids[IDENT_MEMBERS_MAX];

    for (size_t i = 0; i < c->n_members; i++) {
        struct kvs_member *m = &c->members[i];

        m->id = ident_member_id(m->peer_urls, m->n_peer_urls, token, 0);
        if (m->id == 0) {
            return KVS_E_NOMEM;
        }
        ids[i] = m->id;
    }
    qsort(c->members, c->n_members, sizeof c->members[0], ident_compare_members);
    c->cluster_id = ident_cluster_id(ids, c->n_members);
    return 0;
}

int ident_parse_cluster(const char *initial_cluster,
                        const char *token,
                        struct arena *arena,
                        struct ident_cluster *ret_cluster,
                        struct kvs_error *ret_error)
{
    struct ident_cluster *c = ret_cluster;

    c->n_members = 0;
    for (const char *at = initial_cluster; *at != '\0';) {
        size_t len = strcspn(at, ",");
        const char *equals = memchr(at, '=', len);
        int err = KVS_E_INVALID;

        if (equals != NULL) {
            err = ident_add(c, arena, view_make(at, (size_t)(equals - at)),
                            view_make(equals + 1, (size_t)(at + len - equals - 1)));
        }
        if (err != 0) {
            ret_error->code = err;
            (void)snprintf(ret_error->msg, sizeof ret_error->msg,
                           "bad initial-cluster entry \"%.*s\"", (int)len, at);
            return err;
        }
        at += len + (at[len] == ',' ? 1 : 0);
    }
    if (c->n_members == 0) {
        ret_error->code = KVS_E_INVALID;
        (void)snprintf(ret_error->msg, sizeof ret_error->msg, "initial-cluster names no member");
        return KVS_E_INVALID;
    }
    if (ident_number(c, token) != 0) {
        ret_error->code = KVS_E_NOMEM;
        (void)snprintf(ret_error->msg, sizeof ret_error->msg, "out of memory");
        return KVS_E_NOMEM;
    }
    return 0;
}

const struct kvs_member *ident_find_name(const struct ident_cluster *c, const char *name)
{
    for (size_t i = 0; i < c->n_members; i++) {
        if (view_equal_str(c->members[i].name, name)) {
            return &c->members[i];
        }
    }
    return NULL;
}
