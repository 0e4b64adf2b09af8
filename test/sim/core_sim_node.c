/* One simulated server: what the owner of a core has to do, in the order in which it has to. */
#include "core_sim.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/bytes.h"

void sim_rc(const struct sim *s, int rc)
{
    if (rc != 0) {
        sim_fail(s, "unexpected %s", kvs_err_name(rc));
    }
}

struct sim_node *sim_node(struct sim *s, uint64_t id)
{
    kvs_assert(id >= 1 && id <= s->last_id);
    return &s->nodes[id];
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ (b + UINT64_C(0x9e3779b97f4a7c15) + (a << 6) + (a >> 2))) *
                 UINT64_C(0xff51afd7ed558ccd);

    return h ^ (h >> 31);
}

uint64_t sim_entry_hash(const struct core_entry *e)
{
    uint64_t h = mix(e->term, (uint64_t)e->type);

    for (size_t i = 0; i < e->data.len; i++) {
        h = mix(h, ((const uint8_t *)e->data.data)[i]);
    }
    return h;
}

/* The members' policy: an id is not used again after removal. */
static int conf_policy(void *ctx,
                       const struct core_conf *conf,
                       const struct core_change *changes,
                       size_t n,
                       struct kvs_view context)
{
    struct sim *s = ctx;

    kvs_assert(context.len == 3);
    for (size_t i = 0; i < n; i++) {
        if (s->nodes[changes[i].id].retired && !core_conf_is_member(conf, changes[i].id)) {
            return KVS_E_MEMBER_EXISTS;
        }
    }
    for (size_t i = 0; i < n; i++) {
        s->nodes[changes[i].id].retired |= changes[i].type == CORE_REMOVE;
    }
    return 0;
}

/* --- life and death --------------------------------------------------------------------------- */

uint64_t sim_add_node(struct sim *s, const struct sim_image *founded)
{
    struct sim_node *n;

    kvs_assert(s->last_id < SIM_NODES_MAX);
    n = &s->nodes[++s->last_id];
    *n = (struct sim_node){.id = s->last_id, .exists = true};
    sim_disk_init(&n->disk, founded);
    sim_start(s, n->id);
    return n->id;
}

void sim_start(struct sim *s, uint64_t id)
{
    struct sim_node *n = sim_node(s, id);
    struct core_start start = {
        .hard = n->disk.hard,
        .snapshot = n->disk.image.at,
        .first_index = n->disk.first,
        .entries = n->disk.entries,
        .n_entries = n->disk.n,
    };
    struct core_config config;

    kvs_assert(n->exists && !n->up && !n->gone);
    core_config_defaults(&config);
    config.id = id;
    config.seed = rng_next(&s->rng);
    config.pre_vote = s->params.pre_vote;
    config.check_quorum = s->params.check_quorum;
    config.max_append_entries = s->params.max_append_entries;
    config.max_inflight_msgs = s->params.max_inflight_msgs;
    config.max_uncommitted_bytes = s->params.max_uncommitted_bytes;
    config.max_reads = 32;
    config.conf_policy = conf_policy;
    config.conf_policy_ctx = s;
    sim_rc(s, core_new(&config, &start, &n->core));
    n->up = true;
    n->lives++;
    n->now = n->disk.image;
    n->apply_to = n->now.at.index;
    n->incoming_from = 0;
    n->seen_commit = 0;
    n->seen_term = 0;
    n->seen_last = 0;
    n->seen_role = CORE_FOLLOWER;
    sim_note(s, "%" PRIu64 " starts, applied %" PRIu64, id, n->now.at.index);
    sim_schedule(s, 1 + rng_below(&s->rng, SIM_TICK), SIM_TICK_NODE, id)->life = n->lives;
    sim_drain(s, n);
}

void sim_crash(struct sim *s, uint64_t id)
{
    struct sim_node *n = sim_node(s, id);

    kvs_assert(n->up);
    sim_note(s, "%" PRIu64 " crashes", id);
    core_free(n->core);
    n->core = NULL;
    n->up = false;
    sim_disk_crash(&n->disk, &s->rng);
}

