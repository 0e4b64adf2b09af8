/* Every n-th allocation fails: the event says so, nothing leaks and nothing is read that is not
 * there. After that the core is only freed, as its header demands. */
#include "core_drive.h"

#include "base/alloc.h"

struct failing {
    size_t left; /* allocations until one fails */
    bool failed;
};

static void *failing_realloc(void *ctx, void *old, size_t size)
{
    struct failing *f = ctx;

    if (f->left == 0) {
        f->failed = true;
        return NULL;
    }
    f->left--;
    return realloc(old, size);
}

static void failing_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static int drain(struct core *c)
{
    struct core_effects fx;
    int rc;

    do {
        rc = core_effects(c, &fx);
        if (rc == 0 && fx.persist.seq != 0) {
            rc = core_persisted(c, fx.persist.seq);
        }
    } while (rc == 0 && fx.persist.seq != 0);
    return rc;
}

static int say(struct core *c, enum core_msg_type type, uint64_t term, uint64_t index)
{
    struct core_msg m = {
        .type = type, .from = 2, .to = 1, .term = term, .index = index, .log_term = 1};
    int rc = core_step(c, &m);

    return rc != 0 ? rc : drain(c);
}

static int propose(struct core *c, unsigned n)
{
    struct core_entry e = {.type = CORE_ENTRY_DATA, .owner = rcbuf_new(16)};
    int rc = e.owner != NULL ? 0 : KVS_E_NOMEM;

    if (rc == 0) {
        e.data = rcbuf_view(e.owner);
    }
    for (unsigned i = 0; i < n && rc == 0; i++) {
        rc = core_propose(c, &e, 1, i);
    }
    rcbuf_unref(e.owner);
    return rc != 0 ? rc : drain(c);
}

static int change(struct core *c)
{
    struct core_change one = {CORE_ADD_VOTER, 3};
    int rc = core_propose_conf(c, &one, 1, (struct kvs_view){"ctx", 3}, 1);

    return rc != 0 ? rc : drain(c);
}

/* A leader's life and then a follower's. */
static int live(struct core *c)
{
    struct core_conf conf = *core_conf(c);
    struct core_snapshot at = {.index = 500, .term = 5, .conf = conf};
    int rc = drain(c);

    rc = rc != 0 ? rc : core_campaign(c);
    rc = rc != 0 ? rc : drain(c);
    rc = rc != 0 ? rc : say(c, CORE_MSG_PREVOTE_REPLY, 2, 0);
    rc = rc != 0 ? rc : say(c, CORE_MSG_VOTE_REPLY, 2, 0);
    rc = rc != 0 ? rc : say(c, CORE_MSG_APPEND_REPLY, 2, 2);
    rc = rc != 0 ? rc : propose(c, 100);
    rc = rc != 0 ? rc : say(c, CORE_MSG_APPEND_REPLY, 2, 102);
    rc = rc != 0 ? rc : change(c);
    rc = rc != 0 ? rc : core_read_index(c, 1);
    rc = rc != 0 ? rc : drain(c);
    rc = rc != 0 ? rc : say(c, CORE_MSG_HEARTBEAT, 6, 0);
    rc = rc != 0 ? rc : propose(c, 3); /* forwarded */
    rc = rc != 0 ? rc : change(c);
    rc = rc != 0 ? rc : say(c, CORE_MSG_SNAPSHOT, 6, 500);
    at.term = 1;
    rc = rc != 0 ? rc : core_snapshot_begin(c, &at);
    return rc != 0 ? rc : core_snapshot_installed(c, &at);
}

static void test_every_allocation(void **state)
{
    struct core_config config = drive_config(1);
    struct core_start start = {.snapshot.conf = drive_conf(2, 0)};
    struct failing f = {0};
    struct kvs_allocator allocator = {failing_realloc, failing_free, &f};
    size_t n = 0;
    int rc;

    (void)state;
    kvs_alloc_set(&allocator);
    do {
        struct core *c = NULL;

        f = (struct failing){.left = n++};
        rc = core_new(&config, &start, &c);
        if (rc == 0) {
            rc = live(c);
        }
        assert_int_equal(rc, f.failed ? KVS_E_NOMEM : 0);
        core_free(c);
    } while (rc != 0);
    kvs_alloc_set(NULL);
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
