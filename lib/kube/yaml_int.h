/* What YAML's reader and its scalars share. */
#ifndef KUBE_YAML_INT_H
#define KUBE_YAML_INT_H

#include "kube/json.h"

/* What a plain scalar is; a string unless it looks like something else. NULL if out of memory or,
 * with `*ret_bad`, if JSON has no such number. */
yyjson_mut_val *yaml_plain(yyjson_mut_doc *doc, struct kvs_view text, bool *ret_bad);

/* The same for a scalar with a tag; `tag` is the whole one. */
yyjson_mut_val *
yaml_tagged(yyjson_mut_doc *doc, struct kvs_view text, const char *tag, bool *ret_bad);

#endif
