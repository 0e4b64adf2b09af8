#include "kube/openapi_v3.h"

#include <inttypes.h>

#include "base/assert.h"
#include "base/view.h"
#include "kube/openapi_int.h"
#include "kube/version.h"

enum { NAME_SIZE = 128 };

size_t kube_openapi_v3_count(void)
{
    struct openapi_doc doc;
    size_t n = 0;

    while (openapi_doc_at(n, &doc)) {
        n++;
    }
    return n;
}

void kube_openapi_v3_name(size_t n, char *to, size_t size)
{
    struct openapi_doc doc = {0};
    bool found = openapi_doc_at(n, &doc);

    kvs_assert(found);
    openapi_doc_name(&doc, to, size);
}

size_t kube_openapi_v3_find(struct kvs_view name)
{
    struct openapi_doc doc;
    char text[NAME_SIZE];
    size_t n = 0;

    for (; openapi_doc_at(n, &doc); n++) {
        openapi_doc_name(&doc, text, sizeof text);
        if (view_equal_str(name, text)) {
            break;
        }
    }
    return n;
}

/* Paths first: what they name are the definitions to come. */
static int openapi_v3_body(struct openapi *o, const struct openapi_doc *doc, struct buf *to)
{
    struct openapi_walk walk = {.doc = *doc};
    const char *separator = "";
    const char *name;
    yyjson_mut_val *piece;
    int err = 0;

    for (; err == 0 && openapi_next_path(o, &walk, &piece); separator = ",") {
        buf_printf(to, "%s\"%s\":", separator, walk.path);
        err = kube_json_write(to, piece);
    }
    buf_append_str(to, "},\"components\":{\"schemas\":{");
    for (separator = ""; err == 0 && openapi_next_definition(o, &name, &piece); separator = ",") {
        buf_printf(to, "%s\"%s\":", separator, name);
        err = kube_json_write(to, piece);
    }
    buf_append_str(to, "}}}");
    kvs_assert(err == 0 || err == KVS_E_NOMEM);
    return o->failed || to->failed ? KVS_E_NOMEM : err;
}

int kube_openapi_v3_write(size_t n, struct buf *to)
{
    struct openapi_doc doc = {0};
    struct openapi o;
    bool found = openapi_doc_at(n, &doc);
    int err;

    kvs_assert(found);
    openapi_init(&o, true);
    buf_append_str(to, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":"
                       "\"" KUBE_VERSION "\"},\"paths\":{");
    err = openapi_v3_body(&o, &doc, to);
    openapi_fini(&o);
    return err;
}

void kube_openapi_hash_text(uint64_t hash, char *to)
{
    (void)snprintf(to, KUBE_OPENAPI_HASH_SIZE, "%016" PRIX64, hash);
}

void kube_openapi_v3_index(const uint64_t *hashes, struct buf *to)
{
    struct openapi_doc doc;
    char name[NAME_SIZE];
    char hash[KUBE_OPENAPI_HASH_SIZE];

    buf_append_str(to, "{\"paths\":{");
    for (size_t n = 0; openapi_doc_at(n, &doc); n++) {
        openapi_doc_name(&doc, name, sizeof name);
        kube_openapi_hash_text(hashes[n], hash);
        buf_printf(to, "%s\"%s\":{\"serverRelativeURL\":\"/openapi/v3/%s?hash=%s\"}",
                   n == 0 ? "" : ",", name, name, hash);
    }
    buf_append_str(to, "}}");
}
