/* A lease that lives as long as the command: what lock and elect stand on. */
#ifndef KVCTL_SESSION_H
#define KVCTL_SESSION_H

#include "ctl.h"
#include "interrupt.h"

struct session {
    struct ctl *ctl;
    struct interrupt interrupt; /* raised when the lease is lost or the lock is decided */
    kvs_lease_id lease;
    struct kvs_lease_keeper *keeper;
    bool lost; /* the lease has gone */
    struct kvs_lock *lock;
    struct kvs_error error; /* of the acquisition */
    bool decided;
};

/* 0 or an exit code, having said why. */
int session_open(struct session *s, struct ctl *ctl, int64_t ttl_s);

/* Waits in line for `name`. 0: s->lock is ours. Else an exit code. */
int session_acquire(struct session *s, const char *name, struct kvs_view value);

/* Prints the key that is ours, in the chosen format. */
int session_show(struct session *s);

/* Gives lock and lease back. */
void session_close(struct session *s);

#endif
