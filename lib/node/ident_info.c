/* Format: u8 version (1), u8 members; each: u64 id, u8 learner, string name, u8 urls, strings.
 * Integers little-endian; a string is u32 length and bytes. */
#include "node/ident_info.h"

#include "base/bytes.h"
#include "base/view.h"

#define IDENT_INFO_VERSION    1
#define IDENT_INFO_STRING_MAX 4096

static void info_put_string(struct buf *b, struct kvs_view text)
{
    buf_append_le32(b, (uint32_t)text.len);
    buf_append_view(b, text);
}

void ident_info_encode(struct buf *b, const struct kvs_member *members, size_t n_members)
{
    size_t n = n_members < IDENT_MEMBERS_MAX ? n_members : IDENT_MEMBERS_MAX;

    buf_append_u8(b, IDENT_INFO_VERSION);
    buf_append_u8(b, (uint8_t)n);
    for (size_t i = 0; i < n; i++) {
        const struct kvs_member *m = &members[i];
        size_t n_urls = m->n_peer_urls < IDENT_URLS_MAX ? m->n_peer_urls : IDENT_URLS_MAX;

        buf_append_le64(b, m->id);
        buf_append_u8(b, m->is_learner ? 1 : 0);
        info_put_string(b, m->name);
        buf_append_u8(b, (uint8_t)n_urls);
        for (size_t u = 0; u < n_urls; u++) {
            info_put_string(b, m->peer_urls[u]);
        }
    }
}

struct info_reader {
    const uint8_t *at;
    size_t left;
    struct arena *arena;
    int err;
};

static const uint8_t *info_take(struct info_reader *r, size_t len)
{
    const uint8_t *at = r->at;

    if (r->err != 0 || r->left < len) {
        r->err = r->err != 0 ? r->err : KVS_E_MALFORMED;
        return NULL;
    }
    r->at += len;
    r->left -= len;
    return at;
}

static unsigned info_u8(struct info_reader *r)
{
    const uint8_t *at = info_take(r, 1);

    return at != NULL ? *at : 0;
}

static uint64_t info_u64(struct info_reader *r)
{
    const uint8_t *at = info_take(r, 8);

    return at != NULL ? load_le64(at) : 0;
}

static struct kvs_view info_string(struct info_reader *r)
{
    const uint8_t *len = info_take(r, 4);
    struct kvs_view copy = {0};
    const uint8_t *bytes;

    if (len == NULL) {
        return copy;
    }
    if (load_le32(len) > IDENT_INFO_STRING_MAX) {
        r->err = KVS_E_MALFORMED;
        return copy;
    }
    bytes = info_take(r, load_le32(len));
    if (bytes != NULL) {
        r->err = arena_copy(r->arena, view_make(bytes, load_le32(len)), &copy);
    }
    return copy;
}

static void info_member(struct info_reader *r, struct kvs_member *m)
{
    *m = (struct kvs_member){.id = info_u64(r)};
    m->is_learner = info_u8(r) != 0;
    m->name = info_string(r);
    m->n_peer_urls = info_u8(r);
    if (r->err == 0 && (m->n_peer_urls > IDENT_URLS_MAX || m->id == 0)) {
        r->err = KVS_E_MALFORMED;
    }
    if (r->err != 0) {
        return;
    }
    m->peer_urls = arena_calloc(r->arena, IDENT_URLS_MAX, sizeof *m->peer_urls);
    if (m->peer_urls == NULL) {
        r->err = KVS_E_NOMEM;
        return;
    }
    for (size_t i = 0; i < m->n_peer_urls; i++) {
        m->peer_urls[i] = info_string(r);
    }
}

int ident_info_decode(struct kvs_view bytes, struct arena *arena, struct ident_cluster *ret_cluster)
{
    struct info_reader r = {bytes.data, bytes.len, arena, 0};
    unsigned n;

    if (info_u8(&r) != IDENT_INFO_VERSION) {
        return KVS_E_MALFORMED;
    }
    n = info_u8(&r);
    if (n > IDENT_MEMBERS_MAX) {
        return KVS_E_MALFORMED;
    }
    ret_cluster->n_members = n;
    for (unsigned i = 0; i < n && r.err == 0; i++) {
        info_member(&r, &ret_cluster->members[i]);
    }
    return r.err == 0 && r.left > 0 ? KVS_E_MALFORMED : r.err;
}

static bool ident_has_url(const struct kvs_member *m, struct kvs_view url)
{
    for (size_t i = 0; i < m->n_peer_urls; i++) {
        if (view_equal(m->peer_urls[i], url)) {
            return true;
        }
    }
    return false;
}

bool ident_has_urls(const struct kvs_member *m, const struct kvs_view *urls, size_t n_urls)
{
    for (size_t i = 0; i < n_urls; i++) {
        if (!ident_has_url(m, urls[i])) {
            return false;
        }
    }
    return m->n_peer_urls == n_urls;
}

const struct kvs_member *
ident_find_urls(const struct ident_cluster *c, const struct kvs_view *urls, size_t n_urls)
{
    for (size_t i = 0; i < c->n_members; i++) {
        if (ident_has_urls(&c->members[i], urls, n_urls)) {
            return &c->members[i];
        }
    }
    return NULL;
}
