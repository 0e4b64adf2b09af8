/* Who can be reached, and who may come in: what the transport is told of the members.
 *
 *   table as applied  ->  who is leaving  ->  configurations in the log, not yet applied
 *
 * each with the addresses that it brings, the later one wins. All of them are needed: an entry that
 * is not yet applied may already be in force, and after a restart its members' votes may be the
 * only ones that bring a leader; who was taken out of the table votes until the joint configuration
 * is left.
 *
 * Guests: a member that was down, or has nothing yet, may not know whoever leads now. Until it has
 * applied the first entry of the leader's term it lets in whom it has never heard of (transport.h);
 * by then it knows all members that there were when that leader was elected, and later ones come
 * with the log. Removed members find no way in once their removal is applied here. Why this is
 * safe: docs/decisions/009-guests.md. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/sabotage.h"
#include "base/view.h"
#include "node/node_int.h"

enum { NODE_PEERS_MAX = APPLY_MEMBERS_MAX + CORE_PEERS_MAX };

struct node_peers {
    struct transport_peer list[NODE_PEERS_MAX];
    size_t n;
    struct arena arena;
};

static struct transport_peer *node_peers_place(struct node_peers *p, uint64_t id)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->list[i].id == id) {
            return &p->list[i];
        }
    }
    return p->n < NODE_PEERS_MAX ? &p->list[p->n++] : NULL;
}

static int
node_peers_put(struct node_peers *p, uint64_t id, const struct kvs_view *urls, size_t n_urls)
{
    const char **copies = arena_calloc(&p->arena, n_urls, sizeof *copies);
    struct transport_peer *peer;

    for (size_t i = 0; copies != NULL && i < n_urls; i++) {
        copies[i] = arena_strndup(&p->arena, urls[i].data, urls[i].len);
        if (copies[i] == NULL) {
            return KVS_E_NOMEM;
        }
    }
    if (copies == NULL) {
        return KVS_E_NOMEM;
    }
    peer = node_peers_place(p, id);
    if (peer != NULL) { /* else more than a configuration can name: not to be reached */
        *peer = (struct transport_peer){id, copies, n_urls};
    }
    return 0;
}

/* By the configuration that is applied or the one that is in force. */
static bool node_peer_counts(const struct node *n, uint64_t id)
{
    if (sabotaged(SABOTAGE_MEMBER_CUT_OFF_EARLY)) {
        return false;
    }
    return core_conf_is_member(replica_conf(n->replica), id) ||
           (n->n_confs > 0 && core_conf_is_member(&n->confs[0].conf, id));
}

static int node_peers_table(struct node *n, struct node_peers *p)
{
    const struct kvs_member *leaving = apply_member_leaving(n->apply);
    size_t n_members;
    const struct kvs_member *members = apply_members(n->apply, &n_members);
    int err = 0;

    for (size_t i = 0; i < n_members && err == 0; i++) {
        err = node_peers_put(p, members[i].id, members[i].peer_urls, members[i].n_peer_urls);
    }
    if (err == 0 && leaving != NULL && node_peer_counts(n, leaving->id)) {
        err = node_peers_put(p, leaving->id, leaving->peer_urls, leaving->n_peer_urls);
    }
    return err;
}

static int node_peers_log(struct node *n, struct node_peers *p)
{
    uint64_t index = mvcc_applied_index(n->mvcc);
    struct kvs_view context;
    int err = 0;

    while (err == 0 && (index = replica_conf_next(n->replica, index, &context)) != 0) {
        struct apply_entry entry = {0};

        /* What cannot be decoded stops the node when it is applied, if it ever is. */
        if (context.len > 0 && apply_decode(context, &p->arena, &entry) == 0 &&
            entry.kind == APPLY_MEMBER_CHANGE && entry.u.change.n_peer_urls > 0) {
            const struct apply_member_change *change = &entry.u.change;

            err = node_peers_put(p, change->id, change->peer_urls, change->n_peer_urls);
        }
    }
    return err;
}

/* Who may be told that it was removed: not one that still has a vote. */
static int node_peers_removed(struct node *n, struct arena *arena)
{
    size_t n_removed;
    size_t n_gone = 0;
    const uint64_t *removed = apply_members_removed(n->apply, &n_removed);
    uint64_t *gone = arena_calloc(arena, n_removed, sizeof *gone);

    if (gone == NULL) {
        return KVS_E_NOMEM;
    }
    for (size_t i = 0; i < n_removed; i++) {
        if (!node_peer_counts(n, removed[i])) {
            gone[n_gone++] = removed[i];
        }
    }
    return n->env.transport->ops->set_removed(n->env.transport, gone, n_gone);
}

void node_peers_update(struct node *n)
{
    struct node_peers peers = {.n = 0};
    size_t n_members;
    int err;

    (void)apply_members(n->apply, &n_members);
    if (n_members == 0) {
        return; /* joining: the transport knows the members that were asked */
    }
    arena_init(&peers.arena, 0);
    err = node_peers_table(n, &peers);
    if (err == 0) {
        err = node_peers_log(n, &peers);
    }
    /* First: who is cut off by the second call asks again, and is told why. */
    if (err == 0) {
        err = node_peers_removed(n, &peers.arena);
    }
    if (err == 0) {
        err = n->env.transport->ops->set_peers(n->env.transport, peers.list, peers.n);
    }
    if (err != 0) {
        node_fail(n, KVS_E_NOMEM, "out of memory while connecting members");
    }
    arena_fini(&peers.arena);
}

void node_conf_appended(void *ctx, const struct core_conf *conf)
{
    (void)conf; /* the log says the same, with addresses */
    node_peers_update(ctx);
}

void node_guests_update(struct node *n)
{
    bool admit = !node_is_ready(n) && !sabotaged(SABOTAGE_MEMBER_NO_GUESTS);

    if (admit != n->admits_guests) {
        n->admits_guests = admit;
        n->env.transport->ops->admit_guests(n->env.transport, admit);
    }
}
