/* The columns that `kubectl get` shows of each kind: a Table is made on the server. Facts:
 * Kubernetes' printers (pkg/printers/internalversion) in 1.32, and its default columns for the
 * kinds that have none. A server always gives the wide cells, too; the client leaves out columns of
 * priority above 0.
 *
 * Objects are untrusted: a value of the wrong type counts as absent. Pure; any thread. */
#ifndef KUBE_PRINTER_H
#define KUBE_PRINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/json.h"
#include "kube/resource.h"

struct kube_column {
    const char *name;
    const char *type;        /* "string", "integer", "boolean", "date" */
    const char *format;      /* "name" for the column of the name, else "" */
    unsigned priority;       /* above 0: only with -o wide */
    const char *description; /* a text, or the message that has `field` */
    const char *field;       /* NULL, or the field whose documentation is the description */
};

/* A row while its cells are written. */
struct kube_row {
    yyjson_mut_val *object;
    uint64_t now_ns; /* since 1970 */
    struct buf *to;
    size_t n_cells;
};

struct kube_printer {
    const char *storage; /* of the resource; its plural if it is not stored */
    const struct kube_column *columns;
    size_t n_columns;
    void (*cells)(struct kube_row *row); /* one for each column */
    /* JSON text of the row's conditions, NULL for none. NULL: no row has any. */
    const char *(*conditions)(yyjson_mut_val *object);
};

/* Never NULL: kinds without a printer of their own show name and time of creation. */
const struct kube_printer *kube_printer_find(const struct kube_resource *r);

/* Of the kind autoscaling/v1 Scale, which is only a subresource. */
const struct kube_printer *kube_printer_scale(void);

/* Appends one JSON value for each column, with commas between. Out of memory marks the buffer. */
void kube_printer_write(const struct kube_printer *p,
                        yyjson_mut_val *object,
                        uint64_t now_ns,
                        struct buf *to);

/* Constant; "" if the API says nothing. */
const char *kube_column_description(const struct kube_column *c);

/* ---- cells, for printers ---- */

void kube_cell_text(struct kube_row *row, struct kvs_view text);
/* `absent` for a text without bytes. */
void kube_cell_text_or(struct kube_row *row, struct kvs_view text, const char *absent);
/* Ends `text`, which is always one of this row's. */
void kube_cell_buf(struct kube_row *row, struct buf *text);
void kube_cell_int(struct kube_row *row, int64_t number);
void kube_cell_bool(struct kube_row *row, bool value);
void kube_cell_name(struct kube_row *row);
/* The object's age by its creationTimestamp; "<unknown>" without one. */
void kube_cell_age(struct kube_row *row);
/* The time since an RFC 3339 text; "<unknown>" for none, or for Go's zero time. */
void kube_cell_since(struct kube_row *row, struct kvs_view time);

#endif
