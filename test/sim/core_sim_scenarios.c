/* The fourteen failures that were seen in another core, and the classic traps, each by name. In
 * some of them one server is alone and the messages of the others are written by hand. */
#include "core_sim.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"

static void expect(struct sim *s, bool holds, const char *what)
{
    if (!holds) {
        sim_fail(s, "%s", what);
    }
}

static struct core_status status_of(struct sim *s, uint64_t id)
{
    struct core_status st;

    core_status(sim_node(s, id)->core, &st);
    return st;
}

static bool has_leader(struct sim *s)
{
    uint64_t leader = sim_leader(s);

    return leader != 0 && status_of(s, leader).own_term_committed;
}

static void propose_some(struct sim *s, uint64_t id, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        sim_rc(s, sim_propose(s, id));
    }
}

static void change_one(struct sim *s, enum core_change_type type, uint64_t id)
{
    struct core_change change = {type, id};

    sim_rc(s, sim_change(s, sim_leader(s), &change, 1));
}

/* Makes `id` the leader of all. */
static void elect(struct sim *s, uint64_t id)
{
    sim_run_until(s, has_leader, 200, "a leader");
    for (unsigned i = 0; i < 20 && sim_leader(s) != id; i++) {
        sim_rc(s, sim_transfer(s, sim_leader(s), id));
        sim_run(s, 15);
        sim_run_until(s, has_leader, 200, "a leader");
    }
    expect(s, sim_leader(s) == id, "leadership can be transferred");
}

/* --- one server alone ------------------------------------------------------------------------- */

enum {
    BY_HAND_MAX = 1200,
};

struct by_hand {
    struct core_msg msg;
    struct core_entry entries[BY_HAND_MAX];
};

static void alone(struct sim *s)
{
    sim_crash(s, 2);
    sim_crash(s, 3);
    s->by_hand = true;
}

/* Starts an APPEND from `from` to server 1. */
static void append_begin(struct by_hand *h,
                         uint64_t from,
                         uint64_t term,
                         uint64_t index,
                         uint64_t log_term,
                         uint64_t commit)
{
    memset(h, 0, sizeof *h);
    h->msg = (struct core_msg){
        .type = CORE_MSG_APPEND,
        .from = from,
        .to = 1,
        .term = term,
        .index = index,
        .log_term = log_term,
        .commit = commit,
        .entries = h->entries,
    };
}

static void append_data(struct by_hand *h, uint64_t term)
{
    uint64_t where = (h->msg.index + h->msg.n_entries) << 8 | term;
    struct core_entry *e = &h->entries[h->msg.n_entries++];

    kvs_assert(h->msg.n_entries <= BY_HAND_MAX);
    e->term = term;
    e->type = CORE_ENTRY_DATA;
    e->owner = rcbuf_copy((struct kvs_view){&where, sizeof where});
    e->data = rcbuf_view(e->owner);
}

static void
append_conf(struct sim *s, struct by_hand *h, uint64_t term, const struct core_conf *conf)
{
    struct core_entry *e = &h->entries[h->msg.n_entries++];

    e->term = term;
    e->type = CORE_ENTRY_CONFIG;
    sim_rc(s, core_conf_entry_encode(conf, (struct kvs_view){0}, &e->owner));
    e->data = rcbuf_view(e->owner);
}

static void append_send(struct sim *s, struct by_hand *h)
{
    sim_inject(s, &h->msg);
    for (size_t i = 0; i < h->msg.n_entries; i++) {
        rcbuf_unref(h->entries[i].owner);
    }
}

/* --- the fourteen ----------------------------------------------------------------------------- */

static void change_not_first_in_batch(struct sim *s)
{
    uint64_t index;

    elect(s, 1);
    sim_isolate(s, 3, true);
    propose_some(s, 1, 3);
    change_one(s, CORE_ADD_LEARNER, sim_add_node(s, NULL));
    index = status_of(s, 1).conf_index;
    propose_some(s, 1, 3);
    sim_run(s, 5);
    sim_isolate(s, 3, false);
    sim_run_until(s, sim_converged, 200, "agreement");
    expect(s, status_of(s, 3).conf_index == index, "the change is at its own index");
    expect(s, core_conf_at(sim_node(s, 3)->core, index - 1)->learners.n == 0, "and not before");
    expect(s, core_conf_at(sim_node(s, 3)->core, index)->learners.n == 1, "but from there on");
}

