/* One request, from its body to its answer.
 *
 *   create:  BUILD -> WRITE -> DONE
 *   others:  READ -> BUILD -> WRITE -> DONE        get: READ -> DONE
 *                      ^        |
 *                      `--------'  somebody was faster: built again from what is there
 *
 * An apply of what is not there goes on like a create.
 *
 * BUILD is synchronous: it either leaves an object to write, or completes the request. */
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/attr.h"
#include "base/view.h"
#include "kube/decode.h"
#include "kube/managed_fields.h"
#include "kube/registry/registry_int.h"
#include "kube/strategy.h"

enum { TRIES_MAX = 100, NAMES_TRIED = 8 };

enum request_state {
    REQUEST_NEW,
    REQUEST_READ,
    REQUEST_WRITE,
    REQUEST_DONE,
    REQUEST_STATE_COUNT,
};

#define TO(s) (1u << (s))

static const struct {
    const char *name;
    unsigned next;
} request_table[REQUEST_STATE_COUNT] = {
    [REQUEST_NEW] = {"new", TO(REQUEST_READ) | TO(REQUEST_WRITE) | TO(REQUEST_DONE)},
    [REQUEST_READ] = {"read", TO(REQUEST_WRITE) | TO(REQUEST_DONE)},
    [REQUEST_WRITE] = {"write", TO(REQUEST_WRITE) | TO(REQUEST_READ) | TO(REQUEST_DONE)},
    [REQUEST_DONE] = {"done", 0},
};

void kube_request_init(struct kube_request *q)
{
    *q = (struct kube_request){0};
    kube_status_init(&q->status);
    buf_init(&q->json);
    buf_init(&q->warnings);
    buf_init(&q->value);
}

void kube_request_fini(struct kube_request *q)
{
    yyjson_mut_doc_free(q->doc);
    kube_status_fini(&q->status);
    buf_fini(&q->json);
    buf_fini(&q->warnings);
    buf_fini(&q->value);
}

static void request_move(struct kube_request *q, enum request_state to)
{
    kvs_assert((request_table[q->state].next & TO(to)) != 0);
    q->state = to;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* `err` 0: as q->code and q->json say. */
static void request_conclude(struct kube_request *q, int err)
{
    if (err == KVS_E_NOMEM || q->json.failed) {
        kube_status_internal(&q->status, "out of memory");
    } else if (err != 0 && q->status.code == 0) {
        kube_status_store(&q->status, err);
    }
    request_move(q, REQUEST_DONE);
}

static void request_end(struct kube_request *q, int err)
{
    request_conclude(q, err);
    q->cb(q);
}

static void request_task(struct loop_task *t)
{
    struct kube_request *q = container_of(t, struct kube_request, task);

    q->cb(q);
}

/* Not from inside the submit: in the next turn. */
static void request_end_later(struct kube_request *q, int err)
{
    request_conclude(q, err);
    loop_task_init(&q->task, request_task);
    loop_task_post(q->registry->loop, &q->task);
}

/* The object as the client gets it: with the revision of its last change. */
static int request_answer(struct kube_request *q, unsigned code, uint64_t revision)
{
    yyjson_mut_val *metadata = kube_json_get(q->object, "metadata");
    char text[24];
    yyjson_mut_val *value;

    q->code = code;
    if (revision > 0) {
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)revision);
        value = yyjson_mut_strcpy(q->doc, text);
        if (value == NULL ||
            !yyjson_mut_obj_put(metadata, yyjson_mut_str(q->doc, "resourceVersion"), value)) {
            return KVS_E_NOMEM;
        }
    }
    return kube_json_write(&q->json, q->object);
}

/* --- building --------------------------------------------------------------------------------- */

static struct kube_rules request_rules(struct kube_request *q)
{
    struct kube_registry *r = q->registry;

