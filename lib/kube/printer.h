/* The columns that `kubectl get` shows of each kind: a Table is made on the server. Facts:
 * Kubernetes' printers (pkg/printers/internalversion) in 1.32. Pure. */
#ifndef KUBE_PRINTER_H
#define KUBE_PRINTER_H

#include <stdint.h>

#include "kube/json.h"
#include "kube/resource.h"

struct kube_column {
    const char *name;
    const char *type;   /* "string", "integer" */
    const char *format; /* "name" for the first column, else "" */
    unsigned priority;  /* above 0: only with -o wide */
};

struct kube_printer {
    const char *storage; /* of the resource */
    const struct kube_column *columns;
    size_t n_columns;
    /* Appends one JSON value for each column, with commas between. */
    void (*cells)(yyjson_mut_val *object, uint64_t now_ns, struct buf *to);
};

/* Never NULL: kinds without a printer of their own show name and age. */
const struct kube_printer *kube_printer_find(const struct kube_resource *r);

/* --- for printers -------------------------------------------------------------------------------
 */

/* Append one cell. A text without bytes is "". */
void kube_cell_text(struct buf *to, struct kvs_view text);
void kube_cell_int(struct buf *to, int64_t number);
/* The object's age by its creationTimestamp; "<unknown>" without one. */
void kube_cell_age(struct buf *to, yyjson_mut_val *object, uint64_t now_ns);
/* The time since an RFC 3339 text; "<unknown>" for none. */
void kube_cell_since(struct buf *to, struct kvs_view time, uint64_t now_ns);

#endif