/* A joint configuration and its end arrive before either is known to be committed; then both are
 * rolled back, and only the later one. */
static void two_changes_rolled_back(struct sim *s)
{
    static struct by_hand h;
    struct core_conf first = *core_conf(sim_node(s, 1)->core);
    struct core_conf joint;
    struct core_conf after = first;

    alone(s);
    sim_rc(s, core_conf_change(&first, &(struct core_change){CORE_ADD_VOTER, 4}, 1, &joint));
    after.voters = joint.voters;
    append_begin(&h, 2, 2, 1, 1, 1);
    append_conf(s, &h, 2, &joint);
    append_conf(s, &h, 2, &after);
    append_send(s, &h);
    expect(s, status_of(s, 1).conf_index == 3, "both are in force in turn");
    append_begin(&h, 3, 3, 2, 2, 1);
    append_data(&h, 3);
    append_send(s, &h);
    expect(s, status_of(s, 1).conf_index == 2, "back to the joint one");
    expect(s, core_conf_is_joint(core_conf(sim_node(s, 1)->core)), "which is joint");
    append_begin(&h, 2, 4, 1, 1, 1);
    append_data(&h, 4);
    append_send(s, &h);
    expect(s, status_of(s, 1).conf_index == 1, "back to the first one");
    expect(s, core_conf(sim_node(s, 1)->core)->voters.n == 3, "with its three voters");
}

/* The same without a joint configuration: the second change proves that the first is committed,
 * but nobody has said so when the second is rolled back. */
static void two_single_changes_rolled_back(struct sim *s)
{
    static struct by_hand h;
    struct core_conf first = *core_conf(sim_node(s, 1)->core);
    struct core_conf second = first;
    struct core_conf third;

    alone(s);
    sim_rc(s, core_conf_add(&second, CORE_ADD_LEARNER, 4));
    third = second;
    sim_rc(s, core_conf_add(&third, CORE_ADD_LEARNER, 5));
    append_begin(&h, 2, 2, 1, 1, 1);
    append_data(&h, 2);
    append_conf(s, &h, 2, &second);
    append_data(&h, 2);
    append_conf(s, &h, 2, &third);
    append_send(s, &h);
    expect(s, status_of(s, 1).conf_index == 5, "both are in force in turn");
    append_begin(&h, 3, 3, 4, 2, 1);
    append_data(&h, 3);
    append_send(s, &h);
    expect(s, status_of(s, 1).conf_index == 3, "back to the first of them");
    expect(s, core_conf(sim_node(s, 1)->core)->learners.n == 1, "with its learner");
}

static void append_below_compaction(struct sim *s)
{
    static struct by_hand h;

    alone(s);
    append_begin(&h, 2, 2, 1, 1, 10);
    for (unsigned i = 0; i < 9; i++) {
        append_data(&h, 2);
    }
    append_send(s, &h);
    sim_run(s, 1);
    s->params.trailing = 0;
    sim_store(s, sim_node(s, 1));
    expect(s, status_of(s, 1).first_index == 11, "everything is compacted");
    append_begin(&h, 2, 2, 4, 2, 10);
    for (unsigned i = 4; i < 12; i++) {
        append_data(&h, 2);
    }
    append_send(s, &h);
    expect(s, status_of(s, 1).last_index == 12, "the new ones are appended in their place");
    expect(s, !s->last_sent.reject && s->last_sent.index == 12, "and acknowledged");
    append_begin(&h, 2, 2, 2, 2, 10);
    append_data(&h, 2);
    append_send(s, &h);
    expect(s, status_of(s, 1).last_index == 12, "an old one changes nothing");
}

