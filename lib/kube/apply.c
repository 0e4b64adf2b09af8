#include "kube/apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/view.h"
#include "kube/json_int.h"
#include "kube/managed_fields_int.h"
#include "kube/quote.h"
#include "kube/tree.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
#define BEFORE_FIRST "before-first-apply"

/* Annotations of an object are at most so long together. */
#define ANNOTATIONS_MAX ((size_t)256 << 10)

struct applying {
    const struct kube_apply *in;
    struct managed m;
    yyjson_mut_val *live;
    yyjson_mut_val *patch;
    yyjson_mut_val *merged;
    const struct kube_field_set *last; /* what the manager applied before */
    size_t self;                       /* the manager's entry */
};

/* ---- what may be applied ---- */

static void apply_print_kind(struct buf *to, struct kvs_view api_version, struct kvs_view kind)
{
    buf_append_view(to, api_version.len == 0 ? VIEW_LITERAL("/") : api_version);
    buf_append_str(to, ", Kind=");
    buf_append_view(to, kind);
}

static int apply_check_kind(struct applying *a)
{
    struct kvs_view api_version = kube_json_get_str(a->patch, "apiVersion");
    struct kvs_view kind = kube_json_get_str(a->patch, "kind");
    struct buf text;

    if (view_equal(api_version, a->in->manager->api_version) && view_equal_str(kind, a->in->kind)) {
        return 0;
    }
    buf_init(&text);
    apply_print_kind(&text, api_version, kind);
    kube_status_bad_request(a->in->status, "invalid object type: %.*s", (int)text.len,
                            (const char *)text.data);
    buf_fini(&text);
    return KVS_E_INVALID;
}

static int apply_check_type(struct applying *a)
{
    yyjson_mut_val *metadata = kube_json_get(a->patch, "metadata");
    struct buf text;
    struct buf why;
    int err;

    buf_init(&why);
    err = kube_typed_validate(&a->m.typed, a->in->manager->type, a->patch, &why);
    if (err == KVS_E_INVALID) {
        buf_init(&text);
        buf_append_str(&text, "failed to create typed patch object (");
        buf_append_view(&text, kube_json_get_str(metadata, "namespace"));
        buf_append_str(&text, "/");
        buf_append_view(&text, kube_json_get_str(metadata, "name"));
        buf_append_str(&text, "; ");
        apply_print_kind(&text, a->in->manager->api_version, view_str(a->in->kind));
        buf_append_str(&text, "): ");
        buf_append_view(&text, buf_view(&why));
        kube_status_plain(a->in->status, 500, buf_view(&text));
        buf_fini(&text);
    }
    buf_fini(&why);
    return err;
}

static int apply_check(struct applying *a)
{
    yyjson_mut_val *given = kube_json_get(kube_json_get(a->patch, "metadata"), "managedFields");
    int err = apply_check_kind(a);

    if (err == 0 && given != NULL && !yyjson_mut_is_null(given)) {
        kube_status_bad_request(a->in->status, "metadata.managedFields must be nil");
        err = KVS_E_INVALID;
    }
    return err != 0 ? err : apply_check_type(a);
}

/* ---- what goes ---- */

static int
apply_fields(struct applying *a, yyjson_mut_val *object, const struct kube_field_set **ret_set)
{
    return kube_typed_fields(&a->m.typed, a->in->manager->type, object, ret_set);
}

static int apply_ensure(struct applying *a,
                        const struct kube_field_set *set,
                        const struct kube_field_set **ret_set)
{
    return kube_typed_ensure_named(&a->m.typed, a->in->manager->type, set, ret_set);
}

/* A copy of the merged object without the members of `set`. */
static int
apply_without(struct applying *a, const struct kube_field_set *set, yyjson_mut_val **ret_object)
{
    *ret_object = kube_json_copy(a->in->manager->doc, a->merged);
    return *ret_object == NULL
               ? KVS_E_NOMEM
               : kube_typed_remove(&a->m.typed, a->in->manager->type, *ret_object, set);
}

