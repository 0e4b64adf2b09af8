/* Errors of validation: which field, what is wrong, with which value. They print as apimachinery's
 * field.Error and ErrorList do, and become the causes of a Status.
 *
 *   struct kube_path spec = kube_path_root("spec");
 *   struct kube_path replicas = kube_path_child(&spec, "replicas");
 *   kube_errors_invalid(errors, &replicas, kube_bad_int(-1), "must be greater than or equal to 0");
 *
 * A path is a chain of caller's variables, built without allocating: only an error prints it. */
#ifndef KUBE_FIELD_ERROR_H
#define KUBE_FIELD_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/view.h"
#include "kube/names.h"

struct kube_path {
    const struct kube_path *parent; /* NULL: the root */
    struct kvs_view name;           /* field name, or subscript */
    size_t index;                   /* with `is_index` */
    bool is_subscript;
    bool is_index; /* the subscript is a number */
};

static inline struct kube_path kube_path_child(const struct kube_path *parent, const char *name)
{
    return (struct kube_path){.parent = parent, .name = view_str(name)};
}

static inline struct kube_path kube_path_root(const char *name)
{
    return kube_path_child(NULL, name);
}

static inline struct kube_path kube_path_key(const struct kube_path *parent, struct kvs_view key)
{
    return (struct kube_path){.parent = parent, .name = key, .is_subscript = true};
}

static inline struct kube_path kube_path_index(const struct kube_path *parent, size_t index)
{
    return (struct kube_path){
        .parent = parent, .index = index, .is_subscript = true, .is_index = true};
}

/* Appends "spec.containers[0].env"; "<nil>" for NULL. Any thread, as all of this file. */
void kube_path_print(const struct kube_path *path, struct buf *out);

enum kube_error_type {
    KUBE_ERROR_NOT_FOUND,
    KUBE_ERROR_REQUIRED,
    KUBE_ERROR_DUPLICATE,
    KUBE_ERROR_INVALID,
    KUBE_ERROR_NOT_SUPPORTED,
    KUBE_ERROR_FORBIDDEN,
    KUBE_ERROR_TOO_LONG,
    KUBE_ERROR_TOO_MANY,
    KUBE_ERROR_INTERNAL,
    KUBE_ERROR_TYPE_INVALID,
    KUBE_ERROR_TYPE_COUNT,
};

/* "FieldValueInvalid": the reason of a Status cause. Static. */
const char *kube_error_reason(enum kube_error_type type);

/* The value that was wrong, borrowed until it is printed into an error. */
struct kube_bad_value {
    enum {
        KUBE_BAD_OMITTED,
        KUBE_BAD_STRING, /* printed quoted */
        KUBE_BAD_INT,
        KUBE_BAD_BOOL,
        KUBE_BAD_TEXT, /* printed as it is: what Go's %#v makes of a struct, a map, a list */
    } kind;
    struct kvs_view text;
    int64_t number;
};

static inline struct kube_bad_value kube_bad_omitted(void)
{
    return (struct kube_bad_value){.kind = KUBE_BAD_OMITTED};
}

static inline struct kube_bad_value kube_bad_string(struct kvs_view text)
{
    return (struct kube_bad_value){.kind = KUBE_BAD_STRING, .text = text};
}

static inline struct kube_bad_value kube_bad_int(int64_t number)
{
    return (struct kube_bad_value){.kind = KUBE_BAD_INT, .number = number};
}

static inline struct kube_bad_value kube_bad_bool(bool value)
{
    return (struct kube_bad_value){.kind = KUBE_BAD_BOOL, .number = value};
}

static inline struct kube_bad_value kube_bad_text(struct kvs_view text)
{
    return (struct kube_bad_value){.kind = KUBE_BAD_TEXT, .text = text};
}

/* As Go prints a pointer that is nil. */
static inline struct kube_bad_value kube_bad_null(void)
{
    return kube_bad_string(VIEW_LITERAL("null"));
}

struct kube_error {
    enum kube_error_type type;
    const char *field; /* "spec.replicas" */
    const char *body;  /* "Invalid value: -1: must be ..." */
};

/* More errors than these are not collected: no reader wants them, and a request may hold many. */
#define KUBE_ERRORS_MAX 1000

struct kube_errors {
    struct arena arena; /* of the items' texts */
    struct kube_error *items;
    size_t count;
    size_t capacity;
    bool failed; /* out of memory: errors are missing */
};

void kube_errors_init(struct kube_errors *errors);
void kube_errors_fini(struct kube_errors *errors);

/* Appends an error; path, value and detail are copied. Lack of memory sets `failed`, to be looked
 * at once at the end (kube_errors_result). `detail` may be "". */
void kube_errors_add(struct kube_errors *errors,
                     enum kube_error_type type,
                     const struct kube_path *path,
                     struct kube_bad_value value,
                     const char *detail);

void kube_errors_invalid(struct kube_errors *errors,
                         const struct kube_path *path,
                         struct kube_bad_value value,
                         const char *detail);
void kube_errors_required(struct kube_errors *errors,
                          const struct kube_path *path,
                          const char *detail);
void kube_errors_forbidden(struct kube_errors *errors,
                           const struct kube_path *path,
                           const char *detail);
void kube_errors_duplicate(struct kube_errors *errors,
                           const struct kube_path *path,
                           struct kube_bad_value value);
void kube_errors_not_found(struct kube_errors *errors,
                           const struct kube_path *path,
                           struct kube_bad_value value);
/* `supported` are `n_supported` texts, in the order in which they are to be shown. */
void kube_errors_not_supported(struct kube_errors *errors,
                               const struct kube_path *path,
                               struct kube_bad_value value,
                               const char *const *supported,
                               size_t n_supported);
void kube_errors_too_long(struct kube_errors *errors, const struct kube_path *path, int max_bytes);
void kube_errors_too_many(struct kube_errors *errors,
                          const struct kube_path *path,
                          int actual,
                          int max);
/* One Invalid error with `value` for each message. */
void kube_errors_names(struct kube_errors *errors,
                       const struct kube_path *path,
                       struct kvs_view value,
                       const struct kube_name_messages *messages);

/* 0 without errors, KVS_E_INVALID with some, KVS_E_NOMEM if some could not be kept. */
KVS_MUST_USE int kube_errors_result(const struct kube_errors *errors);

/* Appends "a: b" for one error, "[a: b, c: d]" for several, each text once, in their order. */
void kube_errors_print(const struct kube_errors *errors, struct buf *out);

/* Appends the message of the Status: `Deployment.apps "web" is invalid: ...`. */
void kube_errors_print_invalid(const struct kube_errors *errors,
                               struct kvs_view group,
                               struct kvs_view kind,
                               struct kvs_view name,
                               struct buf *out);

#endif
