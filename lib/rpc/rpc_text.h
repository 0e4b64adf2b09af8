/* The small text forms of gRPC's headers. Pure functions, any thread. */
#ifndef RPC_RPC_TEXT_H
#define RPC_RPC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "kvstore/types.h"

/* "grpc-timeout": 1 to 8 digits and a unit (H M S m u n). Rounded up to a millisecond, at least 1.
 * KVS_E_MALFORMED. */
KVS_MUST_USE int rpc_timeout_parse(struct kvs_view text, uint64_t *ret_ms);

enum { RPC_TIMEOUT_TEXT_MAX = 16 };

/* Writes milliseconds as a grpc-timeout; returns the length. */
size_t rpc_timeout_format(uint64_t ms, char *text);

/* "grpc-message": every byte outside printable ASCII, and "%", as %XX. `text` needs 3 * len.
 * Returns the length. */
size_t rpc_percent_encode(struct kvs_view from, char *text);

/* Decodes in place of nothing: what is not a valid escape stays as it is. `text` needs len bytes.
 * Returns the length. */
size_t rpc_percent_decode(struct kvs_view from, char *text);

/* Base64 without padding; `text` needs (len + 2) / 3 * 4. Returns the length. */
size_t rpc_base64_encode(struct kvs_view from, char *text);

/* With or without padding. `to` needs len / 4 * 3 + 2. KVS_E_MALFORMED. */
KVS_MUST_USE int rpc_base64_decode(struct kvs_view from, uint8_t *to, size_t *ret_len);

/* True for "application/grpc", also with "+proto", ";charset" or the like behind. */
bool rpc_is_grpc_content_type(struct kvs_view value);

#endif
