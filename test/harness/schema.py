"""The messages and fields of etcd's v3 API that the packaged Python stubs are too old to have.

Written from the API's published field numbers, independently of proto/ in this repository: a wrong
number there shows as a difference.
"""
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from etcd3.etcdrpc import kv_pb2, rpc_pb2

_F = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bytes": _F.TYPE_BYTES,
    "string": _F.TYPE_STRING,
    "int64": _F.TYPE_INT64,
    "uint64": _F.TYPE_UINT64,
    "uint32": _F.TYPE_UINT32,
    "bool": _F.TYPE_BOOL,
}

# message: "name number type [*]"; * = repeated; a type with a dot is another message.
_MESSAGES = {
    "WatchCreateRequest": """
        key 1 bytes; range_end 2 bytes; start_revision 3 int64; progress_notify 4 bool;
        filters 5 uint32 *; prev_kv 6 bool; watch_id 7 int64; fragment 8 bool""",
    "WatchCancelRequest": "watch_id 1 int64",
    "WatchProgressRequest": "",
    "WatchRequest": """
        create_request 1 .keelsontest.WatchCreateRequest;
        cancel_request 2 .keelsontest.WatchCancelRequest;
        progress_request 3 .keelsontest.WatchProgressRequest""",
    "WatchResponse": """
        header 1 .etcdserverpb.ResponseHeader; watch_id 2 int64; created 3 bool; canceled 4 bool;
        compact_revision 5 int64; cancel_reason 6 string; fragment 7 bool;
        events 11 .mvccpb.Event *""",
    "LeaseLeasesRequest": "",
    "LeaseStatus": "ID 1 int64",
    "LeaseLeasesResponse": "header 1 .etcdserverpb.ResponseHeader; leases 2 .keelsontest.LeaseStatus *",
    "Member": """
        ID 1 uint64; name 2 string; peerURLs 3 string *; clientURLs 4 string *; isLearner 5 bool""",
    "MemberAddRequest": "peerURLs 1 string *; isLearner 2 bool",
    "MemberAddResponse": """
        header 1 .etcdserverpb.ResponseHeader; member 2 .keelsontest.Member;
        members 3 .keelsontest.Member *""",
    "MemberRemoveRequest": "ID 1 uint64",
    "MemberUpdateRequest": "ID 1 uint64; peerURLs 2 string *",
    "MemberPromoteRequest": "ID 1 uint64",
    "MemberListRequest": "linearizable 1 bool",
    "MembersResponse": """
        header 1 .etcdserverpb.ResponseHeader; members 2 .keelsontest.Member *""",
    "StatusResponse": """
        header 1 .etcdserverpb.ResponseHeader; version 2 string; dbSize 3 int64; leader 4 uint64;
        raftIndex 5 uint64; raftTerm 6 uint64; raftAppliedIndex 7 uint64; errors 8 string *;
        dbSizeInUse 9 int64; isLearner 10 bool""",
    "HashKVResponse": """
        header 1 .etcdserverpb.ResponseHeader; hash 2 uint32; compact_revision 3 int64""",
    "MoveLeaderRequest": "targetID 1 uint64",
    "HeaderResponse": "header 1 .etcdserverpb.ResponseHeader",
    "Nothing": "",
    "HealthCheckRequest": "service 1 string",
    "HealthCheckResponse": "status 1 uint32",
}


def _build():
    file = descriptor_pb2.FileDescriptorProto(
        name="keelson_test.proto", package="keelsontest", syntax="proto3"
    )
    file.dependency.extend([rpc_pb2.DESCRIPTOR.name, kv_pb2.DESCRIPTOR.name])
    for name, text in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for line in filter(str.strip, text.split(";")):
            parts = line.split()
            field = message.field.add(name=parts[0], number=int(parts[1]))
            field.label = _F.LABEL_REPEATED if parts[3:] else _F.LABEL_OPTIONAL
            if parts[2] in _SCALARS:
                field.type = _SCALARS[parts[2]]
            else:
                field.type = _F.TYPE_MESSAGE
                field.type_name = parts[2]
    pool = descriptor_pool.Default()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    found = {}
    for name in _MESSAGES:
        found[name] = factory.GetPrototype(pool.FindMessageTypeByName("keelsontest." + name))
    return found


MESSAGES = _build()