    return (struct kube_rules){.route = q->route,
                               .query = q->query,
                               .doc = q->doc,
                               .now_ns = r->clock->wall_ns(r->clock->ctx),
                               .rng = &r->rng,
                               .status = &q->status};
}

/* A try begins with a document of its own. */
static int request_fresh(struct kube_request *q)
{
    yyjson_mut_doc_free(q->doc);
    q->object = NULL;
    q->gone = false;
    q->doc = kube_json_new(kube_json_heap());
    return q->doc == NULL ? KVS_E_NOMEM : 0;
}

static int request_set_key(struct kube_request *q, struct kvs_view name)
{
    const struct kube_route *route = q->route;
    const char *prefix = q->registry->prefix;
    size_t size =
        strlen(prefix) + strlen(route->resource->storage) + route->namespace.len + name.len + 3;
    char *text = arena_alloc(q->arena, size);
    int len;

    if (text == NULL) {
        return KVS_E_NOMEM;
    }
    len = snprintf(text, size, "%s%s/%.*s%s%.*s", prefix, route->resource->storage,
                   (int)route->namespace.len,
                   route->namespace.len == 0 ? "" : (const char *)route->namespace.data,
                   route->namespace.len == 0 ? "" : "/", (int)name.len,
                   name.len == 0 ? "" : (const char *)name.data);
    kvs_assert(len > 0 && (size_t)len < size);
    q->key = view_make(text, (size_t)len);
    return 0;
}

/* Normal form again: the rules add members behind the others. */
static int request_normalise(struct kube_request *q)
{
    const struct kube_resource *r = q->route->resource;
    const struct kube_kind *kind =
        kube_kind_find(view_str(r->group), view_str(r->version), view_str(r->kind));
    struct kube_report report;
    int err;

    kvs_assert(kind != NULL);
    kube_report_init(&report, false);
    err = kube_decode(q->doc, kube_kind_message(kind), q->object, &report);
    kube_report_fini(&report);
    return err;
}

static int request_default(struct kube_request *q, yyjson_mut_val *object)
{
    const struct kube_change change = {
        .resource = q->route->resource, .sub = q->route->sub, .doc = q->doc};

    return kube_strategy_default(&change, object);
}

static int request_build_create(struct kube_request *q)
{
    struct kube_rules rules;
    bool is_apply = q->route->action == KUBE_ACTION_PATCH;
    int err = request_fresh(q);

    if (err == 0) {
        err = is_apply ? request_patch(q, NULL, &q->object) : request_decode(q, &q->object);
    }
    if (err == 0 && is_apply) {
        err = request_check_applied_name(q);
    }
    if (err == 0) {
        err = request_check_namespace(q);
    }
    if (err == 0) {
        err = request_default(q, q->object);
    }
    if (err == 0) {
        err = request_manage(q, NULL);
    }
    if (err == 0) {
        rules = request_rules(q);
        err = kube_rules_create(&rules, q->object);
    }
    if (err == 0) {
        err = request_normalise(q);
    }
    if (err == 0) {
        err = request_set_key(q, kube_json_get_str(kube_json_get(q->object, "metadata"), "name"));
    }
    return err;
}