/* --- effects ---------------------------------------------------------------------------------- */

static void apply(struct sim *s, struct sim_node *n)
{
    while (n->up && n->now.at.index < n->apply_to) {
        uint64_t index = n->now.at.index + 1;
        const struct core_entry *e = core_entry(n->core, index);

        if (e == NULL) {
            sim_fail(s, "node %" PRIu64 " cannot apply %" PRIu64, n->id, index);
        }
        n->now.hash = mix(n->now.hash, sim_entry_hash(e));
        n->now.at.index = index;
        n->now.at.term = e->term;
        sim_check_applied(s, n, index, e);
        core_applied(n->core, index);
    }
}

static void write_batch(struct sim *s, struct sim_node *n, const struct core_persist *what)
{
    uint64_t delay = 1 + rng_below(&s->rng, s->params.disk_max);

    sim_check_persist(s, n, what);
    sim_disk_push(&n->disk, n->core, what, s->now + delay);
    if (!n->isolated_disk) {
        sim_schedule(s, delay, SIM_DISK_DONE, n->id)->life = n->lives;
    }
}

static struct sim_image image_now(struct sim *s, struct sim_node *n)
{
    struct sim_image image = n->now;
    const struct core_conf *conf = core_conf_at(n->core, image.at.index);

    if (conf == NULL) {
        sim_fail(s, "node %" PRIu64 " has no configuration at %" PRIu64, n->id, image.at.index);
    }
    image.at.conf = *conf;
    return image;
}

static void send_snapshot(struct sim *s, struct sim_node *n, uint64_t to)
{
    struct sim_image image = image_now(s, n);
    struct core_msg m;
    struct sim_event *e;

    sim_rc(s, core_snapshot_msg(n->core, to, image.at.index, image.at.term, &m));
    sim_note(s, "%" PRIu64 " snapshot %" PRIu64 " to %" PRIu64, n->id, image.at.index, to);
    s->n_sent[CORE_MSG_SNAPSHOT]++;
    if (s->cut[n->id][to] || (s->lossy && rng_percent(&s->rng, s->params.loss_percent))) {
        e = sim_schedule(s, 2 * s->params.delay_max, SIM_SNAPSHOT_SENT, n->id);
        e->life = n->lives;
        e->peer = to;
        return;
    }
    for (int copies = 1 + (s->lossy && rng_percent(&s->rng, 20)); copies > 0; copies--) {
        e = sim_schedule(s, 1 + rng_below(&s->rng, s->params.delay_max), SIM_DELIVER, to);
        e->msg = m;
        e->image = image;
    }
}

void sim_drain(struct sim *s, struct sim_node *n)
{
    struct core_effects fx;

    kvs_assert(n->up);
    sim_rc(s, core_effects(n->core, &fx));
    if (fx.persist.seq != 0) {
        write_batch(s, n, &fx.persist);
    }
    for (size_t i = 0; i < fx.n_messages; i++) {
        if (fx.messages[i].to <= s->last_id) {
            sim_send(s, &fx.messages[i]);
        }
    }
    n->apply_to = fx.apply_to;
    for (size_t i = 0; i < fx.n_reads; i++) {
        sim_check_read_answered(s, &fx.reads[i]);
    }
    for (size_t i = 0; i < fx.n_snapshot_to; i++) {
        send_snapshot(s, n, fx.snapshot_to[i]);
    }
    if (fx.offered) {
        n->incoming_from = fx.offer_from;
    }
    n->drain_later = false;
    sim_check_node(s, n);
    if (!rng_percent(&s->rng, 10)) {
        apply(s, n);
    }
    if (fx.removed_self) {
        sim_note(s, "%" PRIu64 " is removed", n->id);
        sim_crash(s, n->id);
        n->gone = true;
    }
}

static void drain_perhaps(struct sim *s, struct sim_node *n)
{
    core_check(n->core);
    if (s->params.drain_later_percent > 0 && rng_percent(&s->rng, s->params.drain_later_percent)) {
        n->drain_later = true;
        return;
    }
    sim_drain(s, n);
}

