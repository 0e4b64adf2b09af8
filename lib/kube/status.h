/* metav1.Status: what every refused request answers with. Clients tell errors apart by `reason`
 * and show `message`, so both are Kubernetes' own, word by word
 * (k8s.io/apimachinery/pkg/api/errors). */
#ifndef KUBE_STATUS_H
#define KUBE_STATUS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "kube/field_error.h"
#include "kube/resource.h"
#include "kvstore/types.h"

struct kube_cause {
    const char *reason; /* "FieldValueInvalid" */
    struct kvs_view message;
    struct kvs_view field;
};

/* `name` and `uid` borrow from whoever set them; message and causes are the status' own. */
struct kube_status {
    unsigned code; /* HTTP's; 0: nothing went wrong */
    const char *reason;
    struct buf message;
    struct arena arena; /* of the causes */
    bool has_details;
    struct kvs_view name;
    const char *group;
    const char *kind; /* plural or kind, as the reason wants it */
    struct kvs_view uid;
    struct kube_cause *causes;
    size_t n_causes;
    unsigned retry_after_s; /* 0: not said */
};

void kube_status_init(struct kube_status *s);
void kube_status_fini(struct kube_status *s);

/* Each sets a fresh status. `r` may be NULL where a path led nowhere. */
void kube_status_bad_request(struct kube_status *s, const char *format, ...) KVS_PRINTF(2, 3);
void kube_status_unauthorized(struct kube_status *s);
void kube_status_forbidden(struct kube_status *s,
                           const struct kube_resource *r,
                           struct kvs_view name,
                           const char *format,
                           ...) KVS_PRINTF(4, 5);
void kube_status_no_path(struct kube_status *s);
void kube_status_not_found(struct kube_status *s,
                           const struct kube_resource *r,
                           struct kvs_view name);
void kube_status_no_method(struct kube_status *s, const struct kube_resource *r, const char *verb);
void kube_status_not_acceptable(struct kube_status *s, const char *accepted);
void kube_status_already_exists(struct kube_status *s,
                                const struct kube_resource *r,
                                struct kvs_view name);
void kube_status_conflict(struct kube_status *s,
                          const struct kube_resource *r,
                          struct kvs_view name,
                          const char *format,
                          ...) KVS_PRINTF(4, 5);
/* The object was written by somebody else meanwhile. */
void kube_status_modified(struct kube_status *s,
                          const struct kube_resource *r,
                          struct kvs_view name);
void kube_status_expired(struct kube_status *s, const char *format, ...) KVS_PRINTF(2, 3);
void kube_status_too_large(struct kube_status *s, size_t limit_bytes);
void kube_status_unsupported_media(struct kube_status *s, const char *accepted);
/* The errors become message and causes; copied. */
void kube_status_invalid(struct kube_status *s,
                         const struct kube_resource *r,
                         struct kvs_view name,
                         const struct kube_errors *errors);
/* A patch that cannot be applied. */
void kube_status_unprocessable(struct kube_status *s);
void kube_status_internal(struct kube_status *s, const char *format, ...) KVS_PRINTF(2, 3);
/* An apply would take fields from other managers; `text` and `causes` say which. Copied. */
void kube_status_apply_conflict(struct kube_status *s,
                                struct kvs_view text,
                                const struct kube_cause *causes,
                                size_t n);
/* An error that upstream does not know a reason for: its text as it is. */
void kube_status_plain(struct kube_status *s, unsigned code, struct kvs_view text);
/* What a failed call of the store means for the client. */
void kube_status_store(struct kube_status *s, int err);

/* Appends the JSON. Out of memory marks the buffer. */
void kube_status_write(const struct kube_status *s, struct buf *to);

/* The answer to a deletion that is complete: {"status":"Success", details of the object}. */
void kube_status_write_deleted(const struct kube_resource *r,
                               struct kvs_view name,
                               struct kvs_view uid,
                               struct buf *to);

/* "deployments.apps", "pods": how messages name a resource. */
void kube_resource_write_qualified(const struct kube_resource *r, struct buf *to);

#endif