/* From the stored value: what it becomes. `*ret_same`: nothing to write. */
static int request_build_change(struct kube_request *q, struct kvs_view stored, bool *ret_same)
{
    struct kube_delete_options options;
    struct kube_rules rules;
    yyjson_mut_val *old;
    int err = request_fresh(q);

    if (err == 0) {
        err = request_decode_stored(q, stored, q->base_revision, &old);
    }
    if (err == 0) {
        err = request_default(q, old); /* stored before the field was known, or by others */
    }
    if (err != 0) {
        return err;
    }
    rules = request_rules(q);
    if (q->route->action == KUBE_ACTION_DELETE) {
        q->object = old;
        err = request_delete_options(q, &options);
        return err != 0 ? err : kube_rules_delete(&rules, &options, q->object, ret_same, &q->gone);
    }
    err = q->route->action == KUBE_ACTION_PATCH ? request_patch(q, old, &q->object)
                                                : request_decode(q, &q->object);
    if (err == 0) {
        err = request_default(q, q->object);
    }
    if (err == 0) {
        err = request_manage(q, old);
    }
    if (err == 0) {
        err = kube_rules_update(&rules, q->object, old, ret_same, &q->gone);
    }
    if (err == 0 && !*ret_same) {
        *ret_same = kube_managed_only_times(q->doc, q->object, old);
    }
    return err;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void request_write_cb(struct kube_store_write *w);

/* What is stored has no resourceVersion: it is the revision of the write. */
static int request_encode(struct kube_request *q)
{
    yyjson_mut_val *metadata = kube_json_get(q->object, "metadata");

    (void)yyjson_mut_obj_remove_key(metadata, "resourceVersion");
    buf_clear(&q->value);
    return kube_json_write(&q->value, q->object);
}

static unsigned request_code(const struct kube_request *q)
{
    return q->base_revision == 0 ? 201 : 200;
}

static int request_write(struct kube_request *q)
{
    int err = 0;

    if (!q->gone) {
        err = request_normalise(q);
        if (err == 0) {
            err = request_encode(q);
        }
    }
    if (err != 0) {
        return err;
    }
    q->write = (struct kube_store_write){.cb = request_write_cb,
                                         .op = q->gone ? KUBE_STORE_DELETE : KUBE_STORE_PUT,
                                         .key = q->key,
                                         .value = buf_view(&q->value),
                                         .expected = q->base_revision};
    return kube_store_write(q->registry->store, &q->write);
}

/* A deletion answers with the object or with a Status, as the resource's REST storage does. */
static bool request_returns_deleted(const struct kube_resource *r)
{
    return strcmp(r->storage, "pods") == 0 || strcmp(r->storage, "services/specs") == 0 ||
           strcmp(r->storage, "serviceaccounts") == 0 ||
           strcmp(r->storage, "persistentvolumes") == 0 ||
           strcmp(r->storage, "persistentvolumeclaims") == 0 ||
           strcmp(r->storage, "resourcequotas") == 0 || strcmp(r->storage, "podtemplates") == 0 ||
           strcmp(r->storage, "storageclasses") == 0 || strcmp(r->storage, "csinodes") == 0 ||
           strcmp(r->storage, "volumeattachments") == 0;
}

static int request_answer_write(struct kube_request *q, uint64_t revision)
{
    yyjson_mut_val *metadata = kube_json_get(q->object, "metadata");

    if (q->gone && q->route->action == KUBE_ACTION_DELETE &&
        !request_returns_deleted(q->route->resource)) {
        q->code = 200;
        kube_status_write_deleted(q->route->resource, q->route->name,
                                  kube_json_get_str(metadata, "uid"), &q->json);
        return 0;
    }
    return request_answer(q, request_code(q), q->gone ? 0 : revision);
}

/* The object is built: writes it, or says what would be written. */
static int request_submit_built(struct kube_request *q, bool same)
{
    if (same && !q->gone) {
        return request_answer(q, request_code(q), q->base_revision);
    }
    if (q->query->dry_run) {
        int err = request_normalise(q);

        return err != 0 ? err : request_answer_write(q, q->base_revision);
    }
    return request_write(q);
}

/* True if a write is under way; else the request is to be ended with `*ret_err`. */
static bool request_change(struct kube_request *q, struct kvs_view stored, int *ret_err)
{
    bool same = false;

    *ret_err = request_build_change(q, stored, &same);
    if (*ret_err != 0) {
        return false;
    }
    *ret_err = request_submit_built(q, same);
    return *ret_err == 0 && q->code == 0;
}

static bool request_create(struct kube_request *q, int *ret_err)
{
    *ret_err = request_build_create(q);
    if (*ret_err != 0) {
        return false;
    }
    *ret_err = request_submit_built(q, false);
    return *ret_err == 0 && q->code == 0;
}

/* A name that was made up may be made up again. */
static bool request_may_rename(const struct kube_request *q)
{
    yyjson_mut_val *metadata = kube_json_get(q->object, "metadata");

    return q->tries < NAMES_TRIED && kube_json_get_str(metadata, "generateName").len > 0;
}

/* An apply of the object itself makes it if it is not there. */
static bool request_makes(const struct kube_request *q)
{
    return q->route->action == KUBE_ACTION_PATCH && q->media == KUBE_MEDIA_APPLY_PATCH &&
           q->route->sub == KUBE_SUB_NONE;
}

static void request_lost(struct kube_request *q, const struct kube_store_write *w)
{
    bool under_way = false;
    int err = 0;

    q->tries++;
    if (q->route->action == KUBE_ACTION_CREATE) {
        if (request_may_rename(q)) {
            under_way = request_create(q, &err);
        } else {
            kube_status_already_exists(
                &q->status, q->route->resource,
                kube_json_get_str(kube_json_get(q->object, "metadata"), "name"));
        }
    } else if (w->current_revision == 0 && request_makes(q) && q->tries < TRIES_MAX) {
        q->base_revision = 0;
        under_way = request_create(q, &err);
    } else if (w->current_revision == 0) {
        kube_status_not_found(&q->status, q->route->resource, q->route->name);
    } else if (q->tries == TRIES_MAX) {
        kube_status_modified(&q->status, q->route->resource, q->route->name);
    } else {
        q->base_revision = w->current_revision;
        under_way = request_change(q, w->current, &err);
    }
    if (under_way) {
        request_move(q, REQUEST_WRITE);
    } else {
        request_end(q, err);
    }
}

static void request_write_cb(struct kube_store_write *w)
{
    struct kube_request *q = container_of(w, struct kube_request, write);

    if (w->status == 0 && !w->done) {
        request_lost(q, w);
    } else {
        request_end(q, w->status == 0 ? request_answer_write(q, w->revision) : w->status);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static void request_read_cb(struct kube_store_read *r)
{
    struct kube_request *q = container_of(r, struct kube_request, read);
    bool under_way = false;
    int err = r->status;

    if (err == 0 && !r->found && request_makes(q)) {
        under_way = request_create(q, &err);
    } else if (err == 0 && !r->found) {
        kube_status_not_found(&q->status, q->route->resource, q->route->name);
    } else if (err == 0) {
        q->base_revision = r->mod_revision;
        if (q->route->action == KUBE_ACTION_GET) {
            err = request_fresh(q);
            if (err == 0) {
                err = request_decode_stored(q, r->value, r->mod_revision, &q->object);
            }
            if (err == 0) {
                err = request_answer(q, 200, 0);
            }
        } else {
            under_way = request_change(q, r->value, &err);
        }
    }
    if (under_way) {
        request_move(q, REQUEST_WRITE);
    } else {
        request_end(q, err);
    }
}

/* --- the start -------------------------------------------------------------------------------- */

int kube_registry_submit(struct kube_registry *r, struct kube_request *q)
{
    bool under_way;
    int err;

    kvs_assert(q->route->kind == KUBE_ROUTE_RESOURCE && q->route->resource->storage != NULL);
    q->registry = r;
    q->state = REQUEST_NEW;
    err = request_check_options(q);
    if (err != 0) {
        request_end_later(q, err);
        return 0;
    }
    if (q->route->action == KUBE_ACTION_CREATE) {
        under_way = request_create(q, &err);
        if (under_way) {
            request_move(q, REQUEST_WRITE);
            return 0;
        }
        request_end_later(q, err);
        return 0;
    }
    err = request_set_key(q, q->route->name);
    if (err == 0) {
        q->read.cb = request_read_cb;
        err = kube_store_read(r->store, q->key, &q->read);
    }
    if (err == 0) {
        request_move(q, REQUEST_READ);
    }
    return err;
}