void sim_store(struct sim *s, struct sim_node *n)
{
    uint64_t keep;

    if (n->now.at.index <= n->disk.image.at.index) {
        return;
    }
    n->disk.image = image_now(s, n);
    keep = n->disk.image.at.index > s->params.trailing ? n->disk.image.at.index - s->params.trailing
                                                       : 0;
    core_compact(n->core, keep);
    sim_disk_trim(&n->disk, keep + (uint64_t)rng_percent(&s->rng, 50));
}

/* --- snapshots -------------------------------------------------------------------------------- */

static void report_sent(struct sim *s, uint64_t sender, uint64_t to, bool ok, uint64_t index)
{
    struct sim_event *e = sim_schedule(s, s->params.delay_max, SIM_SNAPSHOT_SENT, sender);

    e->life = s->nodes[sender].lives;
    e->peer = to;
    e->ok = ok;
    e->index = index;
}

/* A SNAPSHOT message announces data; if the core wants them, they arrive some time later. */
static void receive_announcement(struct sim *s, struct sim_node *n, const struct sim_event *e)
{
    uint64_t before = n->incoming_from;
    struct sim_event *data;

    sim_rc(s, core_step(n->core, &e->msg));
    sim_drain(s, n);
    if (!n->up || n->incoming_from == 0 || before != 0) {
        report_sent(s, e->msg.from, n->id, false, 0);
        return;
    }
    n->incoming = e->image;
    data = sim_schedule(s, 5 + rng_below(&s->rng, 10 * SIM_TICK), SIM_SNAPSHOT_DATA, n->id);
    data->life = n->lives;
    data->peer = e->msg.from;
}

static void receive_data(struct sim *s, struct sim_node *n)
{
    uint64_t from = n->incoming_from;
    struct sim_event *done;
    bool lost = s->cut[from][n->id] || (s->lossy && rng_percent(&s->rng, 10));

    if (lost || core_snapshot_begin(n->core, &n->incoming.at) != 0) {
        core_snapshot_failed(n->core);
        n->incoming_from = 0;
        report_sent(s, from, n->id, false, 0);
        return;
    }
    done = sim_schedule(s, 1 + rng_below(&s->rng, 2 * SIM_TICK), SIM_SNAPSHOT_DONE, n->id);
    done->life = n->lives;
    done->peer = from;
}

static void install(struct sim *s, struct sim_node *n)
{
    sim_note(s, "%" PRIu64 " installs %" PRIu64, n->id, n->incoming.at.index);
    n->disk.image = n->incoming;
    n->now = n->incoming;
    n->apply_to = n->now.at.index;
    sim_rc(s, core_snapshot_installed(n->core, &n->incoming.at));
    sim_check_installed(s, n);
    report_sent(s, n->incoming_from, n->id, true, n->incoming.at.index);
    n->incoming_from = 0;
}

/* --- events ----------------------------------------------------------------------------------- */

static void tick(struct sim *s, struct sim_node *n)
{
    sim_schedule(s, SIM_TICK, SIM_TICK_NODE, n->id)->life = n->lives;
    apply(s, n);
    if (s->params.store_percent > 0 && rng_percent(&s->rng, s->params.store_percent)) {
        sim_store(s, n);
    }
    sim_rc(s, core_tick(n->core));
    sim_drain(s, n);
}

