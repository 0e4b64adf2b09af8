/* Operations: what one method does on one path. */
#include <string.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/openapi_int.h"

/* What the API server answers with; requests may also be other forms. */
static const char *const answer_types[] = {"application/json"};
static const char *const watch_types[] = {"application/json;stream=watch"};
static const char *const patch_types[] = {
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
};

enum { CREATED = 1u << 0, ACCEPTED = 1u << 1 };

static const struct {
    const char *method;
    const char *name; /* x-kubernetes-action */
    const char *verb; /* of the operation's id */
    const char *description;
    unsigned answers; /* beside 200 and 401 */
} actions[OPENAPI_ACTION_COUNT] = {
    [OPENAPI_GET] = {"get", "get", "read", "read the specified", 0},
    [OPENAPI_LIST] = {"get", "list", "list", "list or watch objects of kind", 0},
    [OPENAPI_POST] = {"post", "post", "create", "create", CREATED | ACCEPTED},
    [OPENAPI_PUT] = {"put", "put", "replace", "replace the specified", CREATED},
    [OPENAPI_PATCH_OBJECT] = {"patch", "patch", "patch", "partially update the specified", CREATED},
    [OPENAPI_DELETE] = {"delete", "delete", "delete", "delete", ACCEPTED},
    [OPENAPI_DELETECOLLECTION] = {"delete", "deletecollection", "delete", "delete collection of",
                                  0},
};

