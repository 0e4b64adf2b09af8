/* Parameters of requests: what may stand behind the question mark, and who takes it. */
#include <string.h>

#include "base/assert.h"
#include "kube/openapi_int.h"

enum {
    DRY_RUN = 1u << 0,
    FIELD_MANAGER = 1u << 1,
    FIELD_VALIDATION = 1u << 2,
    FORCE = 1u << 3,
    GRACE_PERIOD = 1u << 4,
    PROPAGATION = 1u << 5,
    BOOKMARKS = 1u << 6,
    CONTINUE = 1u << 7,
    FIELD_SELECTOR = 1u << 8,
    LABEL_SELECTOR = 1u << 9,
    LIMIT = 1u << 10,
    VERSION = 1u << 11,
    VERSION_MATCH = 1u << 12,
    INITIAL_EVENTS = 1u << 13,
    TIMEOUT = 1u << 14,
    WATCH = 1u << 15,
    WRITE = DRY_RUN | FIELD_MANAGER | FIELD_VALIDATION,
    SELECT = FIELD_SELECTOR | LABEL_SELECTOR | CONTINUE | LIMIT | VERSION | VERSION_MATCH | TIMEOUT,
};

struct parameter {
    const char *name;
    const char *type;
    const char *description;
};

/* In the order of the bits. */
static const struct parameter parameters_table[] = {
    {"dryRun", "string", "All: the request is carried out up to the point of storing anything."},
    {"fieldManager", "string",
     "Name of who makes the change, at most 128 printable characters. Required with "
     "application/apply-patch+yaml."},
    {"fieldValidation", "string",
     "What happens with unknown and duplicate fields: Ignore, Warn (a Warning header for each, the "
     "default) or Strict (the request is refused)."},
    {"force", "boolean",
     "With application/apply-patch+yaml only: take over fields that others manage."},
    {"gracePeriodSeconds", "integer",
     "Seconds until the object is gone; 0 deletes it at once. Without it, the object's own."},
    {"propagationPolicy", "string",
     "What becomes of dependents: Orphan, Background or Foreground (before their owner)."},
    {"allowWatchBookmarks", "boolean",
     "In a watch, send events of type BOOKMARK that tell the resource version."},
    {"continue", "string",
     "Where a list with a limit goes on, from metadata.continue of the last."},
    {"fieldSelector", "string", "Restricts the list to objects with such fields."},
    {"labelSelector", "string", "Restricts the list to objects with such labels."},
    {"limit", "integer", "Most objects of one response; metadata.continue leads to the rest."},
    {"resourceVersion", "string", "Which version of the data may be answered, or watched from."},
    {"resourceVersionMatch", "string",
     "How resourceVersion is meant in a list: Exact or NotOlderThan."},
    {"sendInitialEvents", "boolean",
     "In a watch, begin with events for the objects there are, ended by a bookmark."},
    {"timeoutSeconds", "integer", "Ends the list or watch after so long."},
    {"watch", "boolean", "Answer with a stream of changes instead of a list."},
};

static const struct parameter pretty = {"pretty", "string",
                                        "If 'true', then the output is pretty printed."};

static const struct parameter path_name = {"name", "string", "name of the object"};

static const struct parameter path_namespace = {
    "namespace", "string", "object name and auth scope, such as for teams and projects"};

static const unsigned action_parameters[OPENAPI_ACTION_COUNT] = {
    [OPENAPI_GET] = 0,
    [OPENAPI_LIST] = SELECT | BOOKMARKS | INITIAL_EVENTS | WATCH,
    [OPENAPI_POST] = WRITE,
    [OPENAPI_PUT] = WRITE,
    [OPENAPI_PATCH_OBJECT] = WRITE | FORCE,
    [OPENAPI_DELETE] = DRY_RUN | GRACE_PERIOD | PROPAGATION,
    [OPENAPI_DELETECOLLECTION] = SELECT | DRY_RUN | GRACE_PERIOD | PROPAGATION,
};

unsigned openapi_action_parameters(enum openapi_action action)
{
    kvs_assert(action < OPENAPI_ACTION_COUNT);
    return action_parameters[action];
}

/* v3 has the type in a schema, v2 beside the name. */
static yyjson_mut_val *
openapi_parameter(struct openapi *o, const struct parameter *p, const char *where)
{
    yyjson_mut_val *parameter = openapi_object(o);
    yyjson_mut_val *type = o->v3 ? openapi_object(o) : parameter;

    openapi_put_text(o, parameter, "name", p->name);
    openapi_put_text(o, parameter, "in", where);
    openapi_put_text(o, parameter, "description", p->description);
    if (strcmp(where, "path") == 0) {
        openapi_put(o, parameter, "required", openapi_bool(o, true));
    }
    openapi_put_text(o, type, "type", p->type);
    openapi_put(o, type, "uniqueItems", openapi_bool(o, true));
    if (o->v3) {
        openapi_put(o, parameter, "schema", type);
    }
    return parameter;
}

void openapi_add_parameters(struct openapi *o, yyjson_mut_val *array, unsigned parameters)
{
    for (unsigned i = 0; i < sizeof parameters_table / sizeof parameters_table[0]; i++) {
        if ((parameters & 1u << i) != 0) {
            openapi_add(o, array, openapi_parameter(o, &parameters_table[i], "query"));
        }
    }
}

void openapi_add_path_parameters(struct openapi *o,
                                 yyjson_mut_val *array,
                                 bool named,
                                 bool namespaced)
{
    if (named) {
        openapi_add(o, array, openapi_parameter(o, &path_name, "path"));
    }
    if (namespaced) {
        openapi_add(o, array, openapi_parameter(o, &path_namespace, "path"));
    }
}

void openapi_add_pretty(struct openapi *o, yyjson_mut_val *array)
{
    openapi_add(o, array, openapi_parameter(o, &pretty, "query"));
}
