/* What a request asks for: method, path and query of the Kubernetes API, taken apart.
 *
 *     /api/v1/namespaces/NS/pods/NAME/status         the core group
 *     /apis/GROUP/VERSION/namespaces/NS/RESOURCE     named groups
 *     /version, /healthz, /openapi/v2, ...           the rest: ROUTE_OTHER
 *
 * The scope comes from the resource, never from the URL alone: a namespaced resource below a
 * cluster path is all namespaces, a cluster resource below a namespace is not found.
 * Pure; fuzzed (fuzz_kube_route). */
#ifndef KUBE_ROUTE_H
#define KUBE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "kube/resource.h"
#include "kube/status.h"

enum kube_route_kind {
    KUBE_ROUTE_OTHER,    /* not below /api or /apis: the server knows */
    KUBE_ROUTE_VERSIONS, /* /api */
    KUBE_ROUTE_GROUPS,   /* /apis */
    KUBE_ROUTE_GROUP,    /* /apis/GROUP */
    KUBE_ROUTE_LIST,     /* /api/v1, /apis/GROUP/VERSION: the resources of a version */
    KUBE_ROUTE_RESOURCE,
};

/* What RBAC calls the request. */
enum kube_action {
    KUBE_ACTION_GET,
    KUBE_ACTION_LIST,
    KUBE_ACTION_WATCH,
    KUBE_ACTION_CREATE,
    KUBE_ACTION_UPDATE,
    KUBE_ACTION_PATCH,
    KUBE_ACTION_DELETE,
    KUBE_ACTION_DELETECOLLECTION,
    KUBE_ACTION_COUNT,
};

/* "get", "deletecollection". */
const char *kube_action_name(enum kube_action action);
enum kube_verb kube_action_verb(enum kube_action action);

struct kube_route {
    enum kube_route_kind kind;
    struct kvs_view group;
    struct kvs_view version;
    const struct kube_resource *resource;
    enum kube_subresource sub;
    struct kvs_view namespace; /* empty: cluster scope, or all namespaces */
    struct kvs_view name;      /* empty: the collection */
    struct kvs_view rest;      /* behind a proxy subresource */
    enum kube_action action;
};

/* fieldValidation */
enum kube_validation {
    KUBE_VALIDATION_DEFAULT, /* Warn */
    KUBE_VALIDATION_IGNORE,
    KUBE_VALIDATION_WARN,
    KUBE_VALIDATION_STRICT,
};

enum kube_propagation {
    KUBE_PROPAGATION_DEFAULT,
    KUBE_PROPAGATION_ORPHAN,
    KUBE_PROPAGATION_BACKGROUND,
    KUBE_PROPAGATION_FOREGROUND,
};

/* The query, decoded. Views borrow from the arena. */
struct kube_query {
    struct kvs_view label_selector;
    struct kvs_view field_selector;
    struct kvs_view resource_version;
    struct kvs_view resource_version_match;
    struct kvs_view continue_token;
    struct kvs_view field_manager;
    struct kvs_view include_object; /* "None", "Metadata", "Object" */
    struct kvs_view pretty;
    uint64_t limit;
    uint64_t timeout_s;     /* timeoutSeconds, or timeout=32s; 0: not given */
    int64_t grace_period_s; /* -1: not given */
    enum kube_validation validation;
    enum kube_propagation propagation;
    bool watch;
    bool bookmarks;
    bool send_initial_events;
    bool dry_run;
    bool force;
};

/* Takes method, path and query apart; `path` percent-decoded here. Refusals set `status` and return
 * KVS_E_INVALID; KVS_E_NOMEM. What is returned borrows from `arena` or is static. */
KVS_MUST_USE int kube_route_parse(struct arena *arena,
                                  struct kvs_view method,
                                  struct kvs_view path,
                                  struct kvs_view query,
                                  struct kube_route *ret_route,
                                  struct kube_query *ret_query,
                                  struct kube_status *status);

/* Value of an option by name from DeleteOptions or a query: "Foreground" ... False: unknown. */
bool kube_propagation_parse(struct kvs_view text, enum kube_propagation *ret_propagation);

#endif