const char *openapi_action_method(enum openapi_action action)
{
    kvs_assert(action < OPENAPI_ACTION_COUNT);
    return actions[action].method;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Names of the API are ASCII, whatever the locale. */
static uint8_t capital(char c)
{
    return (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* "RbacAuthorization" of "rbac.authorization.k8s.io", "Core" of "". */
static void write_group_word(const char *group, bool first_small, struct buf *to)
{
    size_t len = strlen(group);
    bool upper = !first_small;

    if (len == 0) {
        buf_append_str(to, first_small ? "core" : "Core");
        return;
    }
    if (len > 7 && strcmp(group + len - 7, ".k8s.io") == 0) {
        len -= 7;
    }
    for (size_t i = 0; i < len; i++) {
        if (group[i] == '.') {
            upper = true;
            continue;
        }
        buf_append_u8(to, upper ? capital(group[i]) : (uint8_t)group[i]);
        upper = false;
    }
}

static void write_capital(const char *word, struct buf *to)
{
    if (word[0] != '\0') {
        buf_append_u8(to, capital(word[0]));
        buf_append_str(to, word + 1);
    }
}

static yyjson_mut_val *openapi_take(struct openapi *o, struct buf *text)
{
    yyjson_mut_val *value = text->failed ? NULL : openapi_copy(o, buf_view(text));

    o->failed |= text->failed;
    buf_fini(text);
    return value;
}

/* "replaceAppsV1NamespacedDeploymentStatus" */
static yyjson_mut_val *openapi_operation_id(struct openapi *o, const struct openapi_operation *op)
{
    const struct kube_resource *r = op->resource;
    struct buf id;

    buf_init(&id);
    buf_append_str(&id, actions[op->action].verb);
    write_group_word(r->group, false, &id);
    write_capital(r->version, &id);
    buf_append_str(&id, op->action == OPENAPI_DELETECOLLECTION ? "Collection" : "");
    buf_append_str(&id, r->namespaced && !op->all_namespaces ? "Namespaced" : "");
    buf_append_str(&id, r->kind);
    write_capital(op->sub, &id);
    buf_append_str(&id, op->all_namespaces ? "ForAllNamespaces" : "");
    return openapi_take(o, &id);
}

/* ["rbacAuthorization_v1"] */
static yyjson_mut_val *openapi_tags(struct openapi *o, const char *group, const char *version)
{
    yyjson_mut_val *tags = openapi_array(o);
    struct buf tag;

    buf_init(&tag);
    write_group_word(group, true, &tag);
    if (version[0] != '\0') {
        buf_printf(&tag, "_%s", version);
    }
    openapi_add(o, tags, openapi_take(o, &tag));
    return tags;
}

static yyjson_mut_val *openapi_description(struct openapi *o, const struct openapi_operation *op)
{
    struct buf text;

    buf_init(&text);
    if (op->sub[0] != '\0') {
        buf_printf(&text, "%s %s of the specified %s", actions[op->action].verb, op->sub,
                   op->resource->kind);
    } else {
        buf_printf(&text, "%s %s", actions[op->action].description, op->kind);
    }
    return openapi_take(o, &text);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static unsigned openapi_kind_id(const char *group, const char *version, const char *kind)
{
    const struct kube_kind *k = kube_kind_find(view_str(group), view_str(version), view_str(kind));

    kvs_assert(k != NULL);
    return openapi_message_id(kube_kind_message(k));
}

static unsigned openapi_meta_id(const char *name)
{
    const struct kube_message *m = kube_message_find(view_str(name));

    kvs_assert(m != NULL);
    return openapi_message_id(m);
}

/* What the operation answers when all went well. */
static unsigned openapi_answer_id(const struct openapi_operation *op)
{
    char list[80];

    if (op->action == OPENAPI_LIST) {
        (void)snprintf(list, sizeof list, "%sList", op->kind);
        return openapi_kind_id(op->group, op->version, list);
    }
    if (op->action == OPENAPI_DELETECOLLECTION ||
        (op->action == OPENAPI_DELETE && !op->resource->graceful)) {
        return openapi_meta_id("io.k8s.apimachinery.pkg.apis.meta.v1.Status");
    }
    return openapi_kind_id(op->group, op->version, op->kind);
}

/* {TYPE: {"schema": REF}, ...} */
static void openapi_put_content(struct openapi *o,
                                yyjson_mut_val *content,
                                const char *const *types,
                                size_t n,
                                unsigned definition)
{
    for (size_t i = 0; i < n; i++) {
        yyjson_mut_val *media = openapi_object(o);

        openapi_put(o, media, "schema", openapi_ref(o, definition));
        openapi_put(o, content, types[i], media);
    }
}

static void openapi_put_types(struct openapi *o,
                              yyjson_mut_val *operation,
                              const char *key,
                              const char *const *types,
                              size_t n)
{
    yyjson_mut_val *array = openapi_array(o);

    for (size_t i = 0; i < n; i++) {
        openapi_add(o, array, openapi_text(o, types[i]));
    }
    openapi_put(o, operation, key, array);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* v3: the request's body is a member of its own; v2: a parameter. */
static void openapi_put_body(struct openapi *o,
                             yyjson_mut_val *operation,
                             yyjson_mut_val *parameters,
                             enum openapi_action action,
                             unsigned definition)
{
    static const char *const any[] = {"*/*"};
    bool patch = action == OPENAPI_PATCH_OBJECT;
    bool required = action != OPENAPI_DELETE && action != OPENAPI_DELETECOLLECTION;
    const char *const *types = patch ? patch_types : any;
    size_t n = patch ? COUNT(patch_types) : COUNT(any);
    yyjson_mut_val *body = openapi_object(o);
    yyjson_mut_val *content;

    if (o->v3) {
        content = openapi_object(o);
        openapi_put_content(o, content, types, n, definition);
        openapi_put(o, body, "content", content);
        openapi_put(o, operation, "requestBody", body);
    } else {
        openapi_put_text(o, body, "name", "body");
        openapi_put_text(o, body, "in", "body");
        openapi_put(o, body, "schema", openapi_ref(o, definition));
        openapi_add(o, parameters, body);
        openapi_put_types(o, operation, "consumes", types, n);
    }
    if (required) {
        openapi_put(o, body, "required", openapi_bool(o, true));
    }
}

static yyjson_mut_val *
openapi_response(struct openapi *o, const char *description, unsigned definition, bool watch)
{
    yyjson_mut_val *response = openapi_object(o);
    yyjson_mut_val *content;

    openapi_put_text(o, response, "description", description);
    if (!o->v3) {
        openapi_put(o, response, "schema", openapi_ref(o, definition));
        return response;
    }
    content = openapi_object(o);
    openapi_put_content(o, content, answer_types, COUNT(answer_types), definition);
    if (watch) {
        openapi_put_content(o, content, watch_types, COUNT(watch_types), definition);
    }
    openapi_put(o, response, "content", content);
    return response;
}

static void openapi_put_responses(
    struct openapi *o, yyjson_mut_val *operation, unsigned definition, unsigned answers, bool watch)
{
    yyjson_mut_val *responses = openapi_object(o);
    yyjson_mut_val *refused = openapi_object(o);

    openapi_put(o, responses, "200", openapi_response(o, "OK", definition, watch));
    if ((answers & CREATED) != 0) {
        openapi_put(o, responses, "201", openapi_response(o, "Created", definition, false));
    }
    if ((answers & ACCEPTED) != 0) {
        openapi_put(o, responses, "202", openapi_response(o, "Accepted", definition, false));
    }
    openapi_put_text(o, refused, "description", "Unauthorized");
    openapi_put(o, responses, "401", refused);
    if (!o->v3) {
        openapi_put_types(o, operation, "produces", answer_types, COUNT(answer_types));
    }
    openapi_put(o, operation, "responses", responses);
}

/* --- operations ------------------------------------------------------------------------------- */

yyjson_mut_val *openapi_operation(struct openapi *o, const struct openapi_operation *op)
{
    yyjson_mut_val *operation = openapi_object(o);
    yyjson_mut_val *parameters = openapi_array(o);

    openapi_put(o, operation, "description", openapi_description(o, op));
    openapi_put(o, operation, "operationId", openapi_operation_id(o, op));
    openapi_put(o, operation, "tags", openapi_tags(o, op->resource->group, op->resource->version));
    openapi_add_parameters(o, parameters, openapi_action_parameters(op->action));
    if (op->action == OPENAPI_PATCH_OBJECT) {
        openapi_put_body(o, operation, parameters, op->action, openapi_special_id(OPENAPI_PATCH));
    } else if (op->action == OPENAPI_POST || op->action == OPENAPI_PUT) {
        openapi_put_body(o, operation, parameters, op->action,
                         openapi_kind_id(op->group, op->version, op->kind));
    } else if (op->action == OPENAPI_DELETE || op->action == OPENAPI_DELETECOLLECTION) {
        openapi_put_body(o, operation, parameters, op->action,
                         openapi_meta_id("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"));
    }
    if (yyjson_mut_arr_size(parameters) > 0) {
        openapi_put(o, operation, "parameters", parameters);
    }
    openapi_put_responses(o, operation, openapi_answer_id(op), actions[op->action].answers,
                          op->action == OPENAPI_LIST);
    openapi_put_text(o, operation, "x-kubernetes-action", actions[op->action].name);
    openapi_put(o, operation, "x-kubernetes-group-version-kind",
                openapi_gvk(o, op->group, op->version, op->kind));
    return operation;
}

static const struct {
    const char *description;
    const char *name; /* last part of the operation's id */
    const char *answer;
} discovery[] = {
    [OPENAPI_DOC_VERSION] = {"get the version information for this server", "CodeVersion", NULL},
    [OPENAPI_DOC_API] = {"get available API versions", "CoreAPIVersions",
                         "io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions"},
    [OPENAPI_DOC_APIS] = {"get available API versions", "APIVersions",
                          "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList"},
    [OPENAPI_DOC_GROUP] = {"get information of a group", "APIGroup",
                           "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup"},
    [OPENAPI_DOC_GROUP_VERSION] = {"get available resources", "APIResources",
                                   "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList"},
};

yyjson_mut_val *openapi_discovery_operation(struct openapi *o, const struct openapi_doc *doc)
{
    bool of_group = doc->kind == OPENAPI_DOC_GROUP || doc->kind == OPENAPI_DOC_GROUP_VERSION;
    yyjson_mut_val *operation = openapi_object(o);
    struct buf id;

    buf_init(&id);
    buf_append_str(&id, "get");
    if (of_group) {
        write_group_word(doc->group, false, &id);
        write_capital(doc->version, &id);
    }
    buf_append_str(&id, discovery[doc->kind].name);
    openapi_put_text(o, operation, "description", discovery[doc->kind].description);
    openapi_put(o, operation, "operationId", openapi_take(o, &id));
    if (of_group) {
        openapi_put(o, operation, "tags", openapi_tags(o, doc->group, doc->version));
    }
    openapi_put_responses(o, operation,
                          discovery[doc->kind].answer == NULL
                              ? openapi_special_id(OPENAPI_VERSION_INFO)
                              : openapi_meta_id(discovery[doc->kind].answer),
                          0, false);
    return operation;
}
