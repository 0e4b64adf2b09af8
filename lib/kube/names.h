/* The grammars of Kubernetes' names (apimachinery's util/validation). Each check gives all messages
 * that Kubernetes gives for the text, in its order, as static strings; none means valid.
 *
 * The grammars are fixed and tiny, so they are matched by hand: the messages quote the regular
 * expressions, the matchers are what those say. */
#ifndef KUBE_NAMES_H
#define KUBE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvstore/types.h"

#define KUBE_NAME_MESSAGES_MAX 6

struct kube_name_messages {
    const char *text[KUBE_NAME_MESSAGES_MAX]; /* static */
    size_t count;
};

/* Checks `value` and sets `ret_messages` to what is wrong with it. True if nothing is. Borrows
 * `value` for the call. Any thread. */
typedef bool (*kube_name_fn)(struct kvs_view value, struct kube_name_messages *ret_messages);

bool kube_name_dns1123_label(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_dns1123_subdomain(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_dns1035_label(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_wildcard_subdomain(struct kvs_view value, struct kube_name_messages *ret_messages);

/* Label keys, annotation keys, finalizers: [prefix/]name. */
bool kube_name_qualified(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_label_value(struct kvs_view value, struct kube_name_messages *ret_messages);

/* Environment variables: the strict rule, and the one that 1.32 applies to containers. */
bool kube_name_env_var(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_env_var_relaxed(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_c_identifier(struct kvs_view value, struct kube_name_messages *ret_messages);

bool kube_name_port(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_percent(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_config_key(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_http_header(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_condition_reason(struct kvs_view value, struct kube_name_messages *ret_messages);

/* Names that stand in URL and storage paths: whole, and as the start of a generated one. */
bool kube_name_path_segment(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_path_segment_prefix(struct kvs_view value, struct kube_name_messages *ret_messages);

/* IPv4 with leading zeros is accepted, as 1.32 does for these fields. */
bool kube_name_ip(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_ipv4(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_ipv6(struct kvs_view value, struct kube_name_messages *ret_messages);
bool kube_name_cidr(struct kvs_view value, struct kube_name_messages *ret_messages);

/* A number rather than a text: ports 1 to 65535, and uids and gids. */
bool kube_name_port_number(int64_t value, struct kube_name_messages *ret_messages);
bool kube_name_user_id(int64_t value, struct kube_name_messages *ret_messages);

#endif
