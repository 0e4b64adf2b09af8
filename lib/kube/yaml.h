/* YAML 1.1 into JSON trees, as sigs.k8s.io/yaml reads it: plain scalars become null, booleans
 * (yes, on and y among them), numbers or strings; keys become strings; aliases become copies; "<<"
 * merges. Only the first document counts. libyaml does the parsing. Any thread. */
#ifndef KUBE_YAML_H
#define KUBE_YAML_H

#include "base/attr.h"
#include "kube/json.h"

/* Values that aliases may add together: what makes a small text large. */
#define KUBE_YAML_COPIES_MAX 100000

/* Reads into `doc`; an empty text is null. `duplicates` (may be NULL) gets "\n  line 3: key \"a\"
 * already set in map" for each key that a map has twice; the last one counts. KVS_E_MALFORMED or
 * KVS_E_TOO_LONG (a limit) with a text in `error` (may be NULL); KVS_E_NOMEM. */
KVS_MUST_USE int kube_yaml_read_into(yyjson_mut_doc *doc,
                                     struct kvs_view text,
                                     const struct kube_json_limits *limits,
                                     yyjson_mut_val **ret_value,
                                     struct buf *duplicates,
                                     struct kvs_error *error);

#endif
