/* The query of a request: percent-decoding and the options that the API knows. Unknown options are
 * ignored, as kube-apiserver does. Pure. */
#ifndef KUBE_QUERY_H
#define KUBE_QUERY_H

#include "kube/route.h"

/* `plus`: "+" is a space, as in queries. KVS_E_INVALID for a broken escape, KVS_E_NOMEM. */
KVS_MUST_USE int kube_percent_decode(struct arena *arena,
                                     struct kvs_view text,
                                     bool plus,
                                     struct kvs_view *ret_text);

/* KVS_E_INVALID, with `status` set, for values that no client may send; KVS_E_NOMEM. */
KVS_MUST_USE int kube_query_parse(struct arena *arena,
                                  struct kvs_view query,
                                  struct kube_query *ret_query,
                                  struct kube_status *status);

#endif
