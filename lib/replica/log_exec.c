#include "replica/log_exec.h"

#include "base/assert.h"
#include "base/sabotage.h"

static uint64_t exec_now(const struct log_exec *x)
{
    return x->clock != NULL ? clock_ns(x->clock) : 0;
}

static int exec_append(struct wal *w, const struct log_job *job)
{
    const struct wal_hard_state *hard =
        job->has_hard && !sabotaged(SABOTAGE_WAL_NO_HARD_STATE) ? &job->hard : NULL;
    int rv;

    if (!job->reset) {
        return wal_append(w, hard, job->entries, job->n_entries);
    }
    rv = wal_append(w, hard, NULL, 0);
    rv = rv != 0 ? rv : wal_reset(w, job->index, job->term);
    return rv != 0 ? rv : wal_append(w, NULL, job->entries, job->n_entries);
}

/* Moves the jobs of `type` from `jobs` to `group`; returns how many. */
static size_t exec_select(struct list *jobs, enum log_job_type type, struct list *group)
{
    size_t n = 0;

    LIST_FOREACH_SAFE(it, after, jobs)
    {
        if (list_entry(it, struct log_job, node)->type == type) {
            list_remove(it);
            list_push_back(group, it);
            n++;
        }
    }
    return n;
}

/* A status belongs to the whole group: after a failure nobody knows what is on disk. */
static void exec_finish(struct log_exec *x, struct list *group, struct list *done)
{
    LIST_FOREACH(it, group)
    {
        list_entry(it, struct log_job, node)->status = x->failed;
    }
    list_splice_back(done, group);
}

void log_exec_appends(struct log_exec *x, struct list *jobs, struct list *done)
{
    struct list group;
    struct log_job *first;
    struct wal_stats before;
    struct wal_stats after;
    uint64_t start;
    uint64_t written;
    size_t n_jobs;

    list_init(&group);
    n_jobs = exec_select(jobs, LOG_APPEND, &group);
    if (n_jobs == 0) {
        return;
    }
    wal_stats(x->wal, &before);
    start = exec_now(x);
    LIST_FOREACH(it, &group)
    {
        if (x->failed == 0) {
            x->failed = exec_append(x->wal, list_entry(it, struct log_job, node));
        }
    }
    x->failed = x->failed != 0 ? x->failed : wal_write(x->wal);
    written = exec_now(x);
    x->failed = x->failed != 0 ? x->failed : wal_flush(x->wal);
    wal_stats(x->wal, &after);

    first = list_entry(group.next, struct log_job, node);
    first->group_jobs = n_jobs;
    first->group_bytes = after.bytes_written - before.bytes_written;
    first->write_ns = written - start;
    first->sync_ns = exec_now(x) - written;
    exec_finish(x, &group, done);
}

void log_exec_trims(struct log_exec *x, struct list *jobs, struct list *done)
{
    struct list group;

    list_init(&group);
    if (exec_select(jobs, LOG_TRIM, &group) == 0) {
        return;
    }
    LIST_FOREACH(it, &group)
    {
        if (x->failed == 0) {
            x->failed = wal_trim(x->wal, list_entry(it, struct log_job, node)->index);
        }
    }
    exec_finish(x, &group, done);
}

bool log_exec_prepare(struct log_exec *x)
{
    bool more = false;

    if (x->failed == 0) {
        x->failed = wal_prepare(x->wal, &more);
    }
    return more && x->failed == 0;
}

void log_exec_mark(struct log_exec *x)
{
    if (x->failed == 0) {
        x->failed = wal_mark(x->wal);
    }
}

static void histogram_add(struct log_histogram *h, uint64_t ns)
{
    uint64_t bound = 1000000;
    size_t i = 0;

    while (i < LOG_BUCKETS - 1 && ns > bound) {
        bound *= 2;
        i++;
    }
    h->buckets[i]++;
    h->count++;
    h->sum_ns += ns;
}

void log_exec_complete(struct log_device *d, struct log_job *job)
{
    log_done_cb done_cb = job->done_cb;

    if (job->group_jobs > 0) {
        d->stats.groups++;
        d->stats.jobs += job->group_jobs;
        d->stats.bytes += job->group_bytes;
        histogram_add(&d->stats.write, job->write_ns);
        histogram_add(&d->stats.sync, job->sync_ns);
        job->group_jobs = 0;
    }
    if (done_cb != NULL) {
        done_cb(job); /* Last: the owner may free it. */
    }
}
