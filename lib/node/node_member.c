/* Membership: what may change (decided by the leader, inside the core's policy call), and what this
 * member tells the others of itself. Who can be reached: node_peers.c.
 *
 * A new voter enters Raft's configuration as a learner, although the member table calls it a voter
 * from the start: the answer to MemberAdd may not wait for a process that its caller starts only
 * afterwards, and a member that has nothing yet may not count towards a majority. The leader makes
 * it a voter as soon as it has caught up (node_promote_caught_up). */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/sabotage.h"
#include "base/view.h"
#include "node/ident.h"
#include "node/node_int.h"

/* --- asking for a change --- */

static void node_change_finish(struct node_change *c, int status)
{
    list_remove(&c->link);
    c->status = status;
    c->cb(c);
}

/* The replica's word comes just before the entry itself is applied: a success is passed on at the
 * end of the batch, when the member table shows it. */
static void node_change_conf_cb(struct replica_conf_change *conf)
{
    struct node_change *c = container_of(conf, struct node_change, conf);

    if (conf->status != 0) {
        node_change_finish(c, conf->status);
        return;
    }
    list_remove(&c->link);
    list_push_back(&c->node->changes_made, &c->link);
}

void node_changes_applied(struct node *n)
{
    struct list *it;

    while ((it = list_pop_front(&n->changes_made)) != NULL) {
        node_change_finish(list_entry(it, struct node_change, link), 0);
    }
}

static const struct {
    enum apply_member_op op;
    enum core_change_type core;
} node_change_map[] = {
    [NODE_CHANGE_ADD] = {APPLY_MEMBER_ADD, CORE_ADD_LEARNER},
    [NODE_CHANGE_ADD_LEARNER] = {APPLY_MEMBER_ADD, CORE_ADD_LEARNER},
    [NODE_CHANGE_REMOVE] = {APPLY_MEMBER_REMOVE, CORE_REMOVE},
    [NODE_CHANGE_UPDATE] = {APPLY_MEMBER_UPDATE, CORE_UPDATE},
    [NODE_CHANGE_PROMOTE] = {APPLY_MEMBER_PROMOTE, CORE_ADD_VOTER},
};

static int node_change_check_urls(const struct node_change *c)
{
    for (size_t i = 0; i < c->n_peer_urls; i++) {
        if (!ident_url_is_valid(c->peer_urls[i])) {
            return KVS_E_MEMBER_BAD_URLS;
        }
    }
    return c->n_peer_urls > 0 && c->n_peer_urls <= IDENT_URLS_MAX ? 0 : KVS_E_MEMBER_BAD_URLS;
}

/* Checks what needs no leader, and numbers a new member as etcd does. */
static int node_change_prepare(struct node *n, struct node_change *c)
{
    bool adds = c->type == NODE_CHANGE_ADD || c->type == NODE_CHANGE_ADD_LEARNER;
    int err = node_read_check(n, false);

    if (err == 0 && adds) {
        err = node_change_check_urls(c);
    }
    if (err == 0 && adds) {
        uint64_t now_s = n->env.clock->wall_ns(n->env.clock->ctx) / 1000000000u;

        c->member_id =
            ident_member_id(c->peer_urls, c->n_peer_urls, n->config.cluster_token, now_s);
        err = c->member_id != 0 ? 0 : KVS_E_NOMEM;
    }
    return err;
}

/* What the table here already refuses need not travel to the leader. */
static int node_change_encode(struct node *n, const struct node_change *c)
{
    const struct apply_entry entry = {
        .kind = APPLY_MEMBER_CHANGE,
        .u.change = {.op = node_change_map[c->type].op,
                     .id = c->member_id,
                     .is_learner = c->type == NODE_CHANGE_ADD_LEARNER,
                     .peer_urls = c->peer_urls,
                     .n_peer_urls = c->n_peer_urls},
    };
    int err = apply_member_check(n->apply, &entry.u.change, n->config.max_learners);

    if (err == 0 && c->type == NODE_CHANGE_UPDATE) {
        err = node_change_check_urls(c);
    }
    buf_clear(&n->scratch);
    return err != 0 ? err : apply_encode(&entry, &n->scratch);
}

int node_change_members(struct node *n, struct node_change *c)
{
    const struct core_change change = {node_change_map[c->type].core, 0};
    struct core_change with_id = change;
    int err = node_change_prepare(n, c);

    if (err == 0) {
        err = node_change_encode(n, c);
    }
    if (err != 0) {
        return err;
    }
    with_id.id = c->member_id;
    c->node = n;
    c->deadline_ms = node_deadline_ms(n);
    c->conf = (struct replica_conf_change){.cb = node_change_conf_cb};
    err = replica_change_conf(n->replica, &with_id, 1, buf_view(&n->scratch), &c->conf);
    if (err == 0) {
        list_push_back(&n->changes, &c->link);
        n->env.wake(n->env.ctx);
    }
    return err;
}

