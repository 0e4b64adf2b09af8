/* Paths: which there are in a document, and the methods of each. */
#include <string.h>

#include "base/assert.h"
#include "kube/discovery.h"
#include "kube/openapi_int.h"

/* --- documents -------------------------------------------------------------------------------- */

static size_t group_versions(const struct kube_group *g)
{
    size_t n = 0;

    while (g->versions[n] != NULL) {
        n++;
    }
    return n;
}

bool openapi_doc_at(size_t n, struct openapi_doc *ret_doc)
{
    static const struct openapi_doc first[] = {
        {OPENAPI_DOC_VERSION, "", ""},
        {OPENAPI_DOC_API, "", ""},
        {OPENAPI_DOC_GROUP_VERSION, "", "v1"},
        {OPENAPI_DOC_APIS, "", ""},
    };

    if (n < sizeof first / sizeof first[0]) {
        *ret_doc = first[n];
        return true;
    }
    n -= sizeof first / sizeof first[0];
    for (size_t i = 0; i < kube_group_count(); i++) {
        const struct kube_group *g = kube_group_at(i);
        size_t n_versions = group_versions(g);

        if (n <= n_versions) {
            *ret_doc = n == 0 ? (struct openapi_doc){OPENAPI_DOC_GROUP, g->name, ""}
                              : (struct openapi_doc){OPENAPI_DOC_GROUP_VERSION, g->name,
                                                     g->versions[n - 1]};
            return true;
        }
        n -= n_versions + 1;
    }
    return false;
}

void openapi_doc_name(const struct openapi_doc *doc, char *to, size_t size)
{
    int len = 0;

    switch (doc->kind) {
    case OPENAPI_DOC_VERSION:
        len = snprintf(to, size, "version");
        break;
    case OPENAPI_DOC_API:
        len = snprintf(to, size, "api");
        break;
    case OPENAPI_DOC_APIS:
        len = snprintf(to, size, "apis");
        break;
    case OPENAPI_DOC_GROUP:
        len = snprintf(to, size, "apis/%s", doc->group);
        break;
    case OPENAPI_DOC_GROUP_VERSION:
        len = doc->group[0] == '\0' ? snprintf(to, size, "api/%s", doc->version)
                                    : snprintf(to, size, "apis/%s/%s", doc->group, doc->version);
        break;
    }
    kvs_assert(len > 0 && (size_t)len < size);
}

/* --- paths of a resource ---------------------------------------------------------------------- */

enum {
    STEP_COLLECTION,
    STEP_OBJECT,
    STEP_ALL_NAMESPACES,
    STEP_SUBRESOURCES, /* and on: one each */
};

static void openapi_put_operation(struct openapi *o,
                                  yyjson_mut_val *item,
                                  const struct openapi_operation *op,
                                  enum openapi_action action)
{
    struct openapi_operation this = *op;

    this.action = action;
    openapi_put(o, item, openapi_action_method(action), openapi_operation(o, &this));
}

static void openapi_put_operations(struct openapi *o,
                                   yyjson_mut_val *item,
                                   const struct openapi_operation *op,
                                   unsigned verbs,
                                   bool collection)
{
    static const struct {
        unsigned verb;
        bool collection;
        enum openapi_action action;
    } table[] = {
        {KUBE_VERB_LIST, true, OPENAPI_LIST},
        {KUBE_VERB_CREATE, true, OPENAPI_POST},
        {KUBE_VERB_DELETECOLLECTION, true, OPENAPI_DELETECOLLECTION},
        {KUBE_VERB_GET, false, OPENAPI_GET},
        {KUBE_VERB_UPDATE, false, OPENAPI_PUT},
        {KUBE_VERB_PATCH, false, OPENAPI_PATCH_OBJECT},
        {KUBE_VERB_DELETE, false, OPENAPI_DELETE},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        /* To create is a subresource's only method that acts on the object. */
        bool fits = table[i].collection == collection ||
                    (op->sub[0] != '\0' && table[i].verb == KUBE_VERB_CREATE);

        if (fits && (verbs & table[i].verb) != 0) {
            openapi_put_operation(o, item, op, table[i].action);
        }
    }
}

static void openapi_write_path(struct openapi_walk *w,
                               const struct kube_resource *r,
                               const char *suffix,
                               bool namespaced)
{
    char name[128];
    int len;

    openapi_doc_name(&w->doc, name, sizeof name);
    len = snprintf(w->path, sizeof w->path, "/%s/%s%s%s", name,
                   namespaced ? "namespaces/{namespace}/" : "", r->plural, suffix);
    kvs_assert(len > 0 && (size_t)len < sizeof w->path);
}

static yyjson_mut_val *
openapi_item_finish(struct openapi *o, yyjson_mut_val *item, bool named, bool namespaced)
{
    yyjson_mut_val *parameters = openapi_array(o);

    openapi_add_path_parameters(o, parameters, named, namespaced);
    openapi_add_pretty(o, parameters);
    openapi_put(o, item, "parameters", parameters);
    return item;
}

