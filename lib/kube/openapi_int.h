/* Inside of the OpenAPI documents.
 *
 * A document is made in pieces, a path or a definition each: a piece is a tree in the words of
 * OpenAPI v2 or v3, which is written and forgotten before the next one is made, so that no more
 * than one is in memory. Naming a definition (openapi_ref) notes that it is needed, so paths come
 * first and definitions then, until none is left. */
#ifndef KUBE_OPENAPI_INT_H
#define KUBE_OPENAPI_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/json.h"
#include "kube/resource.h"
#include "kube/schema.h"
#include "kube/schema_sizes.h"

/* Definitions that are no message of the tables: types with a JSON form of their own. */
enum openapi_special {
    OPENAPI_QUANTITY,
    OPENAPI_INT_OR_STRING,
    OPENAPI_TIME,
    OPENAPI_MICRO_TIME,
    OPENAPI_RAW_EXTENSION,
    OPENAPI_FIELDS_V1,
    OPENAPI_PATCH,
    OPENAPI_VERSION_INFO,
    OPENAPI_SPECIAL_COUNT
};

enum { OPENAPI_N_DEFINITIONS = KUBE_N_MESSAGES + OPENAPI_SPECIAL_COUNT };

struct openapi {
    bool v3;
    bool failed; /* out of memory: what was made is not complete */
    yyjson_mut_doc *doc;
    unsigned n_needed; /* of `needed`, in the order in which they were named */
    unsigned n_made;
    uint16_t needed[OPENAPI_N_DEFINITIONS];
    bool is_needed[OPENAPI_N_DEFINITIONS];
};

void openapi_init(struct openapi *o, bool v3);
void openapi_fini(struct openapi *o);

/* Forgets the piece before and begins one. */
void openapi_piece(struct openapi *o);

/* Values of the piece; after a failure they are NULL, which the putting functions take. */
yyjson_mut_val *openapi_object(struct openapi *o);
yyjson_mut_val *openapi_array(struct openapi *o);
yyjson_mut_val *openapi_text(struct openapi *o, const char *text); /* borrows, for the piece */
yyjson_mut_val *openapi_copy(struct openapi *o, struct kvs_view text);
yyjson_mut_val *openapi_bool(struct openapi *o, bool value);
/* From JSON text, which is ours and therefore well-formed. */
yyjson_mut_val *openapi_json(struct openapi *o, const char *json);

/* `key` is borrowed for as long as the piece. */
void openapi_put(struct openapi *o, yyjson_mut_val *object, const char *key, yyjson_mut_val *value);
void openapi_put_text(struct openapi *o, yyjson_mut_val *object, const char *key, const char *text);
void openapi_add(struct openapi *o, yyjson_mut_val *array, yyjson_mut_val *value);

/* {"$ref": ...} to a definition, which becomes needed. */
yyjson_mut_val *openapi_ref(struct openapi *o, unsigned definition);

/* --- definitions ------------------------------------------------------------------------------ */

static inline unsigned openapi_message_id(const struct kube_message *m)
{
    return (unsigned)kube_message_id_of(m);
}

static inline unsigned openapi_special_id(enum openapi_special special)
{
    return KUBE_N_MESSAGES + (unsigned)special;
}

const char *openapi_special_name(enum openapi_special special);
yyjson_mut_val *openapi_special_schema(struct openapi *o, enum openapi_special special);

/* "io.k8s.api.core.v1.Pod" */
const char *openapi_definition_name(unsigned definition);

/* The next definition that is needed, as a piece; false when there are no more. */
bool openapi_next_definition(struct openapi *o, const char **ret_name, yyjson_mut_val **ret_schema);

/* {"group","version","kind"} */
yyjson_mut_val *
openapi_gvk(struct openapi *o, const char *group, const char *version, const char *kind);

/* --- paths ------------------------------------------------------------------------------------ */

enum openapi_doc_kind {
    OPENAPI_DOC_VERSION,       /* /version */
    OPENAPI_DOC_API,           /* /api */
    OPENAPI_DOC_APIS,          /* /apis */
    OPENAPI_DOC_GROUP,         /* /apis/GROUP */
    OPENAPI_DOC_GROUP_VERSION, /* /api/v1, /apis/GROUP/VERSION */
};

/* What one v3 document is about; v2's is about all of them. */
struct openapi_doc {
    enum openapi_doc_kind kind;
    const char *group;
    const char *version;
};

/* The n-th; false when there are no more. */
bool openapi_doc_at(size_t n, struct openapi_doc *ret_doc);

/* "apis/apps/v1" */
void openapi_doc_name(const struct openapi_doc *doc, char *to, size_t size);

/* A walk over the paths of a document; begins as {.doc = ...}. */
struct openapi_walk {
    struct openapi_doc doc;
    bool began;
    size_t resource;
    unsigned step;
    char path[256]; /* of the piece */
};

/* The next path, as a piece; false when there are no more. */
bool openapi_next_path(struct openapi *o, struct openapi_walk *w, yyjson_mut_val **ret_item);

/* --- operations ------------------------------------------------------------------------------- */

enum openapi_action {
    OPENAPI_GET,
    OPENAPI_LIST,
    OPENAPI_POST,
    OPENAPI_PUT,
    OPENAPI_PATCH_OBJECT,
    OPENAPI_DELETE,
    OPENAPI_DELETECOLLECTION,
    OPENAPI_ACTION_COUNT
};

/* What an operation does and to what. */
struct openapi_operation {
    enum openapi_action action;
    const struct kube_resource *resource;
    const char *sub; /* name of the subresource, "" for none */
    const char *group;
    const char *version;
    const char *kind;    /* that it takes and answers, with its group and version */
    bool all_namespaces; /* the list of them all */
};

/* "get": the method's member of a path item. */
const char *openapi_action_method(enum openapi_action action);

yyjson_mut_val *openapi_operation(struct openapi *o, const struct openapi_operation *op);

/* The GET of a discovery document. */
yyjson_mut_val *openapi_discovery_operation(struct openapi *o, const struct openapi_doc *doc);

/* Parameters of the query, one bit each. */
unsigned openapi_action_parameters(enum openapi_action action);
void openapi_add_parameters(struct openapi *o, yyjson_mut_val *array, unsigned parameters);
/* {name} and {namespace} in the path. */
void openapi_add_path_parameters(struct openapi *o,
                                 yyjson_mut_val *array,
                                 bool named,
                                 bool namespaced);
void openapi_add_pretty(struct openapi *o, yyjson_mut_val *array);

/* --- v2 as protobuf --------------------------------------------------------------------------- */

/* Appends a field of a gnostic message (openapi.v2) whose value is named: NamedPathItem,
 * NamedSchema. */
void openapi_gnostic_path(struct buf *to, unsigned number, const char *path, yyjson_mut_val *item);
void openapi_gnostic_definition(struct buf *to,
                                unsigned number,
                                const char *name,
                                yyjson_mut_val *schema);
void openapi_gnostic_text(struct buf *to, unsigned number, const char *text);
/* A message around what is appended between open and close. */
size_t openapi_gnostic_open(struct buf *to, unsigned number);
void openapi_gnostic_close(struct buf *to, size_t at);

#endif
