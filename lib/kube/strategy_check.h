/* The small checks that validation of kinds is made of. `parent` is the path of `object`; each
 * makes the path of the member itself. */
#ifndef KUBE_STRATEGY_CHECK_H
#define KUBE_STRATEGY_CHECK_H

#include "base/attr.h"
#include "kube/intstr.h"
#include "kube/keymap.h"
#include "kube/quantity.h"
#include "kube/strategy_int.h"

#define CHECK_NOT_NEGATIVE "must be greater than or equal to 0"
#define CHECK_IMMUTABLE    "field is immutable"

/* A place in an object: what is checked, under which path, and where errors go. */
struct check {
    const struct kube_change *change;
    struct kube_errors *errors;
    const struct kube_path *path;
    yyjson_mut_val *object;
    struct kube_keymap *seen; /* of an item: texts of the items before it */
};

/* A text member that has to be there; false if it is not. */
bool check_required(const struct check *c, const char *name);

/* A text member among `supported`; absent is right. */
void check_one_of(const struct check *c, const char *name, const char *const *supported, size_t n);
/* The same, and absent is wrong. */
void check_required_one_of(const struct check *c,
                           const char *name,
                           const char *const *supported,
                           size_t n);

/* A number member; absent is right. */
void check_not_negative(const struct check *c, const char *name);
void check_range(const struct check *c, const char *name, int64_t min, int64_t max);

/* A text member by a grammar; empty is right. */
void check_name(const struct check *c, const char *name, kube_name_fn grammar);
/* A text that is no member of its own. */
void check_text(const struct check *c,
                const char *name,
                struct kvs_view text,
                kube_name_fn grammar);
void check_key(const struct check *c, const char *name);

/* IntOrString as a port, and as a count or percentage. */
void check_port(const struct check *c, const char *name);
void check_int_or_percent(const struct check *c, const char *name);
/* The number, or the number before the percent sign; 0 if absent. */
int64_t check_int_or_percent_value(yyjson_mut_val *value);
/* More than 100% makes no sense of this member. */
void check_at_most_all(const struct check *c, const char *name);

/* An error about a member. */
void check_say(const struct check *c,
               const char *name,
               struct kube_bad_value value,
               const char *why);
void check_forbid(const struct check *c, const char *name, const char *why);
void check_need(const struct check *c, const char *name, const char *why);

/* The member has to be what it was. The value is shown as Go shows text, numbers, selectors; what
 * is larger as JSON. */
void check_immutable(const struct check *c, yyjson_mut_val *old, const char *name);
/* True if both are the same; a failure counts as same and is kept in the errors. */
bool check_equal(const struct check *c, yyjson_mut_val *a, yyjson_mut_val *b);

/* Texts as Go's %#v has them. */
void check_print_map(struct buf *out, yyjson_mut_val *map);
void check_print_list(struct buf *out, yyjson_mut_val *list);
void check_print_selector(struct buf *out, yyjson_mut_val *selector);
void check_print_int_or_string(struct buf *out, yyjson_mut_val *value);
/* An error whose value is such a text. Ends `text`. */
void check_say_text(const struct check *c, const char *name, struct buf *text, const char *why);

/* A member as a place of its own: fills `ret` and its path. */
void check_enter(const struct check *c,
                 const char *name,
                 struct kube_path *ret_path,
                 struct check *ret);

/* Each item of a list member, with its index in the path. */
typedef void check_item_fn(const struct check *item, void *ctx);
void check_each(const struct check *c, const char *list, check_item_fn *fn, void *ctx);
/* True if an item of the same list before this one had this text in `field`: to be asked once for
 * each item. A request may hold a hundred thousand of them, so they are looked up. */
bool check_seen(const struct check *item, const char *field);
/* The same for a text that stands for several fields. Copies it. */
bool check_seen_text(const struct check *item, struct kvs_view text);
/* The texts of `field` in a list; borrows them. Ended with kube_keymap_fini. */
void check_index(const struct check *c,
                 const char *list,
                 const char *field,
                 struct kube_keymap *ret);

/* Quantities by resource name under `name`. `names` (may be NULL) judges the names. */
void check_quantities(const struct check *c,
                      const char *name,
                      void (*names)(const struct check *, struct kvs_view));
bool check_is_extended(struct kvs_view resource);

/* ---- of several kinds ---- */

void check_pod_spec(const struct check *spec, bool is_pod);
void check_containers(const struct check *spec, bool is_pod);
void check_volumes(const struct check *spec);
void check_scheduling(const struct check *spec);
void check_taint_effect(const struct check *c, bool required);
/* A pod template, and whether `selector` selects the pods that `spec` makes. */
void check_template(const struct check *template);
void check_claim_spec(const struct check *spec);
void check_selector_matches(const struct check *spec, yyjson_mut_val *selector);

#endif