static void sole_voter_takes_new_term(struct sim *s)
{
    struct core_change changes[2] = {{CORE_REMOVE, 2}, {CORE_REMOVE, 3}};
    uint64_t term;

    elect(s, 1);
    sim_rc(s, sim_change(s, 1, changes, 2));
    sim_run(s, 30);
    expect(s, core_conf(sim_node(s, 1)->core)->voters.n == 1, "one voter is left");
    for (unsigned i = 0; i < 5; i++) {
        term = status_of(s, 1).term;
        sim_crash(s, 1);
        sim_start(s, 1);
        expect(s, status_of(s, 1).role != CORE_LEADER, "it has to be elected");
        while (status_of(s, 1).role != CORE_LEADER) {
            expect(s, sim_step(s), "a leader");
        }
        expect(s, status_of(s, 1).term > term, "in a new term");
        expect(s, sim_node(s, 1)->disk.hard.term == status_of(s, 1).term, "which is on disk");
        expect(s, sim_node(s, 1)->disk.hard.vote == 1, "as is its vote");
    }
    sim_run_until(s, has_leader, 50, "an entry of its term is committed");
    change_one(s, CORE_ADD_VOTER, sim_add_node(s, NULL));
    sim_run_until(s, sim_converged, 200, "growth");
    expect(s, core_conf(sim_node(s, 1)->core)->voters.n == 2, "two voters again");
}

/* The same, one server at a time. */
static void sole_voter_by_single_steps(struct sim *s)
{
    uint64_t term;

    elect(s, 1);
    for (uint64_t id = 2; id <= 3; id++) {
        change_one(s, CORE_REMOVE, id);
        sim_run(s, 30);
    }
    expect(s, core_conf(sim_node(s, 1)->core)->voters.n == 1, "one voter is left");
    for (unsigned i = 0; i < 5; i++) {
        term = status_of(s, 1).term;
        sim_crash(s, 1);
        sim_start(s, 1);
        expect(s, status_of(s, 1).role != CORE_LEADER, "it has to be elected");
        while (status_of(s, 1).role != CORE_LEADER) {
            expect(s, sim_step(s), "a leader");
        }
        expect(s, status_of(s, 1).term > term, "in a new term");
        expect(s, sim_node(s, 1)->disk.hard.term == status_of(s, 1).term, "which is on disk");
        expect(s, sim_node(s, 1)->disk.hard.vote == 1, "as is its vote");
    }
    sim_run_until(s, has_leader, 50, "an entry of its term is committed");
    change_one(s, CORE_ADD_VOTER, sim_add_node(s, NULL));
    sim_run_until(s, sim_converged, 200, "growth");
}

static void stale_snapshot_reply(struct sim *s)
{
    struct core_msg m = {
        .type = CORE_MSG_SNAPSHOT, .from = 2, .to = 1, .term = 2, .index = 50, .log_term = 2};
    static struct by_hand h;

    alone(s);
    append_begin(&h, 3, 5, 1, 1, 1);
    append_send(s, &h);
    sim_inject(s, &m);
    expect(s, s->last_sent.type == CORE_MSG_APPEND_REPLY && s->last_sent.reject, "it is refused");
    expect(s, s->last_sent.index == 0 && s->last_sent.term == 5, "and acknowledges nothing");
    expect(s, sim_node(s, 1)->incoming_from == 0, "and is not received");
}

static void commit_never_goes_back(struct sim *s)
{
    static struct by_hand h;
    struct core_msg heartbeat = {
        .type = CORE_MSG_HEARTBEAT, .from = 2, .to = 1, .term = 2, .commit = 2};

    alone(s);
    append_begin(&h, 2, 2, 1, 1, 6);
    for (unsigned i = 0; i < 5; i++) {
        append_data(&h, 2);
    }
    append_send(s, &h);
    expect(s, status_of(s, 1).commit == 6, "committed");
    append_begin(&h, 2, 2, 1, 1, 3);
    append_data(&h, 2);
    append_send(s, &h);
    expect(s, status_of(s, 1).commit == 6 && status_of(s, 1).last_index == 6, "old append");
    sim_inject(s, &heartbeat);
    expect(s, status_of(s, 1).commit == 6, "old heartbeat");
}

