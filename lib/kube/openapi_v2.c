#include "kube/openapi_v2.h"

#include "base/assert.h"
#include "kube/openapi_int.h"
#include "kube/version.h"

/* Fields of gnostic's openapi.v2.Document and of what is in it. */
enum {
    DOCUMENT_SWAGGER = 1,
    DOCUMENT_INFO = 2,
    DOCUMENT_PATHS = 8,
    DOCUMENT_DEFINITIONS = 9,
    INFO_TITLE = 1,
    INFO_VERSION = 2,
    PATHS_PATH = 2,
    DEFINITIONS_DEFINITION = 1,
};

/* A walk over the paths of all documents of v3. */
struct walk_all {
    size_t n;
    struct openapi_walk walk;
};

static bool next_path_of_all(struct openapi *o, struct walk_all *w, yyjson_mut_val **ret_item)
{
    for (;; w->n++) {
        if (!w->walk.began) {
            struct openapi_doc doc;

            if (!openapi_doc_at(w->n, &doc)) {
                return false;
            }
            w->walk = (struct openapi_walk){.doc = doc};
        }
        if (openapi_next_path(o, &w->walk, ret_item)) {
            return true;
        }
        if (o->failed) {
            return false;
        }
        w->walk.began = false;
    }
}

static int v2_json_body(struct openapi *o, struct buf *to)
{
    struct walk_all walk = {0};
    const char *separator = "";
    const char *name;
    yyjson_mut_val *piece;
    int err = 0;

    for (; err == 0 && next_path_of_all(o, &walk, &piece); separator = ",") {
        buf_printf(to, "%s\"%s\":", separator, walk.walk.path);
        err = kube_json_write(to, piece);
    }
    buf_append_str(to, "},\"definitions\":{");
    for (separator = ""; err == 0 && openapi_next_definition(o, &name, &piece); separator = ",") {
        buf_printf(to, "%s\"%s\":", separator, name);
        err = kube_json_write(to, piece);
    }
    buf_append_str(to, "}}");
    kvs_assert(err == 0 || err == KVS_E_NOMEM);
    return o->failed || to->failed ? KVS_E_NOMEM : err;
}

int kube_openapi_v2_json(struct buf *to)
{
    struct openapi o;
    int err;

    openapi_init(&o, false);
    buf_append_str(to, "{\"swagger\":\"2.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":"
                       "\"" KUBE_VERSION "\"},\"paths\":{");
    err = v2_json_body(&o, to);
    openapi_fini(&o);
    return err;
}

int kube_openapi_v2_proto(struct buf *to)
{
    struct walk_all walk = {0};
    struct openapi o;
    const char *name;
    yyjson_mut_val *piece;
    size_t at;
    int err;

    openapi_init(&o, false);
    openapi_gnostic_text(to, DOCUMENT_SWAGGER, "2.0");
    at = openapi_gnostic_open(to, DOCUMENT_INFO);
    openapi_gnostic_text(to, INFO_TITLE, "Kubernetes");
    openapi_gnostic_text(to, INFO_VERSION, KUBE_VERSION);
    openapi_gnostic_close(to, at);
    at = openapi_gnostic_open(to, DOCUMENT_PATHS);
    while (next_path_of_all(&o, &walk, &piece)) {
        openapi_gnostic_path(to, PATHS_PATH, walk.walk.path, piece);
    }
    openapi_gnostic_close(to, at);
    at = openapi_gnostic_open(to, DOCUMENT_DEFINITIONS);
    while (openapi_next_definition(&o, &name, &piece)) {
        openapi_gnostic_definition(to, DEFINITIONS_DEFINITION, name, piece);
    }
    openapi_gnostic_close(to, at);
    err = o.failed || to->failed ? KVS_E_NOMEM : 0;
    openapi_fini(&o);
    return err;
}
