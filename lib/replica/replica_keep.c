/* How much of the log is kept behind the durable state, so that a follower that lags a little is
 * served from memory and not by a snapshot.
 *
 *   kept_first            stored      applied      last
 *       |---- kept_bytes ----|-----------|-----------|
 *       forgotten from here: while there are too many and nobody needs them
 *
 * Nothing above what the backend has stored is ever forgotten, nothing that the core has not
 * applied either. The disk keeps what memory keeps, rounded up to whole segments. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/sabotage.h"
#include "replica/replica_int.h"

static size_t keep_cost(const struct core_entry *e)
{
    return e->data.len + REPLICA_ENTRY_OVERHEAD;
}

/* At the start and after a snapshot: whatever the core has in memory. */
void replica_keep_start(struct replica *r)
{
    struct core_status status;

    core_status(r->core, &status);
    r->kept_first = status.first_index;
    r->kept_bytes = 0;
    kvs_assert(r->kept_first <= r->applied + 1);
    for (uint64_t i = r->kept_first; i <= r->applied; i++) {
        const struct core_entry *e = core_entry(r->core, i);

        kvs_assert(e != NULL);
        r->kept_bytes += keep_cost(e);
    }
    r->keep_due = true;
}

void replica_keep_applied(struct replica *r, const struct core_entry *entry)
{
    r->kept_bytes += keep_cost(entry);
}

/* What followers that are there, and receivers of snapshots, still need begins after this. */
static uint64_t keep_hold(const struct replica *r)
{
    uint64_t hold = replica_sends_hold(r);
    const struct core_conf *conf = core_conf(r->core);
    const struct core_set *sets[] = {&conf->voters, &conf->outgoing, &conf->learners};

    for (size_t s = 0; s < ARRAY_LEN(sets); s++) {
        for (uint32_t i = 0; i < sets[s]->n; i++) {
            struct core_peer_status peer;

            if (core_peer_status(r->core, sets[s]->ids[i], &peer) != 0 || !peer.active ||
                sets[s]->ids[i] == r->config.member_id) {
                continue;
            }
            if (peer.match + 1 >= r->kept_first && peer.match < hold) {
                hold = peer.match;
            }
        }
    }
    return hold;
}

static bool keep_alone(const struct replica *r)
{
    const struct core_conf *conf = core_conf(r->core);

    return conf->voters.n + conf->outgoing.n + conf->learners.n + conf->learners_next.n <= 1;
}

static bool keep_too_many(const struct replica *r, bool alone, uint64_t hold)
{
    const struct replica_limits *l = &r->config.limits;
    uint64_t n = r->applied + 1 - r->kept_first;
    uint64_t factor = n <= l->keep_entries ? 4 : 1;

    if (alone) {
        return n > REPLICA_SOLE_KEEP;
    }
    if (r->kept_first > hold) {
        return r->kept_bytes > l->hold_bytes_max;
    }
    return n > l->keep_entries_max || r->kept_bytes > l->keep_bytes_max * factor;
}

static void keep_trim_cb(struct log_job *log_job)
{
    struct replica_job *job = container_of(log_job, struct replica_job, job);
    struct replica *r = job->r;
    int status = log_job->status;

    kvs_free(job);
    r->trimming = false;
    r->n_async--;
    if (r->closing) {
        replica_maybe_closed(r);
    } else if (status != 0) {
        replica_fail(r, status, "the write-ahead log cannot be trimmed");
    }
}

static void keep_trim(struct replica *r, uint64_t index)
{
    struct replica_job *job;

    if (index <= r->trimmed || r->trimming) {
        return;
    }
    job = kvs_calloc(1, sizeof *job);
    if (job == NULL) {
        return; /* Next time: the disk keeps a little more. */
    }
    job->r = r;
    job->job.type = LOG_TRIM;
    job->job.index = index;
    job->job.done_cb = keep_trim_cb;
    r->trimming = true;
    r->trimmed = index;
    r->n_async++;
    log_submit(r->log_device, &job->job);
}

void replica_keep(struct replica *r)
{
    uint64_t first = r->kept_first;
    bool alone = keep_alone(r);
    uint64_t hold = keep_hold(r);
    uint64_t durable = sabotaged(SABOTAGE_TRIM_BEYOND_STORED) ? r->applied : r->stored;

    r->keep_due = false;
    while (r->kept_first <= durable && keep_too_many(r, alone, hold)) {
        const struct core_entry *e = core_entry(r->core, r->kept_first);

        kvs_assert(e != NULL && r->kept_bytes >= keep_cost(e));
        r->kept_bytes -= keep_cost(e);
        r->kept_first++;
    }
    if (r->kept_first > first) {
        core_compact(r->core, r->kept_first - 1);
        keep_trim(r, r->kept_first - 1);
    }
}
