/* Following watches until interrupted: shared by `watch` and `get --watch`. */
#ifndef KVCTL_WATCHING_H
#define KVCTL_WATCHING_H

#include "ctl.h"

/* Prints what `req` sees until it ends; `exec` (ended by NULL, or NULL) is run for each event with
 * ETCD_WATCH_* in its environment. Returns the exit code. */
int watching_run(struct ctl *ctl, const struct kvs_watch_create_req *req, const char *const *exec);

/* The same on `reader`, which stays open. Several may run at a time, on threads of their
 * own; responses do not mix. */
int watching_follow(struct ctl *ctl, struct kvs_watch_reader *reader, const char *const *exec);

#endif
