/* The device of the simulator and of tests: its owner decides when a job runs, or that it never
 * does. */
#include "backend/device.h"
#include "base/assert.h"

static void backend_inline_submit(struct backend_device *d, struct backend_job *job)
{
    struct backend_inline *in = container_of(d, struct backend_inline, device);

    job->status = KVS_E_CLOSED;
    list_push_back(&in->jobs, &job->link);
}

void backend_inline_init(struct backend_inline *d)
{
    d->device.submit = backend_inline_submit;
    list_init(&d->jobs);
}

static struct backend_job *backend_inline_pop(struct backend_inline *d)
{
    struct list *link = list_pop_front(&d->jobs);

    return link != NULL ? container_of(link, struct backend_job, link) : NULL;
}

bool backend_inline_step(struct backend_inline *d)
{
    struct backend_job *job = backend_inline_pop(d);

    if (job == NULL) {
        return false;
    }
    job->status = job->run(job);
    job->done(job);
    return true;
}

void backend_inline_drain(struct backend_inline *d)
{
    while (backend_inline_step(d)) {
    }
}

void backend_inline_drop(struct backend_inline *d)
{
    struct backend_job *job;

    while ((job = backend_inline_pop(d)) != NULL) {
        job->status = KVS_E_CLOSED;
        job->done(job);
    }
}
