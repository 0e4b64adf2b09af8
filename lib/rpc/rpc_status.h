/* gRPC's status codes (numbers are wire contract). */
#ifndef RPC_RPC_STATUS_H
#define RPC_RPC_STATUS_H

#include "base/attr.h"

/* X(number, NAME, "Name" as the Go client and the metrics print it) */
#define RPC_STATUS_MAP(X)                                                                          \
    X(0, OK, "OK")                                                                                 \
    X(1, CANCELED, "Canceled")                                                                     \
    X(2, UNKNOWN, "Unknown")                                                                       \
    X(3, INVALID_ARGUMENT, "InvalidArgument")                                                      \
    X(4, DEADLINE_EXCEEDED, "DeadlineExceeded")                                                    \
    X(5, NOT_FOUND, "NotFound")                                                                    \
    X(6, ALREADY_EXISTS, "AlreadyExists")                                                          \
    X(7, PERMISSION_DENIED, "PermissionDenied")                                                    \
    X(8, RESOURCE_EXHAUSTED, "ResourceExhausted")                                                  \
    X(9, FAILED_PRECONDITION, "FailedPrecondition")                                                \
    X(10, ABORTED, "Aborted")                                                                      \
    X(11, OUT_OF_RANGE, "OutOfRange")                                                              \
    X(12, UNIMPLEMENTED, "Unimplemented")                                                          \
    X(13, INTERNAL, "Internal")                                                                    \
    X(14, UNAVAILABLE, "Unavailable")                                                              \
    X(15, DATA_LOSS, "DataLoss")                                                                   \
    X(16, UNAUTHENTICATED, "Unauthenticated")

enum rpc_status {
#define X(number, name, text) RPC_##name = number,
    RPC_STATUS_MAP(X)
#undef X
        RPC_STATUS_COUNT,
};

/* "DeadlineExceeded"; "Unknown" for a number outside. Static storage. Any thread. */
const char *rpc_status_name(unsigned status);

/* HTTP status of a gRPC status in etcd's JSON gateway. Any thread. */
unsigned rpc_status_http(unsigned status);

#endif