/* The learner does not know that it is a voter now, but its vote is needed. */
static void promotion_and_leader_loss(struct sim *s)
{
    uint64_t learner;

    elect(s, 1);
    change_one(s, CORE_REMOVE, 3);
    sim_run(s, 30);
    learner = sim_add_node(s, NULL);
    change_one(s, CORE_ADD_LEARNER, learner);
    sim_run_until(s, sim_converged, 200, "a learner that has caught up");
    sim_isolate(s, learner, true);
    change_one(s, CORE_ADD_VOTER, learner);
    sim_run(s, 5);
    expect(s, core_conf(sim_node(s, 2)->core)->voters.n == 3, "the other voter knows");
    expect(s, core_conf(sim_node(s, learner)->core)->voters.n == 2, "the new one does not");
    sim_crash(s, 1);
    sim_isolate(s, learner, false);
    sim_run_until(s, has_leader, 300, "a leader without the old one");
}

/* 1 has the best log and a low term, 2 a high term and a short log, 3 is dead. */
static void pre_vote_teaches_the_term(struct sim *s)
{
    struct core_msg now = {.type = CORE_MSG_TIMEOUT_NOW, .from = 1, .to = 2};

    elect(s, 1);
    sim_isolate(s, 2, true);
    propose_some(s, 1, 5);
    sim_run(s, 5);
    now.term = status_of(s, 2).term;
    sim_inject(s, &now);
    sim_run(s, 25);
    expect(s, status_of(s, 2).term > status_of(s, 1).term, "2 is ahead in terms");
    sim_crash(s, 3);
    sim_crash(s, 1);
    sim_heal(s);
    sim_start(s, 1);
    sim_run_until(s, has_leader, 200, "a leader");
    expect(s, sim_leader(s) == 1, "which can only be 1");
}

static void leader_removes_itself(struct sim *s)
{
    for (uint64_t leader = 1; leader <= 3; leader++) {
        elect(s, leader);
        change_one(s, CORE_REMOVE, leader);
        sim_run(s, 60);
        expect(s, sim_node(s, leader)->gone, "it knows and stops");
        sim_run_until(s, sim_converged, 300, "the others go on");
        expect(s, core_conf(sim_node(s, 4)->core)->voters.n == 4 - leader, "without it");
    }
    propose_some(s, 4, 1);
    sim_run_until(s, sim_converged, 50, "the last one works");
}

/* The old leader has hundreds of entries that nobody else has, and the other way round. */
static void conflict_walks_back_by_term(struct sim *s)
{
    uint64_t rejects;

    elect(s, 1);
    sim_isolate(s, 1, true);
    propose_some(s, 1, 600);
    sim_run(s, 40);
    expect(s, status_of(s, 1).role != CORE_LEADER, "it notices that it is alone");
    sim_run_until(s, has_leader, 200, "another leader");
    propose_some(s, sim_leader(s), 600);
    sim_run(s, 20);
    elect(s, sim_leader(s) == 2 ? 3 : 2); /* It expects the others to have all that it has. */
    rejects = s->n_rejects;
    sim_isolate(s, 1, false);
    sim_run_until(s, sim_converged, 300, "agreement");
    expect(s, s->n_rejects - rejects <= 5, "a few round trips are enough");
}

static void duplicate_snapshot(struct sim *s)
{
    struct core_msg m = {
        .type = CORE_MSG_SNAPSHOT, .from = 2, .to = 1, .term = 2, .index = 50, .log_term = 2};
    struct core *core = sim_node(s, 1)->core;
    struct core_snapshot at = {.index = 50, .term = 2, .conf = *core_conf(core)};
    struct core_effects fx;

    alone(s);
    sim_rc(s, core_step(core, &m));
    sim_rc(s, core_effects(core, &fx));
    expect(s, fx.offered && fx.offer_index == 50, "it is received");
    sim_rc(s, core_step(core, &m));
    sim_rc(s, core_effects(core, &fx));
    expect(s, !fx.offered, "once");
    sim_rc(s, core_snapshot_begin(core, &at));
    sim_rc(s, core_step(core, &m));
    m.index = 60;
    sim_rc(s, core_step(core, &m));
    sim_rc(s, core_effects(core, &fx));
    expect(s, !fx.offered && status_of(s, 1).installing, "and not while it is installed");
    sim_rc(s, core_snapshot_installed(core, &at));
    core_check(core);
    expect(s, status_of(s, 1).commit == 50 && status_of(s, 1).first_index == 51, "installed");
    m.index = 50;
    sim_rc(s, core_step(core, &m));
    sim_rc(s, core_effects(core, &fx));
    expect(s, !fx.offered && fx.persist.reset && fx.persist.reset_index == 50, "log restarts");
}

