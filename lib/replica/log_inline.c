#include "replica/log_inline.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "replica/log_exec.h"

struct log_inline {
    struct log_device device;
    struct log_exec exec;
    struct list waiting;
    size_t n_waiting;
    struct list done;
    mbox_wake_fn submitted;
    void *ctx;
    log_close_cb close_cb; /* NULL: not closing */
    void *close_ctx;
};

static struct log_inline *inline_of(struct log_device *d)
{
    return container_of(d, struct log_inline, device);
}

static void inline_wake(struct log_inline *in)
{
    if (in->submitted != NULL) {
        in->submitted(in->ctx);
    }
}

static void inline_submit(struct log_device *d, struct log_job *job)
{
    struct log_inline *in = inline_of(d);

    kvs_assert(in->close_cb == NULL && job->type < LOG_JOB_TYPE_COUNT);
    job->group_jobs = 0;
    list_push_back(&in->waiting, &job->node);
    in->n_waiting++;
    inline_wake(in);
}

static void inline_deliver(struct log_device *d)
{
    struct log_inline *in = inline_of(d);
    struct list done;
    struct list *job;

    list_init(&done);
    list_splice_back(&done, &in->done); /* A callback may run us again. */
    while ((job = list_pop_front(&done)) != NULL) {
        log_exec_complete(d, list_entry(job, struct log_job, node));
    }
    if (in->close_cb != NULL && in->n_waiting == 0 && list_empty(&in->done)) {
        log_close_cb cb = in->close_cb;
        void *ctx = in->close_ctx;

        (void)wal_close(in->exec.wal); /* All jobs have been told their status. */
        kvs_free(in);
        cb(ctx);
    }
}

static void inline_close(struct log_device *d, log_close_cb cb, void *ctx)
{
    struct log_inline *in = inline_of(d);

    kvs_assert(in->close_cb == NULL && cb != NULL);
    in->close_cb = cb;
    in->close_ctx = ctx;
    inline_wake(in);
}

int log_inline_new(struct wal *wal,
                   const struct clock *clock,
                   mbox_wake_fn submitted,
                   void *ctx,
                   struct log_device **ret_device)
{
    struct log_inline *in = kvs_calloc(1, sizeof *in);

    if (in == NULL) {
        return KVS_E_NOMEM;
    }
    in->device.submit = inline_submit;
    in->device.deliver = inline_deliver;
    in->device.close = inline_close;
    in->exec.wal = wal;
    in->exec.clock = clock;
    in->submitted = submitted;
    in->ctx = ctx;
    list_init(&in->waiting);
    list_init(&in->done);
    *ret_device = &in->device;
    return 0;
}

size_t log_inline_run(struct log_device *d, size_t jobs_max)
{
    struct log_inline *in = inline_of(d);
    struct list jobs;
    size_t n = 0;

    list_init(&jobs);
    while (in->n_waiting > 0 && (jobs_max == 0 || n < jobs_max)) {
        list_push_back(&jobs, list_pop_front(&in->waiting));
        in->n_waiting--;
        n++;
    }
    if (n > 0) {
        log_exec_appends(&in->exec, &jobs, &in->done);
        log_exec_trims(&in->exec, &jobs, &in->done);
        (void)log_exec_prepare(&in->exec);
    }
    return n;
}

size_t log_inline_waiting(const struct log_device *d)
{
    return ((const struct log_inline *)(const void *)d)->n_waiting;
}

void log_inline_crash(struct log_device *d)
{
    struct log_inline *in = inline_of(d);

    wal_abandon(in->exec.wal);
    kvs_free(in);
}

struct wal *log_inline_wal(struct log_device *d)
{
    return inline_of(d)->exec.wal;
}