void node_change_cancel(struct node *n, struct node_change *c)
{
    replica_conf_cancel(n->replica, &c->conf);
    list_remove(&c->link);
}

/* Callbacks may cancel any other change: nothing but the front of the list is held on to. */
static void node_changes_finish_all(struct node *n, struct list *changes, int status)
{
    struct list *it;

    while ((it = list_pop_front(changes)) != NULL) {
        struct node_change *c = list_entry(it, struct node_change, link);

        replica_conf_cancel(n->replica, &c->conf);
        node_change_finish(c, status);
    }
}

static void node_changes_expire(struct node *n, uint64_t now_ms)
{
    struct list due;

    list_init(&due);
    LIST_FOREACH_SAFE(it, after, &n->changes)
    {
        struct node_change *c = list_entry(it, struct node_change, link);

        if (c->deadline_ms <= now_ms) {
            list_remove(&c->link);
            list_push_back(&due, &c->link);
        }
    }
    node_changes_finish_all(n, &due, KVS_E_TIMEOUT);
}

void node_changes_stop(struct node *n, int err)
{
    node_changes_applied(n); /* made, whether or not their batch came to its end */
    node_changes_finish_all(n, &n->changes, err);
}

/* --- policy, on the leader --- */

struct node_voters {
    size_t total;
    size_t started; /* have published their name: were up at least once */
    size_t active;  /* answer now, ourselves included */
};

static bool node_peer_is_active(const struct replica_status *s, uint64_t id)
{
    for (size_t i = 0; i < s->n_peers; i++) {
        if (s->peers[i].id == id) {
            return s->peers[i].active;
        }
    }
    return id == s->core.id;
}

static void node_count_voters(struct node *n, uint64_t without, struct node_voters *ret)
{
    struct replica_status status;
    size_t n_members;
    const struct kvs_member *members = apply_members(n->apply, &n_members);

    replica_status(n->replica, &status);
    *ret = (struct node_voters){0};
    for (size_t i = 0; i < n_members; i++) {
        if (members[i].is_learner || members[i].id == without) {
            continue;
        }
        ret->total++;
        ret->started += members[i].name.len > 0;
        ret->active += node_peer_is_active(&status, members[i].id);
    }
}

/* etcd's --strict-reconfig-check: a change must leave a quorum of started members, and of members
 * that answer now. */
static int node_strict_check(struct node *n, const struct apply_member_change *change)
{
    bool removes = change->op == APPLY_MEMBER_REMOVE;
    bool adds_voter = (change->op == APPLY_MEMBER_ADD && !change->is_learner) ||
                      change->op == APPLY_MEMBER_PROMOTE;
    const struct kvs_member *member = apply_member_find(n->apply, change->id);
    struct node_voters v;
    size_t quorum;

    if (!n->config.strict_reconfig || (!removes && !adds_voter) ||
        (removes && member != NULL && member->is_learner)) {
        return 0;
    }
    node_count_voters(n, removes ? change->id : 0, &v);
    if (adds_voter && v.total == 1 && v.started == 1) {
        return 0; /* from one to two: the only way to grow */
    }
    quorum = (v.total + (adds_voter ? 1 : 0)) / 2 + 1;
    if (v.started < quorum && !(removes && v.started == v.total)) {
        return KVS_E_MEMBER_NOT_ENOUGH_STARTED;
    }
    return v.active >= (removes ? v.total / 2 + 1 : quorum) ? 0 : KVS_E_UNHEALTHY;
}

static int node_policy_check(struct node *n, const struct apply_member_change *change)
{
    int err = apply_member_check(n->apply, change, n->config.max_learners);

    if (err == 0 && change->op == APPLY_MEMBER_PROMOTE &&
        !replica_learner_ready(n->replica, change->id)) {
        err = KVS_E_LEARNER_NOT_READY;
    }
    return err != 0 ? err : node_strict_check(n, change);
}

int node_conf_policy(void *ctx,
                     const struct core_conf *conf,
                     const struct core_change *changes,
                     size_t n_changes,
                     struct kvs_view context)
{
    struct node *n = ctx;
    struct apply_entry entry;
    struct arena arena;
    int err;

    (void)conf; /* the member table says the same, with addresses */
    arena_init(&arena, 1024 * 1024);
    err = apply_decode(context, &arena, &entry);
    if (err == 0 && (entry.kind != APPLY_MEMBER_CHANGE || n_changes != 1 ||
                     entry.u.change.id != changes[0].id)) {
        err = KVS_E_MALFORMED;
    }
    if (err == 0) {
        err = node_policy_check(n, &entry.u.change);
    }
    arena_fini(&arena);
    return err;
}