static void stale_rejection(struct sim *s)
{
    struct core_msg m = {.type = CORE_MSG_APPEND_REPLY, .from = 2, .to = 1, .reject = true};
    struct core_peer_status before;
    struct core_peer_status after;

    elect(s, 1);
    propose_some(s, 1, 10);
    sim_run_until(s, sim_converged, 50, "agreement");
    m.term = status_of(s, 1).term;
    sim_rc(s, core_peer_status(sim_node(s, 1)->core, 2, &before));
    for (m.index = 0; m.index <= before.match; m.index++) {
        sim_inject(s, &m);
        sim_rc(s, core_peer_status(sim_node(s, 1)->core, 2, &after));
        expect(s, after.next == before.next && after.match == before.match, "nothing goes back");
        expect(s, after.state == CORE_PEER_REPLICATE, "and nothing slows down");
    }
}

/* Whoever joins needs a snapshot when all that is gone is the founding entry. */
static void snapshot_of_the_first_entry(struct sim *s)
{
    sim_run(s, 1);
    for (uint64_t id = 1; id <= 3; id++) {
        expect(s, status_of(s, id).applied == 1, "the founding entry is applied");
        s->params.trailing = 0;
        sim_store(s, sim_node(s, id));
        expect(s, status_of(s, id).first_index == 2, "and gone");
        sim_disk_trim(&sim_node(s, id)->disk, 2); /* in the log, too */
        sim_crash(s, id);
        sim_start(s, id);
    }
    elect(s, 1);
    change_one(s, CORE_ADD_LEARNER, sim_add_node(s, NULL));
    sim_run_until(s, sim_converged, 200, "the learner has everything");
    expect(s, s->check.n_snapshots == 1, "by a snapshot");
}

static bool no_entries_to_the_learner(struct sim *s, const struct core_msg *m)
{
    (void)s;
    return m->type != CORE_MSG_APPEND || m->to != 4 || m->n_entries == 0;
}

/* While a snapshot is on its way, in vain, a newer one is taken. */
static void newer_snapshot_after_a_failed_one(struct sim *s)
{
    uint64_t learner;

    elect(s, 1);
    propose_some(s, 1, 10);
    sim_run_until(s, sim_converged, 50, "agreement");
    s->params.trailing = 0;
    sim_store(s, sim_node(s, 1));
    learner = sim_add_node(s, NULL);
    change_one(s, CORE_ADD_LEARNER, learner);
    s->filter = no_entries_to_the_learner;
    for (unsigned i = 0; i < 20; i++) {
        sim_cut(s, learner, 1, i % 3 == 0); /* It is there, but a snapshot does not arrive whole. */
        sim_cut(s, 1, learner, i % 3 == 1);
        propose_some(s, 1, 3);
        sim_run(s, 2);
        sim_store(s, sim_node(s, 1));
    }
    s->filter = NULL;
    sim_heal(s);
    sim_run_until(s, sim_converged, 300, "the learner has everything");
}

/* It was removed while it could not hear, and its own configuration still names it. */
static void removed_server_disturbs_nobody(struct sim *s)
{
    uint64_t term;

    elect(s, 1);
    sim_isolate(s, 3, true);
    change_one(s, CORE_REMOVE, 3);
    sim_run(s, 60);
    expect(s, core_conf(sim_node(s, 1)->core)->voters.n == 2, "two voters are left");
    term = status_of(s, 1).term;
    sim_isolate(s, 3, false);
    sim_run(s, 300);
    expect(s, sim_leader(s) == 1 && status_of(s, 1).term == term, "the leader stays");
    expect(s, status_of(s, 3).term == term || status_of(s, 3).term < term, "no term is raised");
}

