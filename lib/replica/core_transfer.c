/* Requests to hand leadership over, on the leader or on their way to it. */
#include "replica/core_int.h"

int core_transfer(struct core *c, uint64_t target)
{
    struct core_msg m = {.type = CORE_MSG_TRANSFER, .to = c->leader, .index = target};
    int rc = core_event_begin(c);

    if (rc != 0) {
        return rc;
    }
    if (c->role == CORE_LEADER) {
        return core_engine_transfer(c, target);
    }
    if (c->leader == CORE_NONE) {
        return KVS_E_NO_LEADER;
    }
    core_send(c, m, 0);
    return 0;
}

int core_on_transfer(struct core *c, const struct core_msg *m)
{
    int rc = c->role == CORE_LEADER ? core_engine_transfer(c, m->index) : 0;

    return rc == KVS_E_NOMEM ? rc : 0; /* A bad target: the sender sees no change. */
}