void sim_node_event(struct sim *s, struct sim_event *e)
{
    struct sim_node *n = sim_node(s, e->node);
    uint64_t seq;

    if (e->type == SIM_RESTART) {
        if (!n->up && !n->gone) {
            sim_start(s, n->id);
        }
        return;
    }
    if (!n->up || (e->life != 0 && e->life != n->lives)) {
        if (e->type == SIM_DELIVER && e->msg.type == CORE_MSG_SNAPSHOT) {
            report_sent(s, e->msg.from, n->id, false, 0);
        } else if (e->type == SIM_SNAPSHOT_DATA || e->type == SIM_SNAPSHOT_DONE) {
            report_sent(s, e->peer, n->id, false, 0);
        }
        return;
    }
    switch (e->type) {
    case SIM_TICK_NODE:
        tick(s, n);
        return;
    case SIM_DELIVER:
        if (e->msg.type == CORE_MSG_SNAPSHOT) {
            receive_announcement(s, n, e);
            return;
        }
        sim_rc(s, core_step(n->core, &e->msg));
        break;
    case SIM_DISK_DONE:
        seq = sim_disk_finish(&n->disk, s->now);
        if (seq == 0) {
            return;
        }
        sim_rc(s, core_persisted(n->core, seq));
        break;
    case SIM_SNAPSHOT_DATA:
        receive_data(s, n);
        break;
    case SIM_SNAPSHOT_DONE:
        install(s, n);
        break;
    case SIM_SNAPSHOT_SENT:
        core_snapshot_sent(n->core, e->peer, e->ok, e->index);
        break;
    case SIM_RESTART:
        return;
    }
    drain_perhaps(s, n);
}

void sim_inject(struct sim *s, const struct core_msg *m)
{
    struct sim_node *n = sim_node(s, m->to);

    sim_rc(s, core_step(n->core, m));
    sim_drain(s, n);
    for (unsigned i = 0; i < s->params.disk_max + 1 && n->up; i++) {
        uint64_t seq = sim_disk_finish(&n->disk, s->now + s->params.disk_max + 1);

        if (seq != 0) {
            sim_rc(s, core_persisted(n->core, seq));
        }
        sim_drain(s, n);
    }
}

/* --- requests --------------------------------------------------------------------------------- */

uint64_t sim_leader(struct sim *s)
{
    uint64_t leader = 0;
    uint64_t term = 0;

    for (uint64_t id = 1; id <= s->last_id; id++) {
        struct core_status st;

        if (!s->nodes[id].up) {
            continue;
        }
        core_status(s->nodes[id].core, &st);
        if (st.role == CORE_LEADER && st.term > term) {
            leader = id;
            term = st.term;
        }
    }
    return leader;
}

int sim_propose(struct sim *s, uint64_t id)
{
    struct sim_node *n = sim_node(s, id);
    size_t len = 8 + (size_t)rng_below(&s->rng, 56);
    struct core_entry e = {.type = CORE_ENTRY_DATA, .owner = rcbuf_new(len)};
    int rc;

    kvs_assert(e.owner != NULL && n->up);
    for (size_t i = 8; i < len; i++) {
        e.owner->data[i] = (uint8_t)i;
    }
    store_le64(e.owner->data, ++s->next_op);
    e.data = rcbuf_view(e.owner);
    rc = core_propose(n->core, &e, 1, s->next_op);
    rcbuf_unref(e.owner);
    drain_perhaps(s, n);
    return rc;
}

int sim_read(struct sim *s, uint64_t id)
{
    struct sim_node *n = sim_node(s, id);
    int rc;

    sim_check_read_asked(s, ++s->next_read);
    rc = core_read_index(n->core, s->next_read);
    drain_perhaps(s, n);
    return rc;
}

int sim_change(struct sim *s, uint64_t id, const struct core_change *changes, size_t count)
{
    struct sim_node *n = sim_node(s, id);
    int rc = core_propose_conf(n->core, changes, count, (struct kvs_view){"ctx", 3}, ++s->next_op);

    for (size_t i = 0; i < count; i++) {
        sim_note(s, "%" PRIu64 " change %d of %" PRIu64 ": %s", id, (int)changes[i].type,
                 changes[i].id, kvs_err_name(rc));
    }
    if (rc == 0) {
        s->check.n_conf_changes++;
    }
    drain_perhaps(s, n);
    return rc;
}

int sim_transfer(struct sim *s, uint64_t id, uint64_t target)
{
    struct sim_node *n = sim_node(s, id);
    int rc = core_transfer(n->core, target);

    sim_note(s, "%" PRIu64 " transfer to %" PRIu64 ": %s", id, target, kvs_err_name(rc));
    drain_perhaps(s, n);
    return rc;
}