/* All that anybody owns. */
static int apply_owned(struct applying *a, const struct kube_field_set **ret_set)
{
    int err = 0;

    *ret_set = NULL;
    for (size_t i = 0; err == 0 && i < a->m.n; i++) {
        err = kube_field_set_union(&a->m.arena, *ret_set, a->m.entries[i].set, ret_set);
    }
    return err == 0 ? apply_ensure(a, *ret_set, ret_set) : err;
}

/* Fields of the merged object, named fields included, without those of `object`. */
static int apply_lost(struct applying *a,
                      const struct kube_field_set *all,
                      yyjson_mut_val *object,
                      const struct kube_field_set **ret_set)
{
    const struct kube_field_set *left = NULL;
    int err = apply_fields(a, object, &left);

    if (err == 0) {
        err = apply_ensure(a, left, &left);
    }
    return err != 0 ? err : kube_field_set_difference(&a->m.arena, all, left, false, ret_set);
}

/* Takes out what the manager applied last, then gives back what anybody owns, then what would
 * have gone along with its parent although the manager never owned it. */
static int apply_prune(struct applying *a)
{
    const struct kube_field_set *all = NULL;
    const struct kube_field_set *last = NULL;
    const struct kube_field_set *owned = NULL;
    const struct kube_field_set *lost = NULL;
    yyjson_mut_val *pruned = NULL;
    int err;

    if (a->last == NULL) {
        return 0;
    }
    err = apply_ensure(a, a->last, &last);
    if (err == 0) {
        err = apply_without(a, last, &pruned);
    }
    if (err == 0) {
        err = apply_fields(a, a->merged, &all);
    }
    if (err == 0) {
        err = apply_ensure(a, all, &all);
    }
    if (err == 0) {
        err = apply_owned(a, &owned);
    }
    if (err == 0) {
        err = apply_lost(a, all, pruned, &lost);
    }
    if (err == 0) {
        err = kube_field_set_difference(&a->m.arena, lost, owned, false, &lost);
    }
    if (err == 0) {
        err = apply_without(a, lost, &pruned);
    }
    if (err == 0) {
        err = apply_lost(a, all, pruned, &lost);
    }
    if (err == 0) {
        err = kube_field_set_intersection(&a->m.arena, lost, last, &lost);
    }
    if (err == 0) {
        err = apply_without(a, lost, &pruned);
    }
    if (err == 0) {
        a->merged = pruned;
    }
    return err;
}

/* ---- conflicts ---- */

struct conflict {
    size_t at; /* in the order in which it was found */
    struct kvs_view path;
    const struct managed_entry *with;
};

struct conflicts {
    struct arena *arena;
    const struct managed_entry *with; /* whose are being collected */
    struct conflict *at;
    size_t n;
    size_t room;
    bool failed;
};

static void conflict_found(void *ctx, struct kvs_view path)
{
    struct conflicts *c = ctx;

    if (c->n == c->room) {
        size_t room = c->room == 0 ? 16 : c->room * 2;
        struct conflict *at = arena_calloc(c->arena, room, sizeof *at);

        if (at == NULL) {
            c->failed = true;
            return;
        }
        if (c->n > 0) {
            memcpy(at, c->at, c->n * sizeof *at);
        }
        c->at = at;
        c->room = room;
    }
    c->at[c->n].with = c->with;
    c->at[c->n].at = c->n;
    c->failed = arena_copy(c->arena, path, &c->at[c->n].path) != 0 || c->failed;
    c->n++;
}

