/* Building requests from flags: shared by the commands and by the lines of a transaction. Every
 * function returns 0, or an exit code having said why. */
#ifndef KVCTL_KEYS_H
#define KVCTL_KEYS_H

#include "ctl.h"

/* Key and range_end of a command with --prefix and --from-key (either may be undeclared).
 * `*ret_end` is memory that the views need (ctl_free). */
int keys_range(struct ctl *ctl,
               const char *command,
               struct kvs_view *ret_key,
               struct kvs_view *ret_end,
               void **ret_memory);

extern const struct flag get_flags[];
extern const struct flag put_flags[];
extern const struct flag del_flags[];

int get_request(struct ctl *ctl, struct kvs_range_req *ret_req, void **ret_memory);
int put_request(struct ctl *ctl, struct kvs_put_req *ret_req, void **ret_memory);
int del_request(struct ctl *ctl, struct kvs_delete_req *ret_req, void **ret_memory);

#endif
