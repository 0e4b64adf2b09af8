/* What makes metadata valid: the rules of apimachinery's ValidateObjectMeta, with its texts. */
#ifndef KUBE_META_VALIDATE_H
#define KUBE_META_VALIDATE_H

#include <stdbool.h>

#include <yyjson.h>

#include "kube/field_error.h"
#include "kube/names.h"

/* How objects of a kind may be called. */
enum kube_name_rule {
    KUBE_NAME_SUBDOMAIN,
    KUBE_NAME_LABEL,
    KUBE_NAME_DNS1035,
    KUBE_NAME_PATH_SEGMENT,
    KUBE_NAME_RULE_COUNT,
};

struct kube_meta_rules {
    enum kube_name_rule name;
    bool is_namespaced;
    bool is_custom; /* of a CustomResourceDefinition: finalizers need no "/" */
};

/* The rule of a kind; unknown kinds take subdomains. Any thread, as all of this file. */
enum kube_name_rule kube_name_rule_of(struct kvs_view group, struct kvs_view kind);

/* Checks a name, or with `is_prefix` the start of a generated one, which may end in a dash. True if
 * it is valid. */
bool kube_name_check(enum kube_name_rule rule,
                     struct kvs_view name,
                     bool is_prefix,
                     struct kube_name_messages *ret_messages);

/* Validates the metadata of a new object, which stands at `path`, after names were generated.
 * Problems go to `errors`. */
void kube_meta_validate(yyjson_mut_val *object,
                        const struct kube_meta_rules *rules,
                        const struct kube_path *path,
                        struct kube_errors *errors);

/* Validates the metadata of an update of `old`, after kube_meta_prepare_update. */
void kube_meta_validate_update(yyjson_mut_val *object,
                               yyjson_mut_val *old,
                               const struct kube_meta_rules *rules,
                               const struct kube_path *path,
                               struct kube_errors *errors);

/* Labels and annotations by themselves: pod templates have them, too. NULL is valid. */
void kube_meta_validate_labels(yyjson_mut_val *labels,
                               const struct kube_path *path,
                               struct kube_errors *errors);
void kube_meta_validate_annotations(yyjson_mut_val *annotations,
                                    const struct kube_path *path,
                                    struct kube_errors *errors);

#endif
