/* Text as Go's formatting verbs print it: error messages of Kubernetes carry it, and clients and
 * their tests compare those messages. */
#ifndef KUBE_QUOTE_H
#define KUBE_QUOTE_H

#include "base/buf.h"

/* Appends `text` as %q does: double quotes, \n and the like, \xNN for bytes that are not UTF-8,
 * \u00ad and the like for what does not print. Copies. Any thread. Lack of memory marks `out`. */
void kube_quote(struct buf *out, struct kvs_view text);

/* Appends a list as %#v does: []string{"a", "b"}, or []string(nil) if it is empty. */
void kube_quote_strings(struct buf *out, const struct kvs_view *texts, size_t count);

#endif
