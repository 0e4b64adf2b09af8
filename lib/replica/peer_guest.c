/* Guests: peers that introduced themselves (transport.h), and how we introduce ourselves.
 *
 *   they know us not:  HELLO -> REFUSED unknown -> HELLO with our addresses -> WELCOME, or REFUSED
 *   we know them not:  the same from the other side; then we dial them, as any peer
 *
 * Nothing is believed of a guest but where it can be reached, and that only as far as its own
 * connection vouches: over TLS no address in the clear is taken. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "replica/peer_transport_int.h"

_Static_assert((int)NET_TEXT_MAX <= (int)PEER_HELLO_URL_BYTES_MAX,
               "every address that can be dialled fits");

/* An address that cannot be dialled is left out. */
static struct net_addr *
guest_urls(const struct peer_conn *c, const struct peer_hello *h, size_t *ret_n)
{
    struct net_addr *urls = kvs_calloc(PEER_HELLO_URLS_MAX, sizeof *urls);
    size_t n = 0;

    for (size_t i = 0; urls != NULL && i < h->n_urls; i++) {
        char text[PEER_HELLO_URL_BYTES_MAX + 1];

        memcpy(text, h->urls[i].data, h->urls[i].len);
        text[h->urls[i].len] = '\0';
        if (net_addr_parse(text, &urls[n]) == 0 && urls[n].host[0] != '\0' && urls[n].port != 0 &&
            (urls[n].tls || !stream_peer(c->stream)->tls)) {
            n++;
        }
    }
    *ret_n = n;
    return urls;
}

/* Makes room: one that is not connected goes. */
static bool guests_have_room(struct peer_transport *t)
{
    struct peer *idle = NULL;
    size_t n = 0;

    LIST_FOREACH(it, &t->peers)
    {
        struct peer *peer = list_entry(it, struct peer, node);

        n += peer->guest ? 1 : 0;
        if (peer->guest && peer->incoming[TRANSPORT_RAFT] == NULL) {
            idle = peer;
        }
    }
    if (n >= TRANSPORT_GUESTS_MAX && idle != NULL) {
        peer_free(idle);
        n--;
    }
    return n < TRANSPORT_GUESTS_MAX;
}

struct peer *peer_guest_admit(struct peer_conn *c, const struct peer_hello *h)
{
    struct peer_transport *t = c->t;
    struct net_addr *urls;
    struct peer *peer = NULL;
    size_t n_urls;

    kvs_assert(peer_find(t, h->from) == NULL && !peer_is_removed(t, h->from));
    if (!t->admits_guests || h->n_urls == 0 || h->from == 0 || h->from == t->member_id) {
        return NULL;
    }
    urls = guest_urls(c, h, &n_urls);
    if (urls != NULL && n_urls > 0 && guests_have_room(t)) {
        peer = peer_new(t, h->from);
    }
    if (peer == NULL) {
        kvs_free(urls);
        return NULL;
    }
    peer->guest = true;
    peer_move_urls(peer, urls, n_urls);
    log_info(t->log, "a member that is not known here was admitted until the log names it",
             LOG_HEX("peer-id", h->from), LOG_STR("address", stream_peer(c->stream)->address));
    return peer;
}

void peer_guests_forget(struct peer_transport *t, bool all)
{
    LIST_FOREACH_SAFE(it, after, &t->peers)
    {
        struct peer *peer = list_entry(it, struct peer, node);

        if (peer->guest && (all || peer_is_removed(t, peer->id))) {
            log_info(t->log, "a guest is no member", LOG_HEX("peer-id", peer->id));
            peer_free(peer);
        }
    }
}

void peer_own_urls(struct peer_transport *t, const struct transport_peer *self)
{
    kvs_assert(self->id == t->member_id);
    t->n_own = 0;
    for (size_t i = 0; i < self->n_urls && t->n_own < PEER_HELLO_URLS_MAX; i++) {
        if (net_addr_parse(self->urls[i], &t->own[t->n_own]) == 0) {
            t->n_own++;
        }
    }
}
