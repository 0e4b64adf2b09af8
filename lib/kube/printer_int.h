/* What the files of printers share: reading untrusted objects, texts made of several values, and
 * the columns that most kinds have. Internal. */
#ifndef KUBE_PRINTER_INT_H
#define KUBE_PRINTER_INT_H

#include "base/view.h"
#include "kube/printer.h"

/* ---- columns ---- */

#define PRINTER_API(message)        "io.k8s.api." message
#define PRINTER_META(message)       "io.k8s.apimachinery.pkg.apis.meta.v1." message
#define PRINTER_DOC(message, field) PRINTER_API(message), field
#define PRINTER_SAYS(text)          text, NULL

#define PRINTER_NAME                                                                               \
    {                                                                                              \
        "Name", "string", "name", 0, PRINTER_META("ObjectMeta"), "name"                            \
    }
#define PRINTER_AGE                                                                                \
    {                                                                                              \
        "Age", "string", "", 0, PRINTER_META("ObjectMeta"), "creationTimestamp"                    \
    }
#define PRINTER_CONTAINERS(priority)                                                               \
    {                                                                                              \
        "Containers", "string", "", priority,                                                      \
            PRINTER_SAYS("Names of each container in the template.")                               \
    }
#define PRINTER_IMAGES(priority)                                                                   \
    {                                                                                              \
        "Images", "string", "", priority,                                                          \
            PRINTER_SAYS("Images referenced by each container in the template.")                   \
    }
#define PRINTER_OF(storage, columns, cells)                                                        \
    {                                                                                              \
        storage, columns, sizeof(columns) / sizeof((columns)[0]), cells, NULL                      \
    }

/* The printers of each file, ended by one without a storage name. */
extern const struct kube_printer printers_pod[];
extern const struct kube_printer printers_workload[];
extern const struct kube_printer printers_batch[];
extern const struct kube_printer printers_core[];
extern const struct kube_printer printers_node[];
extern const struct kube_printer printers_event[];
extern const struct kube_printer printers_network[];
extern const struct kube_printer printers_endpoints[];
extern const struct kube_printer printers_storage[];
extern const struct kube_printer printers_csi[];
extern const struct kube_printer printers_policy[];
extern const struct kube_printer printers_flow[];
extern const struct kube_printer printers_autoscaling[];
extern const struct kube_printer printers_access[];
extern const struct kube_printer printers_admission[];

/* ---- reading: `path` has names with dots between, NULL is itself ---- */

yyjson_mut_val *printer_at(yyjson_mut_val *object, const char *path);
struct kvs_view printer_str(yyjson_mut_val *object, const char *path);
/* False, and 0, if it is no integer of 64 bits. */
bool printer_number(yyjson_mut_val *object, const char *path, int64_t *ret_number);
int64_t printer_int(yyjson_mut_val *object, const char *path);
bool printer_true(yyjson_mut_val *object, const char *path);
/* The first of an object list whose `name` is `value`; NULL if there is none. */
yyjson_mut_val *printer_with(yyjson_mut_val *list, const char *name, const char *value);
/* True if the first condition of this type has status True. */
bool printer_condition(yyjson_mut_val *conditions, const char *type);
/* True for a time other than Go's zero; `ret_ns` since 1970, limited to 64 bits, may be NULL. */
bool printer_time(struct kvs_view text, int64_t *ret_ns);

/* ---- texts ---- */

static inline void printer_append_int(struct buf *to, int64_t number)
{
    buf_printf(to, "%lld", (long long)number);
}

/* A text with the letters A to Z made small. */
void printer_append_lower(struct buf *to, struct kvs_view text);
/* The member's amount, "0" if absent. */
void printer_append_quantity(struct buf *to, yyjson_mut_val *object, const char *path);
/* "1m30s" for a span; the times since 1970. */
void printer_append_span(struct buf *to, int64_t from_ns, int64_t to_ns);

/* ---- cells ---- */

void printer_cell_str(struct kube_row *row, const char *path);
void printer_cell_str_or(struct kube_row *row, const char *path, const char *absent);
void printer_cell_int(struct kube_row *row, const char *path);
/* How many elements or members it has. */
void printer_cell_count(struct kube_row *row, const char *path);
/* "2/3". */
void printer_cell_ratio(struct kube_row *row, int64_t part, int64_t whole);
/* The names, and the images, of a list of containers: two cells. */
void printer_cell_containers(struct kube_row *row, const char *path);
/* A map of labels, "<none>" if empty. */
void printer_cell_labels(struct kube_row *row, const char *path);
/* A metav1.LabelSelector; `empty` for one that says nothing, `invalid` for one that is not. */
void printer_cell_selector(struct kube_row *row,
                           const char *path,
                           const char *empty,
                           const char *invalid);

/* ---- lists of texts: borrowed from the object ---- */

struct printer_word {
    struct kvs_view text;
    yyjson_mut_val *value; /* of a member, else NULL */
};

struct printer_words {
    struct printer_word *items;
    size_t count;
    size_t capacity;
    bool failed; /* out of memory: not all are there */
};

void printer_words_add(struct printer_words *w, struct kvs_view text, yyjson_mut_val *value);
/* The strings in a list; the keys, and values, of a map. */
void printer_words_add_list(struct printer_words *w, yyjson_mut_val *list);
void printer_words_add_map(struct printer_words *w, yyjson_mut_val *map);
/* Bytewise. */
void printer_words_sort(struct printer_words *w);
/* The same, and of equal ones keeps one. */
void printer_words_sort_unique(struct printer_words *w);
/* Of sorted ones. */
bool printer_words_has(const struct printer_words *w, struct kvs_view text);
void printer_words_join(const struct printer_words *w, const char *between, struct buf *to);
void printer_words_fini(struct printer_words *w);

/* A cell of the texts with `between` between; ends the list. */
void printer_cell_words(struct kube_row *row,
                        struct printer_words *w,
                        const char *between,
                        const char *absent);

#endif
