/* Between call.c (the wire's side) and rpc_call.c, rpc_http.c (the handler's side). */
#ifndef RPC_RPC_CALL_INT_H
#define RPC_RPC_CALL_INT_H

#include "rpc/rpc_server_int.h"

/* Fixes status and text, once; counts it. */
void call_decide(struct rpc_call *c, enum rpc_status status, const char *text);

/* gRPC response headers, once; with the status in them if there is no message to come. */
void call_send_headers(struct rpc_call *c);

/* Nothing more will be queued: headers, rest, trailers. */
void call_send_end(struct rpc_call *c);

/* The reply cannot be completed: resets the stream, visibly to the client. */
void call_abort(struct rpc_call *c);

/* on_writable in a later turn. */
void call_want_writable(struct rpc_call *c);

/* Tells the handler's side that nobody waits any more. May free `c`. */
void call_notify_canceled(struct rpc_call *c);

/* The handler's side has completed a unary or HTTP call. May free `c`. */
void call_complete(struct rpc_call *c);

/* rpc_fail for an HTTP request. */
void http_fail(struct rpc_call *c, enum rpc_status status, const char *text);

#endif
