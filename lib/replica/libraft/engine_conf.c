/* Configurations of core.h in libraft's form: voters and stand-by servers, never joint. Addresses
 * must differ, so they are the ids. */
#include "replica/libraft/engine_int.h"

#include <inttypes.h>
#include <stdio.h>

static int conf_add(struct raft_configuration *conf, uint64_t id, int role)
{
    char address[24];

    (void)snprintf(address, sizeof address, "%" PRIu64, id);
    return engine_error(raft_configuration_add(conf, id, address, role));
}

int engine_conf_make(const struct core_conf *conf, uint64_t hold, struct raft_configuration *ret)
{
    const struct core_set *v = &conf->voters;
    const struct core_set *l = &conf->learners;
    int voter = engine_conf_is_sole(conf, hold) ? RAFT_STANDBY : RAFT_VOTER;
    uint32_t vi = 0;
    uint32_t li = 0;
    int rc = 0;

    kvs_assert(!core_conf_is_joint(conf));
    raft_configuration_init(ret);
    while (rc == 0 && (vi < v->n || li < l->n)) {
        if (li == l->n || (vi < v->n && v->ids[vi] < l->ids[li])) {
            rc = conf_add(ret, v->ids[vi++], voter);
        } else {
            rc = conf_add(ret, l->ids[li++], RAFT_STANDBY);
        }
    }
    if (rc != 0) {
        raft_configuration_close(ret);
    }
    return rc;
}

int engine_conf_encode(const struct core_conf *conf, uint64_t hold, struct raft_buffer *ret)
{
    struct raft_configuration raft;
    int rc = engine_conf_make(conf, hold, &raft);

    if (rc != 0) {
        return rc;
    }
    rc = engine_error(raft_configuration_encode(&raft, ret));
    raft_configuration_close(&raft);
    return rc;
}

bool engine_conf_equals(const struct raft_configuration *raft, const struct core_conf *conf)
{
    if (raft->n != conf->voters.n + conf->learners.n) {
        return false;
    }
    for (unsigned i = 0; i < raft->n; i++) {
        const struct raft_server *server = &raft->servers[i];
        const struct core_set *set = server->role == RAFT_VOTER ? &conf->voters : &conf->learners;

        if (!core_set_has(set, server->id)) {
            return false;
        }
    }
    return true;
}

bool engine_conf_is_sole(const struct core_conf *conf, uint64_t id)
{
    return conf->voters.n == 1 && conf->voters.ids[0] == id;
}
