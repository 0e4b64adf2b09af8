/* Messages that occur only inside others; for the codec's own files and tests. */
#ifndef RPC_ETCD_PB_INT_H
#define RPC_ETCD_PB_INT_H

#include "rpc/pb.h"

extern const struct pb_message etcd_pb_header;  /* struct kvs_header */
extern const struct pb_message etcd_pb_kv;      /* struct kvs_kv */
extern const struct pb_message etcd_pb_event;   /* struct kvs_event */
extern const struct pb_message etcd_pb_compare; /* struct kvs_compare */
extern const struct pb_message etcd_pb_op;      /* struct kvs_op */
extern const struct pb_message etcd_pb_op_resp; /* struct kvs_op_resp */

#endif
