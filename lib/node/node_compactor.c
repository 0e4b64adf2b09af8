/* Compaction by itself, as etcd's --auto-compaction-mode and --auto-compaction-retention: only the
 * leader proposes, the others keep the record so that a new leader can go on.
 *
 *   periodic   the revision is noted every tenth of the period; each period (at most an hour) the
 *              store is compacted to the revision noted one retention ago
 *   revision   every five minutes to the present revision minus the retention */
#include "base/assert.h"
#include "node/node_int.h"

#define COMPACTOR_PERIOD_MAX_MS   (UINT64_C(60) * 60 * 1000)
#define COMPACTOR_REVISION_MS     (UINT64_C(5) * 60 * 1000)
#define COMPACTOR_NOTES_PER_ROUND 10

static uint64_t compactor_period_ms(const struct node *n)
{
    uint64_t retention_ms = n->config.compaction_retention;

    return retention_ms < COMPACTOR_PERIOD_MAX_MS ? retention_ms : COMPACTOR_PERIOD_MAX_MS;
}

static void compactor_propose(struct node *n, kvs_revision revision)
{
    struct apply_entry entry = {.kind = APPLY_COMPACT, .u.compact = {.revision = revision}};

    if (!replica_is_leader(n->replica) || revision <= mvcc_compact_revision(n->mvcc) ||
        revision >= mvcc_revision(n->mvcc)) {
        return;
    }
    if (node_submit_quiet(n, &entry) == 0) {
        log_info(n->env.log, "compacting by itself", LOG_I64("revision", revision));
    }
}

static void compactor_note(struct node *n, uint64_t now_ms)
{
    struct node_compactor *c = &n->compactor;

    if (c->n_notes == NODE_COMPACTOR_NOTES) {
        c->first = (c->first + 1) % NODE_COMPACTOR_NOTES;
        c->n_notes--;
    }
    c->notes[(c->first + c->n_notes++) % NODE_COMPACTOR_NOTES] =
        (struct node_compactor_note){now_ms, mvcc_revision(n->mvcc)};
}

/* The latest revision noted at least one retention ago; 0: none. Forgets what is older. */
static kvs_revision compactor_due_revision(struct node *n, uint64_t now_ms)
{
    struct node_compactor *c = &n->compactor;
    kvs_revision revision = 0;

    while (c->n_notes > 0 && c->notes[c->first].at_ms + n->config.compaction_retention <= now_ms) {
        revision = c->notes[c->first].revision;
        c->first = (c->first + 1) % NODE_COMPACTOR_NOTES;
        c->n_notes--;
    }
    return revision;
}

static void compactor_tick_periodic(struct node *n, uint64_t now_ms)
{
    struct node_compactor *c = &n->compactor;
    kvs_revision revision;

    c->due_ms = now_ms + compactor_period_ms(n) / COMPACTOR_NOTES_PER_ROUND + 1;
    compactor_note(n, now_ms);
    revision = compactor_due_revision(n, now_ms);
    if (revision > 0) {
        c->waiting = revision;
    }
    if (c->waiting > 0 && now_ms >= c->round_ms) {
        c->round_ms = now_ms + compactor_period_ms(n);
        compactor_propose(n, c->waiting);
        c->waiting = 0;
    }
}

void node_compactor_tick(struct node *n, uint64_t now_ms)
{
    if (n->config.compaction_mode == NODE_COMPACT_OFF || now_ms < n->compactor.due_ms) {
        return;
    }
    if (n->config.compaction_mode == NODE_COMPACT_PERIODIC) {
        compactor_tick_periodic(n, now_ms);
        return;
    }
    if (n->compactor.due_ms != 0) {
        compactor_propose(n, mvcc_revision(n->mvcc) - (int64_t)n->config.compaction_retention);
    }
    n->compactor.due_ms = now_ms + COMPACTOR_REVISION_MS;
}