/* --- configurations of the recent past, for snapshots --- */

void node_conf_remember(struct node *n, uint64_t index, const struct core_conf *conf)
{
    memmove(&n->confs[1], &n->confs[0], sizeof n->confs[0] * (NODE_CONFS - 1));
    n->confs[0] = (struct node_conf){index, *conf};
    if (n->n_confs < NODE_CONFS) {
        n->n_confs++;
    }
}

const struct core_conf *node_conf_at(const struct node *n, uint64_t index)
{
    for (size_t i = 0; i < n->n_confs; i++) {
        if (n->confs[i].index <= index) {
            return &n->confs[i].conf;
        }
    }
    return NULL;
}

/* --- new voters --- */

static void node_promoted_cb(struct replica_conf_change *change)
{
    struct node *n = container_of(change, struct node, promotion);

    n->promoting = false; /* refused or lost: the next tick looks again */
}

static bool node_may_be_promoted(struct node *n, const struct kvs_member *m)
{
    struct replica_status status;

    if (m->is_learner || !core_conf_is_learner(replica_conf(n->replica), m->id) ||
        !replica_learner_ready(n->replica, m->id)) {
        return false;
    }
    replica_status(n->replica, &status);
    return node_peer_is_active(&status, m->id);
}

/* The context changes nothing in the member table, where `m` has been a voter all along. */
static int node_promote(struct node *n, const struct kvs_member *m)
{
    const struct core_change change = {CORE_ADD_VOTER, m->id};
    const struct apply_entry entry = {
        .kind = APPLY_MEMBER_CHANGE,
        .u.change = {.op = APPLY_MEMBER_UPDATE,
                     .id = m->id,
                     .peer_urls = m->peer_urls,
                     .n_peer_urls = m->n_peer_urls},
    };
    int err;

    buf_clear(&n->scratch);
    err = apply_encode(&entry, &n->scratch);
    if (err == 0) {
        n->promotion = (struct replica_conf_change){.cb = node_promoted_cb};
        err = replica_change_conf(n->replica, &change, 1, buf_view(&n->scratch), &n->promotion);
    }
    return err;
}

/* Leader: the first new voter that has caught up; one change runs at a time. */
static void node_promote_caught_up(struct node *n, uint64_t now_ms)
{
    size_t n_members;
    const struct kvs_member *members = apply_members(n->apply, &n_members);

    if (n->promoting && n->promotion_deadline_ms <= now_ms) {
        replica_conf_cancel(n->replica, &n->promotion);
        n->promoting = false;
    }
    if (n->promoting || !replica_is_leader(n->replica) ||
        core_conf_is_joint(replica_conf(n->replica)) || !list_empty(&n->changes)) {
        return;
    }
    for (size_t i = 0; i < n_members; i++) {
        if (node_may_be_promoted(n, &members[i])) {
            n->promotion_deadline_ms = node_deadline_ms(n);
            n->promoting = node_promote(n, &members[i]) == 0;
            return;
        }
    }
}

/* --- what we publish of ourselves --- */

static bool node_is_published(struct node *n, const struct kvs_member *m)
{
    if (!view_equal_str(m->name, n->config.name) || m->n_client_urls != n->config.n_client_urls) {
        return false;
    }
    for (size_t i = 0; i < m->n_client_urls; i++) {
        if (!view_equal(m->client_urls[i], n->config.client_urls[i])) {
            return false;
        }
    }
    return true;
}

static void node_publish(struct node *n)
{
    struct kvs_view urls[IDENT_URLS_MAX];
    struct apply_entry entry = {
        .kind = APPLY_MEMBER_ATTRIBUTES,
        .u.attributes = {.id = n->config.member_id,
                         .name = view_str(n->config.name),
                         .client_urls = urls,
                         .n_client_urls = n->config.n_client_urls},
    };

    kvs_assert(n->config.n_client_urls <= IDENT_URLS_MAX);
    for (size_t i = 0; i < n->config.n_client_urls; i++) {
        urls[i] = n->config.client_urls[i];
    }
    if (node_submit_quiet(n, &entry) != 0) {
        log_debug(n->env.log, "attributes were not proposed"); /* again after a while */
    }
}

void node_member_tick(struct node *n, uint64_t now_ms)
{
    const struct kvs_member *self = apply_member_find(n->apply, n->config.member_id);

    node_changes_expire(n, now_ms);
    node_promote_caught_up(n, now_ms);
    if (self == NULL || *n->config.name == '\0' || now_ms < n->publish_due_ms ||
        replica_leader(n->replica) == 0 || node_is_published(n, self)) {
        return;
    }
    n->publish_due_ms = now_ms + NODE_PUBLISH_RETRY_MS;
    node_publish(n);
}