/* NULL: the resource has no such path. */
static yyjson_mut_val *
openapi_collection(struct openapi *o, struct openapi_walk *w, const struct kube_resource *r)
{
    const struct openapi_operation op = {OPENAPI_LIST, r, "", r->group, r->version, r->kind, false};
    yyjson_mut_val *item;

    if ((r->verbs & (KUBE_VERB_LIST | KUBE_VERB_CREATE | KUBE_VERB_DELETECOLLECTION)) == 0) {
        return NULL;
    }
    openapi_piece(o);
    item = openapi_object(o);
    openapi_write_path(w, r, "", r->namespaced);
    openapi_put_operations(o, item, &op, r->verbs, true);
    return openapi_item_finish(o, item, false, r->namespaced);
}

static yyjson_mut_val *
openapi_one(struct openapi *o, struct openapi_walk *w, const struct kube_resource *r)
{
    const struct openapi_operation op = {OPENAPI_GET, r, "", r->group, r->version, r->kind, false};
    yyjson_mut_val *item;

    if ((r->verbs & KUBE_VERB_GET) == 0) {
        return NULL;
    }
    openapi_piece(o);
    item = openapi_object(o);
    openapi_write_path(w, r, "/{name}", r->namespaced);
    openapi_put_operations(o, item, &op, r->verbs, false);
    return openapi_item_finish(o, item, true, r->namespaced);
}

static yyjson_mut_val *
openapi_all_namespaces(struct openapi *o, struct openapi_walk *w, const struct kube_resource *r)
{
    const struct openapi_operation op = {OPENAPI_LIST, r, "", r->group, r->version, r->kind, true};
    yyjson_mut_val *item;

    if (!r->namespaced || (r->verbs & KUBE_VERB_LIST) == 0) {
        return NULL;
    }
    openapi_piece(o);
    item = openapi_object(o);
    openapi_write_path(w, r, "", false);
    openapi_put_operations(o, item, &op, KUBE_VERB_LIST, true);
    return openapi_item_finish(o, item, false, false);
}

/* Those that carry a stream instead of an object have no schema to tell of. */
static bool openapi_sub_has_schema(const struct kube_sub_facts *facts)
{
    const unsigned streams =
        KUBE_SUB_LOG | KUBE_SUB_EXEC | KUBE_SUB_ATTACH | KUBE_SUB_PORTFORWARD | KUBE_SUB_PROXY;

    return (facts->sub & streams) == 0;
}

static yyjson_mut_val *openapi_sub(struct openapi *o,
                                   struct openapi_walk *w,
                                   const struct kube_resource *r,
                                   const struct kube_sub_facts *facts)
{
    const struct openapi_operation op = {
        .resource = r,
        .sub = kube_subresource_name(facts->sub),
        .group = facts->group == NULL ? r->group : facts->group,
        .version = facts->version == NULL ? r->version : facts->version,
        .kind = facts->kind == NULL ? r->kind : facts->kind,
    };
    yyjson_mut_val *item;
    char suffix[64];

    if ((r->subresources & facts->sub) == 0 || !openapi_sub_has_schema(facts)) {
        return NULL;
    }
    (void)snprintf(suffix, sizeof suffix, "/{name}/%s", op.sub);
    openapi_piece(o);
    item = openapi_object(o);
    openapi_write_path(w, r, suffix, r->namespaced);
    openapi_put_operations(o, item, &op, facts->verbs, false);
    return openapi_item_finish(o, item, true, r->namespaced);
}

/* The resource's paths one after the other; `step` moves on, to 0 behind the last. */
static yyjson_mut_val *
openapi_resource_path(struct openapi *o, struct openapi_walk *w, const struct kube_resource *r)
{
    const struct kube_sub_facts *facts;
    unsigned step = w->step++;

    switch (step) {
    case STEP_COLLECTION:
        return openapi_collection(o, w, r);
    case STEP_OBJECT:
        return openapi_one(o, w, r);
    case STEP_ALL_NAMESPACES:
        return openapi_all_namespaces(o, w, r);
    default:
        facts = kube_sub_facts_at(step - STEP_SUBRESOURCES);
        if (facts == NULL) {
            w->step = 0;
            return NULL;
        }
        return openapi_sub(o, w, r, facts);
    }
}

/* The document's own: discovery of what it is about. */
static yyjson_mut_val *openapi_discovery_path(struct openapi *o, struct openapi_walk *w)
{
    yyjson_mut_val *item;
    char name[128];

    openapi_doc_name(&w->doc, name, sizeof name);
    (void)snprintf(w->path, sizeof w->path, "/%s/", name);
    openapi_piece(o);
    item = openapi_object(o);
    openapi_put(o, item, "get", openapi_discovery_operation(o, &w->doc));
    return item;
}

bool openapi_next_path(struct openapi *o, struct openapi_walk *w, yyjson_mut_val **ret_item)
{
    yyjson_mut_val *item = NULL;

    if (!w->began) {
        w->began = true;
        item = openapi_discovery_path(o, w);
    } else if (w->doc.kind != OPENAPI_DOC_GROUP_VERSION) {
        return false;
    }
    while (item == NULL && !o->failed && w->resource < kube_resource_count()) {
        const struct kube_resource *r = kube_resource_at(w->resource);

        if (strcmp(r->group, w->doc.group) != 0 || strcmp(r->version, w->doc.version) != 0) {
            w->resource++;
            continue;
        }
        item = openapi_resource_path(o, w, r);
        w->resource += w->step == 0;
    }
    *ret_item = item;
    return item != NULL && !o->failed;
}
