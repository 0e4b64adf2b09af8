/* Definitions of types whose JSON is not that of a struct. */
#include "base/assert.h"
#include "kube/openapi_int.h"

static const struct {
    const char *name;
    const char *v3;
    const char *v2; /* NULL: as v3's */
} specials[OPENAPI_SPECIAL_COUNT] = {
    [OPENAPI_QUANTITY] =
        {"io.k8s.apimachinery.pkg.api.resource.Quantity",
         "{\"description\":\"Quantity is a fixed-point number: a decimal number with a suffix of "
         "decimal (n, u, m, k, M, G, T, P, E) or binary (Ki, Mi, Gi, Ti, Pi, Ei) powers, or an "
         "exponent (e3). It is kept in the shortest form that loses nothing.\","
         "\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}",
         "{\"description\":\"Quantity is a fixed-point number: a decimal number with a suffix of "
         "decimal (n, u, m, k, M, G, T, P, E) or binary (Ki, Mi, Gi, Ti, Pi, Ei) powers, or an "
         "exponent (e3). It is kept in the shortest form that loses nothing.\","
         "\"type\":\"string\"}"},
    [OPENAPI_INT_OR_STRING] =
        {"io.k8s.apimachinery.pkg.util.intstr.IntOrString",
         "{\"description\":\"IntOrString is a number of 32 bits or a text, for example a port or "
         "its name.\",\"format\":\"int-or-string\","
         "\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}",
         "{\"description\":\"IntOrString is a number of 32 bits or a text, for example a port or "
         "its name.\",\"format\":\"int-or-string\",\"type\":\"string\"}"},
    [OPENAPI_TIME] = {"io.k8s.apimachinery.pkg.apis.meta.v1.Time",
                      "{\"description\":\"Time is a moment of whole seconds, as RFC 3339 writes "
                      "it.\",\"type\":\"string\",\"format\":\"date-time\"}",
                      NULL},
    [OPENAPI_MICRO_TIME] = {"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
                            "{\"description\":\"MicroTime is a moment of whole microseconds, as "
                            "RFC 3339 writes it.\",\"type\":\"string\",\"format\":\"date-time\"}",
                            NULL},
    [OPENAPI_RAW_EXTENSION] = {"io.k8s.apimachinery.pkg.runtime.RawExtension",
                               "{\"description\":\"RawExtension is an object of any kind, kept as "
                               "it is.\",\"type\":\"object\"}",
                               NULL},
    [OPENAPI_FIELDS_V1] = {"io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
                           "{\"description\":\"FieldsV1 is a set of fields as a tree: a member "
                           "f:NAME is a field, k:KEYS an element of a list by its keys, v:VALUE "
                           "one by its value, i:INDEX one by its place.\",\"type\":\"object\"}",
                           NULL},
    [OPENAPI_PATCH] = {"io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
                       "{\"description\":\"Patch is the body of a PATCH request, in the form that "
                       "its Content-Type names.\",\"type\":\"object\"}",
                       NULL},
    [OPENAPI_VERSION_INFO] =
        {"io.k8s.apimachinery.pkg.version.Info",
         "{\"description\":\"Info says which version a server has.\",\"type\":\"object\","
         "\"required\":[\"major\",\"minor\",\"gitVersion\",\"gitCommit\",\"gitTreeState\","
         "\"buildDate\",\"goVersion\",\"compiler\",\"platform\"],\"properties\":{"
         "\"major\":{\"type\":\"string\"},\"minor\":{\"type\":\"string\"},"
         "\"gitVersion\":{\"type\":\"string\"},\"gitCommit\":{\"type\":\"string\"},"
         "\"gitTreeState\":{\"type\":\"string\"},\"buildDate\":{\"type\":\"string\"},"
         "\"goVersion\":{\"type\":\"string\"},\"compiler\":{\"type\":\"string\"},"
         "\"platform\":{\"type\":\"string\"}}}",
         NULL},
};

const char *openapi_special_name(enum openapi_special special)
{
    kvs_assert(special < OPENAPI_SPECIAL_COUNT);
    return specials[special].name;
}

yyjson_mut_val *openapi_special_schema(struct openapi *o, enum openapi_special special)
{
    kvs_assert(special < OPENAPI_SPECIAL_COUNT);
    return openapi_json(o, o->v3 || specials[special].v2 == NULL ? specials[special].v3
                                                                 : specials[special].v2);
}
