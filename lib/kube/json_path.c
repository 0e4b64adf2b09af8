/* Where a value stands, and names, as error messages of Go programs show them. */
#include <yyjson.h>

#include "kube/json.h"

static void path_step(struct buf *to, const struct kube_json_path *path, bool first)
{
    if (path->step == KUBE_JSON_INDEX) {
        buf_printf(to, "[%zu]", path->index);
        return;
    }
    if (!first) {
        buf_append_u8(to, '.');
    }
    buf_append_view(to, path->name);
}

/* Steps are linked from the innermost outwards: they are written from the other end. */
static bool path_write_up_to(struct buf *to, const struct kube_json_path *path, bool fields_only)
{
    bool first;

    if (path == NULL) {
        return true;
    }
    first = path_write_up_to(to, path->up, fields_only);
    if (fields_only && path->step != KUBE_JSON_FIELD) {
        return first;
    }
    path_step(to, path, first);
    return false;
}

void kube_json_path_write(struct buf *to, const struct kube_json_path *path, bool fields_only)
{
    (void)path_write_up_to(to, path, fields_only);
}
