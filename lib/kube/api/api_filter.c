/* Which objects a list or watch shows: namespace, label selector, field selector. */
#include <string.h>

#include "base/view.h"
#include "kube/api/api_int.h"
#include "kube/selectable.h"

static void api_filter_refuse(struct api_call *c, struct kube_status *status, const struct buf *why)
{
    const struct kube_resource *r = c->route.resource;

    kube_status_bad_request(
        status,
        "Unable to find \"%s/%s, Resource=%s\" that match label selector "
        "\"%.*s\", field selector \"%.*s\": %.*s",
        r->group, r->version, r->plural, (int)c->query.label_selector.len,
        c->query.label_selector.len == 0 ? "" : (const char *)c->query.label_selector.data,
        (int)c->query.field_selector.len,
        c->query.field_selector.len == 0 ? "" : (const char *)c->query.field_selector.data,
        (int)why->len, why->len == 0 ? "" : (const char *)why->data);
}

static bool api_field_exists(const struct kube_resource *r, struct kvs_view field)
{
    for (const struct kube_selectable *f = kube_selectables(r); f->name != NULL; f++) {
        if (view_equal_str(field, f->name)) {
            return true;
        }
    }
    return false;
}

static int
api_filter_fields(struct api_call *c, struct kube_field_selector *fields, struct buf *why)
{
    int err = kube_field_selector_parse(c->query.field_selector, fields, why);

    for (size_t i = 0; err == 0 && i < fields->count; i++) {
        if (!api_field_exists(c->route.resource, fields->items[i].field)) {
            buf_append_str(why, "field label not supported: ");
            buf_append_view(why, fields->items[i].field);
            kube_field_selector_fini(fields);
            err = KVS_E_INVALID;
        }
    }
    return err;
}

int api_filter_parse(struct api_call *c, struct api_filter *ret_filter, struct kube_status *status)
{
    struct api_filter f = {.namespace = c->route.namespace};
    struct buf why;
    int err = 0;

    buf_init(&why);
    if (c->query.label_selector.len > 0) {
        err = kube_label_selector_parse(c->query.label_selector, &f.labels, &why);
        f.has_labels = err == 0;
    }
    if (err == 0 && c->query.field_selector.len > 0) {
        err = api_filter_fields(c, &f.fields, &why);
        f.has_fields = err == 0;
    }
    if (err == KVS_E_INVALID) {
        api_filter_refuse(c, status, &why);
    }
    buf_fini(&why);
    if (err != 0) {
        api_filter_fini(&f);
        return err;
    }
    *ret_filter = f;
    return 0;
}

void api_filter_fini(struct api_filter *f)
{
    if (f->has_labels) {
        kube_label_selector_fini(&f->labels);
    }
    if (f->has_fields) {
        kube_field_selector_fini(&f->fields);
    }
}

static struct kvs_view api_filter_field(void *ctx, struct kvs_view field)
{
    struct kvs_view value = {NULL, 0};

    (void)kube_item_field(ctx, field, &value); /* was checked when it was parsed */
    return value;
}

bool api_filter_matches(const struct api_filter *f, const struct kube_item *item)
{
    if (f->namespace.len > 0 && !view_equal(f->namespace, item->namespace)) {
        return false;
    }
    if (f->has_labels &&
        !kube_label_selector_matches_labels(&f->labels, item->labels, item->n_labels)) {
        return false;
    }
    return !f->has_fields ||
           kube_field_selector_matches(&f->fields, api_filter_field, (void *)(uintptr_t)item);
}

/* Keys of a namespace stand together, so a scan of one begins and ends there. */
int api_filter_collect(const struct api_filter *f,
                       const struct kube_cache *cache,
                       struct arena *arena,
                       struct kube_item ***ret_items,
                       size_t *ret_n)
{
    struct kube_keymap_at at = kube_keymap_seek(&cache->objects, f->namespace);
    struct kube_item **items = arena_calloc(arena, cache->objects.count + 1, sizeof *items);
    struct kube_item *item;
    size_t n = 0;

    if (items == NULL) {
        return KVS_E_NOMEM;
    }
    while ((item = kube_keymap_next(&cache->objects, &at, NULL)) != NULL) {
        if (f->namespace.len > 0 && view_compare(item->namespace, f->namespace) > 0 &&
            (item->namespace.len < f->namespace.len ||
             memcmp(item->namespace.data, f->namespace.data, f->namespace.len) != 0)) {
            break; /* behind "ns/": neither it nor a longer name that begins with it */
        }
        if (api_filter_matches(f, item)) {
            items[n++] = kube_item_ref(item);
        }
    }
    *ret_items = items;
    *ret_n = n;
    return 0;
}