static void change_waits_for_own_term(struct sim *s)
{
    struct core_change change = {CORE_ADD_LEARNER, 4};
    struct core_msg now = {.type = CORE_MSG_TIMEOUT_NOW, .from = 1, .to = 2};

    elect(s, 1);
    (void)sim_add_node(s, NULL);
    sim_node(s, 3)->isolated_disk = true; /* it votes for nobody and acknowledges nothing */
    sim_node(s, 1)->isolated_disk = false;
    now.term = status_of(s, 2).term;
    sim_inject(s, &now);
    while (status_of(s, 2).role != CORE_LEADER) {
        expect(s, sim_step(s), "2 is elected");
    }
    expect(s, !status_of(s, 2).own_term_committed, "nothing of its term is committed");
    expect(s, sim_change(s, 2, &change, 1) == KVS_E_BUSY, "so it changes no members");
    sim_run_until(s, has_leader, 50, "the own entry is committed");
    sim_rc(s, sim_change(s, 2, &change, 1));
}

/* --- classic traps ---------------------------------------------------------------------------- */

/* Figure 8 of the paper: an entry of an old term on a majority is not committed by that. */
static void figure_8(struct sim *s)
{
    static struct by_hand h;
    struct core_msg m = {.from = 2, .to = 1};

    alone(s);
    append_begin(&h, 2, 2, 1, 1, 1); /* an entry of term 2, not committed */
    append_data(&h, 2);
    append_send(s, &h);
    m.type = CORE_MSG_TIMEOUT_NOW;
    m.term = 2;
    sim_inject(s, &m);
    expect(s, status_of(s, 1).term == 3, "1 stands for term 3");
    m.type = CORE_MSG_VOTE_REPLY;
    m.term = 3;
    sim_inject(s, &m);
    expect(s, status_of(s, 1).role == CORE_LEADER, "and is elected");
    m.type = CORE_MSG_APPEND_REPLY;
    m.index = 2;
    sim_inject(s, &m);
    expect(s, status_of(s, 1).commit == 1, "a majority has the old entry, yet it may still go");
    m.index = 3;
    sim_inject(s, &m);
    expect(s, status_of(s, 1).commit == 3, "an entry of the own term commits both");
}

/* A vote that a crash can take back elects two leaders in one term. */
static void vote_survives_a_crash(struct sim *s)
{
    struct core_msg m = {.type = CORE_MSG_VOTE, .from = 2, .to = 1, .term = 2, .index = 1};
    struct sim_node *n = sim_node(s, 1);

    sim_run(s, 1); /* the founding entry is on disk */
    alone(s);
    m.log_term = 1;
    m.transfer = true;
    sim_rc(s, core_step(n->core, &m));
    s->last_sent = (struct core_msg){0};
    sim_drain(s, n);
    expect(s, s->last_sent.type != CORE_MSG_VOTE_REPLY, "no vote before it is on disk");
    (void)sim_disk_finish(&n->disk, UINT64_MAX);
    sim_crash(s, 1);
    sim_start(s, 1);
    m.from = 3;
    sim_inject(s, &m);
    expect(s, s->last_sent.type == CORE_MSG_VOTE_REPLY && s->last_sent.reject, "one vote a term");
    m.from = 2;
    sim_inject(s, &m);
    expect(s, !s->last_sent.reject, "which may be repeated");
}

/* Entries left over from an old term are not committed by a commit index beyond the message. */
static void commit_only_what_matches(struct sim *s)
{
    static struct by_hand h;

    alone(s);
    append_begin(&h, 2, 2, 1, 1, 1);
    for (unsigned i = 0; i < 5; i++) {
        append_data(&h, 2);
    }
    append_send(s, &h); /* 2 to 6 of term 2 */
    append_begin(&h, 3, 3, 1, 1, 6);
    append_send(s, &h); /* 3 has committed 6, of its own */
    expect(s, status_of(s, 1).commit == 1, "only the first is known to match");
}