/* By manager, as messages name them; of one manager in the order of the paths. */
static int conflict_order(const void *a, const void *b)
{
    const struct conflict *x = a;
    const struct conflict *y = b;
    int order = view_compare(x->with->manager, y->with->manager);

    if (order == 0 && x->with->applied != y->with->applied) {
        order = x->with->applied ? -1 : 1;
    }
    if (order == 0) {
        order = view_compare(x->with->api_version, y->with->api_version);
    }
    if (order == 0) {
        order = view_compare(x->with->subresource, y->with->subresource);
    }
    return order != 0 ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* "kubectl" with subresource "status" using apps/v1 */
static void conflict_print_manager(struct buf *to, const struct managed_entry *e)
{
    kube_quote(to, e->manager);
    if (e->subresource.len > 0) {
        buf_append_str(to, " with subresource ");
        kube_quote(to, e->subresource);
    }
    if (!e->applied) {
        buf_append_str(to, " using ");
        buf_append_view(to, e->api_version);
    }
}

static void conflict_print(struct buf *to, const struct conflicts *c)
{
    if (c->n == 1) {
        buf_append_str(to, "Apply failed with 1 conflict: conflict with ");
        conflict_print_manager(to, c->at[0].with);
        buf_append_str(to, ": ");
        buf_append_view(to, c->at[0].path);
        return;
    }
    buf_printf(to, "Apply failed with %zu conflicts: ", c->n);
    for (size_t i = 0; i < c->n; i++) {
        if (i == 0 || c->at[i].with != c->at[i - 1].with) {
            buf_append_str(to, i == 0 ? "conflicts with " : "\nconflicts with ");
            conflict_print_manager(to, c->at[i].with);
            buf_append_str(to, ":");
        }
        buf_append_str(to, "\n- ");
        buf_append_view(to, c->at[i].path);
    }
}

static int conflict_report(struct applying *a, const struct conflicts *c)
{
    struct kube_cause *causes = arena_calloc(&a->m.arena, c->n, sizeof *causes);
    struct buf text;

    if (causes == NULL) {
        return KVS_E_NOMEM;
    }
    buf_init(&text);
    for (size_t i = 0; i < c->n; i++) {
        struct kvs_view message;

        buf_clear(&text);
        buf_append_str(&text, "conflict with ");
        conflict_print_manager(&text, c->at[i].with);
        if (text.failed || arena_copy(&a->m.arena, buf_view(&text), &message) != 0) {
            buf_fini(&text);
            return KVS_E_NOMEM;
        }
        causes[i] = (struct kube_cause){"FieldManagerConflict", message, c->at[i].path};
    }
    buf_clear(&text);
    conflict_print(&text, c);
    kube_status_apply_conflict(a->in->status, buf_view(&text), causes, c->n);
    buf_fini(&text);
    return KVS_E_INVALID;
}

/* What the client-side apply annotation says, as far as it is still so: its author may take that
 * over without force. Nothing if it cannot be read. */
static int apply_last_applied(struct applying *a, const struct kube_field_set **ret_set)
{
    const struct kube_json_limits limits = kube_json_limits_default();
    yyjson_mut_val *annotations = kube_json_get(kube_json_get(a->live, "metadata"), "annotations");
    struct kvs_view text = kube_json_get_str(annotations, LAST_APPLIED);
    struct kube_comparison c;
    yyjson_mut_val *object;
    struct buf why;
    int err;

    *ret_set = NULL;
    if (text.len == 0 ||
        kube_json_read_into(a->in->manager->doc, text, &limits, &object, NULL) != 0 ||
        !view_equal(kube_json_get_str(object, "apiVersion"), a->in->manager->api_version)) {
        return 0;
    }
    buf_init(&why);
    err = kube_typed_validate(&a->m.typed, a->in->manager->type, object, &why);
    buf_fini(&why);
    if (err != 0) {
        return err == KVS_E_INVALID ? 0 : err;
    }
    err = apply_fields(a, object, ret_set);
    if (err == 0) {
        err = kube_typed_compare(&a->m.typed, a->in->manager->type, object, a->live, &c);
    }
    if (err == 0) {
        err = kube_field_set_union(&a->m.arena, c.modified, c.added, &c.added);
    }
    if (err == 0) {
        err = kube_field_set_union(&a->m.arena, c.removed, c.added, &c.added);
    }
    return err != 0 ? err
                    : kube_field_set_difference(&a->m.arena, *ret_set, c.added, false, ret_set);
}

static int apply_check_conflicts(struct applying *a, const struct kube_comparison *comparison)
{
    struct conflicts c = {.arena = &a->m.arena};
    const struct kube_field_set *changed;
    const struct kube_field_set *allowed = NULL;
    int err = kube_field_set_union(&a->m.arena, comparison->modified, comparison->added, &changed);

    if (err == 0 && a->live != NULL && view_equal_str(a->in->manager->name, "kubectl")) {
        err = apply_last_applied(a, &allowed);
    }
    if (err == 0) {
        err = kube_field_set_difference(&a->m.arena, changed, allowed, false, &changed);
    }
    for (size_t i = 0; err == 0 && i < a->m.n; i++) {
        const struct kube_field_set *both;

        c.with = &a->m.entries[i];
        if (i != a->self) {
            err = kube_field_set_intersection(&a->m.arena, c.with->set, changed, &both);
            if (err == 0) {
                err = kube_field_set_each(both, conflict_found, &c);
            }
        }
    }
    if (err != 0 || c.failed) {
        return err != 0 ? err : KVS_E_NOMEM;
    }
    if (c.n == 0) {
        return 0;
    }
    qsort(c.at, c.n, sizeof *c.at, conflict_order);
    return conflict_report(a, &c);
}

/* ---- the annotation of client-side apply ---- */

static int apply_sort(yyjson_mut_val *value)
{
    yyjson_mut_obj_iter members;
    yyjson_mut_arr_iter items = yyjson_mut_arr_iter_with(value);
    yyjson_mut_val *at;
    int err = yyjson_mut_is_obj(value) ? kube_json_sort_members(value, false, NULL, NULL, NULL) : 0;

    members = yyjson_mut_obj_iter_with(value);
    while (err == 0 && (at = yyjson_mut_obj_iter_next(&members)) != NULL) {
        err = apply_sort(yyjson_mut_obj_iter_get_val(at));
    }
    while (err == 0 && (at = yyjson_mut_arr_iter_next(&items)) != NULL) {
        err = apply_sort(at);
    }
    return err;
}

static size_t apply_annotations_size(yyjson_mut_val *annotations)
{
    yyjson_mut_obj_iter it = yyjson_mut_obj_iter_with(annotations);
    yyjson_mut_val *key;
    size_t size = 0;

    while ((key = yyjson_mut_obj_iter_next(&it)) != NULL) {
        size += yyjson_mut_get_len(key) + yyjson_mut_get_len(yyjson_mut_obj_iter_get_val(key));
    }
    return size;
}

/* kubectl's own applies keep what its client-side apply would compare with. */
static int apply_sync_annotation(struct applying *a)
{
    yyjson_mut_doc *doc = a->in->manager->doc;
    yyjson_mut_val *annotations =
        kube_json_get(kube_json_get(a->merged, "metadata"), "annotations");
    yyjson_mut_val *body;
    struct buf text;
    int err;

    if (!view_equal_str(a->in->manager->name, "kubectl") ||
        kube_json_get_str(annotations, LAST_APPLIED).len == 0) {
        return 0;
    }
    body = kube_json_copy(doc, a->patch);
    if (body == NULL) {
        return KVS_E_NOMEM;
    }
    (void)yyjson_mut_obj_remove_key(kube_json_get(kube_json_get(body, "metadata"), "annotations"),
                                    LAST_APPLIED);
    buf_init(&text);
    err = apply_sort(body);
    if (err == 0) {
        err = kube_json_write(&text, body);
    }
    buf_append_str(&text, "\n");
    if (err == 0) {
        err = text.failed
                  ? KVS_E_NOMEM
                  : kube_tree_set(doc, annotations, VIEW_LITERAL(LAST_APPLIED),
                                  yyjson_mut_strncpy(doc, (const char *)text.data, text.len));
    }
    if (err == 0 && apply_annotations_size(annotations) > ANNOTATIONS_MAX) {
        (void)yyjson_mut_obj_remove_key(annotations, LAST_APPLIED);
    }
    buf_fini(&text);
    return err;
}

/* ---- the whole ---- */

/* The manager's entry is what it applies now. */
static int apply_set_own(struct applying *a)
{
    const struct kube_manager *manager = a->in->manager;
    struct managed_entry fresh = {
        .manager = manager->name, .subresource = view_str(manager->subresource), .applied = true};
    struct managed_entry *own = managed_find(&a->m, manager->name, true);
    int err = 0;

    if (own == NULL) {
        err = managed_add(&a->m, &fresh);
        own = err == 0 ? &a->m.entries[a->m.n - 1] : NULL;
    }
    if (own == NULL) {
        return err;
    }
    a->self = (size_t)(own - a->m.entries);
    a->last = own->set;
    own->api_version = manager->api_version;
    err = apply_fields(a, a->patch, &own->set);
    return err != 0 ? err
                    : kube_field_set_difference(&a->m.arena, own->set, a->m.reset, true, &own->set);
}

static int apply_read_live(struct applying *a)
{
    yyjson_mut_val *empty;
    int err = managed_empty_object(&a->m, &empty);

    if (err != 0 || a->live == NULL) {
        a->merged = empty;
        return err;
    }
    a->merged = kube_json_copy(a->in->manager->doc, a->live);
    if (a->merged == NULL) {
        return KVS_E_NOMEM;
    }
    err = managed_read(&a->m, a->live);
    if (err == KVS_E_MALFORMED) {
        kube_status_plain(a->in->status, 500, VIEW_LITERAL("failed to decode managed fields"));
        return KVS_E_INVALID;
    }
    if (err == 0 && a->m.n == 0) {
        err = managed_track(&a->m, VIEW_LITERAL(BEFORE_FIRST), "", empty, a->live);
    }
    return err;
}

static int apply_merge(struct applying *a)
{
    int err = kube_typed_merge(&a->m.typed, a->in->manager->type, a->merged, a->patch);

    if (err == 0) {
        err = apply_set_own(a);
    }
    return err != 0 ? err : apply_prune(a);
}

static int apply_settle(struct applying *a, yyjson_mut_val *live)
{
    struct managed_entry *own;
    struct kube_comparison c;
    int err = managed_compare(&a->m, live, a->merged, &c);

    if (err == 0 && !a->in->force) {
        err = apply_check_conflicts(a, &c);
    }
    if (err == 0) {
        err = managed_reduce(&a->m, &a->m.entries[a->self], &c);
    }
    if (err != 0) {
        return err;
    }
    own = &a->m.entries[a->self];
    if (!kube_json_equal(live, a->merged)) {
        err = managed_stamp(&a->m, own);
    }
    if (err != 0) {
        return err;
    }
    err = kube_field_set_difference(&a->m.arena, own->set, a->m.strip, false, &own->set);
    return err != 0 ? err : managed_write(&a->m, a->merged);
}

static int apply_run(struct applying *a)
{
    yyjson_mut_val *live;
    int err = apply_read_live(a);

    if (err == 0) {
        err = apply_check(a);
    }
    if (err != 0) {
        return err;
    }
    live = a->live != NULL ? a->live : kube_json_copy(a->in->manager->doc, a->merged);
    err = live == NULL ? KVS_E_NOMEM : apply_merge(a);
    if (err == 0) {
        err = apply_settle(a, live);
    }
    return err != 0 ? err : apply_sync_annotation(a);
}

int kube_apply(const struct kube_apply *apply,
               yyjson_mut_val *live,
               yyjson_mut_val *patch,
               yyjson_mut_val **ret_object)
{
    struct applying a = {.in = apply, .live = live, .patch = patch};
    int err = managed_init(&a.m, apply->manager);

    if (err == 0) {
        err = apply_run(&a);
    }
    if (err == 0) {
        *ret_object = a.merged;
    }
    managed_fini(&a.m);
    return err;
}
