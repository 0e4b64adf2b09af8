/* What a hostile peer may say to a Raft core, in any order, between ticks and disk writes: it may
 * be refused or obeyed, but no invariant breaks and no assertion fails. Two bytes choose an event,
 * the next ones its numbers, small so that they meet the core's own. Configurations and changes
 * are decoded from the raw bytes as well; what decodes must encode to the same bytes again. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/view.h"
#include "replica/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t next(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

/* Mostly small, sometimes at the limits. */
static uint64_t number(struct input *in)
{
    uint8_t b = next(in);

    if (b == 255) {
        return UINT64_MAX;
    }
    return b == 254 ? UINT64_C(1) << 61 : b % 24;
}

static void fuzz_codec(struct kvs_view data)
{
    struct core_change changes[CORE_CHANGES_MAX];
    struct core_conf conf;
    struct kvs_view context;
    struct rcbuf *again;
    size_t n;

    if (core_conf_entry_decode(data, &conf, &context) == 0) {
        kvs_assert(core_conf_entry_encode(&conf, context, &again) == 0);
        kvs_assert(view_equal(rcbuf_view(again), data));
        rcbuf_unref(again);
    }
    if (core_changes_decode(data, changes, &n, &context) == 0) {
        kvs_assert(core_changes_encode(changes, n, context, &again) == 0);
        kvs_assert(view_equal(rcbuf_view(again), data));
        rcbuf_unref(again);
    }
}

static void drain(struct core *c, uint64_t *ret_seq)
{
    struct core_effects fx;

    kvs_assert(core_effects(c, &fx) == 0);
    core_check(c);
    if (fx.persist.seq != 0) {
        *ret_seq = fx.persist.seq;
    }
    core_applied(c, fx.apply_to);
}

static void fuzz_message(struct core *c, struct input *in)
{
    struct core_entry entries[4] = {0};
    struct rcbuf *owner = rcbuf_copy((struct kvs_view){in->at, in->left < 64 ? in->left : 64});
    struct core_msg m = {
        .type = (enum core_msg_type)(next(in) % (CORE_MSG_TYPE_COUNT + 1)),
        .from = number(in) % 6,
        .to = 1,
        .term = number(in),
        .index = number(in),
        .log_term = number(in),
        .commit = number(in),
        .context = number(in),
        .hint_index = number(in),
        .hint_term = number(in),
        .status = next(in),
        .entries = entries,
    };
    uint8_t flags = next(in);
    int rc;

    kvs_assert(owner != NULL);
    m.reject = flags & 1;
    m.quiet = flags & 2;
    m.transfer = flags & 4;
    m.n_entries = flags >> 3 & 3;
    for (size_t i = 0; i < m.n_entries; i++) {
        entries[i].term = number(in);
        entries[i].type = (enum core_entry_type)(next(in) % (CORE_ENTRY_TYPE_COUNT + 1));
        entries[i].owner = owner;
        entries[i].data = rcbuf_view(owner);
    }
    rc = core_step(c, &m);
    kvs_assert(rc == 0 || rc == KVS_E_MALFORMED);
    rcbuf_unref(owner);
}

static void fuzz_snapshot(struct core *c, struct input *in)
{
    struct core_snapshot at = {.index = number(in), .term = number(in), .conf = *core_conf(c)};
    struct core_status st;

    core_status(c, &st);
    if (!st.installing && core_snapshot_begin(c, &at) == 0) {
        kvs_assert(core_snapshot_installed(c, &at) == 0);
    }
}

static void fuzz_event(struct core *c, struct input *in, uint64_t *seq)
{
    struct core_status st;

    switch (next(in) % 12) {
    case 0:
        kvs_assert(core_tick(c) == 0);
        break;
    case 1:
        kvs_assert(core_campaign(c) == 0);
        break;
    case 2:
        kvs_assert(core_persisted(c, *seq) == 0);
        break;
    case 3:
        fuzz_snapshot(c, in);
        break;
    case 4:
        core_status(c, &st);
        core_compact(c, st.applied);
        break;
    case 5:
        (void)!core_read_index(c, number(in));
        break;
    case 6:
        (void)!core_transfer(c, number(in));
        break;
    case 7:
        (void)!core_propose(c, &(struct core_entry){.type = CORE_ENTRY_DATA}, 1, 1);
        break;
    case 8:
        (void)!core_propose_conf(
            c, &(struct core_change){(enum core_change_type)(next(in) % 4), number(in) % 6}, 1,
            (struct kvs_view){0}, 1);
        break;
    default:
        fuzz_message(c, in);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct core_start start = {0};
    struct core_config config;
    struct core *c;
    uint64_t seq = 0;

    fuzz_codec((struct kvs_view){data, size});
    core_config_defaults(&config);
    config.id = 1;
    config.seed = 1;
    config.max_reads = 8;
    config.max_inflight_msgs = 3;
    for (uint64_t id = 1, n = 1 + next(&in) % 4u; id <= n; id++) {
        kvs_assert(core_conf_add(&start.snapshot.conf, CORE_ADD_VOTER, id) == 0);
    }
    kvs_assert(core_new(&config, &start, &c) == 0);
    while (in.left > 0) {
        fuzz_event(c, &in, &seq);
        drain(c, &seq);
    }
    core_free(c);
    return 0;
}