/* From {1,2,3} to {3,4,5}: while nobody has left, no three of the new ones may decide alone. */
static void no_disjoint_majorities(struct sim *s)
{
    struct core_change changes[4] = {
        {CORE_REMOVE, 1}, {CORE_REMOVE, 2}, {CORE_ADD_VOTER, 4}, {CORE_ADD_VOTER, 5}};

    elect(s, 3);
    (void)sim_add_node(s, NULL);
    (void)sim_add_node(s, NULL);
    sim_rc(s, sim_propose(s, 3));
    for (uint64_t old = 1; old <= 2; old++) { /* They hear of that entry, and of no other. */
        for (uint64_t other = 3; other <= 5; other++) {
            sim_cut(s, other, old, true);
        }
    }
    sim_rc(s, sim_change(s, 3, changes, 4));
    sim_run(s, 3);
    for (uint64_t old = 1; old <= 2; old++) {
        for (uint64_t other = 3; other <= 5; other++) {
            sim_cut(s, old, other, true);
        }
    }
    sim_run(s, 60);
    expect(s, sim_leader(s) == 1 || sim_leader(s) == 2, "the old ones have a leader");
    propose_some(s, sim_leader(s), 3);
    sim_run(s, 60);
    sim_heal(s);
    sim_run_until(s, sim_converged, 300, "agreement");
    propose_some(s, sim_leader(s), 3);
    sim_run_until(s, sim_converged, 300, "agreement again");
}

/* Its clients are still there when the others have another leader. */
static void old_leader_serves_no_reads(struct sim *s)
{
    elect(s, 1);
    sim_isolate(s, 1, true);
    while (sim_leader(s) == 1) {
        sim_rc(s, sim_read(s, 1));
        sim_run(s, 1);
        if (status_of(s, 1).role != CORE_LEADER) {
            break;
        }
    }
    expect(s, s->check.n_reads_done == 0, "no answer without a majority");
}

/* --- list ------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned n_nodes;
    void (*run)(struct sim *s);
} scenarios[] = {
    {"change-not-first-in-batch", 3, change_not_first_in_batch},
    {"two-changes-rolled-back", 3, two_changes_rolled_back},
    {"append-below-compaction", 3, append_below_compaction},
    {"sole-voter-takes-new-term", 3, sole_voter_takes_new_term},
    {"stale-snapshot-reply", 3, stale_snapshot_reply},
    {"commit-never-goes-back", 3, commit_never_goes_back},
    {"promotion-and-leader-loss", 3, promotion_and_leader_loss},
    {"pre-vote-teaches-the-term", 3, pre_vote_teaches_the_term},
    {"leader-removes-itself", 4, leader_removes_itself},
    {"conflict-walks-back-by-term", 3, conflict_walks_back_by_term},
    {"duplicate-snapshot", 3, duplicate_snapshot},
    {"stale-rejection", 3, stale_rejection},
    {"removed-server-disturbs-nobody", 3, removed_server_disturbs_nobody},
    {"change-waits-for-own-term", 3, change_waits_for_own_term},
    {"figure-8", 3, figure_8},
    {"vote-survives-a-crash", 3, vote_survives_a_crash},
    {"commit-only-what-matches", 3, commit_only_what_matches},
    {"no-disjoint-majorities", 3, no_disjoint_majorities},
    {"old-leader-serves-no-reads", 3, old_leader_serves_no_reads},
    {"two-single-changes-rolled-back", 3, two_single_changes_rolled_back},
    {"sole-voter-by-single-steps", 3, sole_voter_by_single_steps},
    {"snapshot-of-the-first-entry", 3, snapshot_of_the_first_entry},
    {"newer-snapshot-after-a-failed-one", 3, newer_snapshot_after_a_failed_one},
};

const char *sim_scenario_name(size_t i)
{
    return i < sizeof scenarios / sizeof scenarios[0] ? scenarios[i].name : NULL;
}

bool sim_scenario_run(const char *name, uint64_t seed, bool trace)
{
    static struct sim s; /* large */
    struct sim_params params;

    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (strcmp(scenarios[i].name, name) != 0) {
            continue;
        }
        sim_calm_params(&params, scenarios[i].n_nodes);
        sim_init(&s, seed, &params);
        s.trace = trace;
        scenarios[i].run(&s);
        sim_fini(&s);
        return true;
    }
    return false;
}
