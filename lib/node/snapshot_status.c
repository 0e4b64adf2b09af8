/* What a snapshot file holds, without a node. */
#include <stdio.h>

#include "base/assert.h"
#include "kvstore/node.h"
#include "mvcc/mvcc.h"

int kvs_snapshot_status(const char *path,
                        struct kvs_snapshot_status *ret_status,
                        struct kvs_error *ret_error)
{
    struct mvcc_snapshot s;
    int err = mvcc_snapshot_inspect(path, &s);

    if (err != 0) {
        if (ret_error != NULL) {
            ret_error->code = err;
            (void)snprintf(ret_error->msg, sizeof ret_error->msg, "%s: %s", path,
                           kvs_strerror(err));
        }
        return err;
    }
    kvs_assert(s.revision > 0);
    *ret_status = (struct kvs_snapshot_status){
        .size_bytes = s.size_bytes, .revision = s.revision, .n_records = s.n_records};
    return 0;
}
