"""Raw calls of the v3 API through the gRPC C core: the table of methods, and streams.

No client library in between: what is seen is what the server sent, status and text included. The
same calls are therefore the interoperability test with the gRPC C core.
"""
import os
import queue
import threading

import grpc

from etcd3.etcdrpc import rpc_pb2 as rpc

from .schema import MESSAGES

_M = MESSAGES

# name: (path, request, response)
UNARY = {
    "Range": ("/etcdserverpb.KV/Range", rpc.RangeRequest, rpc.RangeResponse),
    "Put": ("/etcdserverpb.KV/Put", rpc.PutRequest, rpc.PutResponse),
    "DeleteRange": ("/etcdserverpb.KV/DeleteRange", rpc.DeleteRangeRequest, rpc.DeleteRangeResponse),
    "Txn": ("/etcdserverpb.KV/Txn", rpc.TxnRequest, rpc.TxnResponse),
    "Compact": ("/etcdserverpb.KV/Compact", rpc.CompactionRequest, rpc.CompactionResponse),
    "LeaseGrant": ("/etcdserverpb.Lease/LeaseGrant", rpc.LeaseGrantRequest, rpc.LeaseGrantResponse),
    "LeaseRevoke": (
        "/etcdserverpb.Lease/LeaseRevoke", rpc.LeaseRevokeRequest, rpc.LeaseRevokeResponse,
    ),
    "LeaseTimeToLive": (
        "/etcdserverpb.Lease/LeaseTimeToLive",
        rpc.LeaseTimeToLiveRequest,
        rpc.LeaseTimeToLiveResponse,
    ),
    "LeaseLeases": (
        "/etcdserverpb.Lease/LeaseLeases", _M["LeaseLeasesRequest"], _M["LeaseLeasesResponse"],
    ),
    "MemberList": ("/etcdserverpb.Cluster/MemberList", _M["MemberListRequest"], _M["MembersResponse"]),
    "MemberAdd": ("/etcdserverpb.Cluster/MemberAdd", _M["MemberAddRequest"], _M["MemberAddResponse"]),
    "MemberRemove": (
        "/etcdserverpb.Cluster/MemberRemove", _M["MemberRemoveRequest"], _M["MembersResponse"],
    ),
    "MemberUpdate": (
        "/etcdserverpb.Cluster/MemberUpdate", _M["MemberUpdateRequest"], _M["MembersResponse"],
    ),
    "MemberPromote": (
        "/etcdserverpb.Cluster/MemberPromote", _M["MemberPromoteRequest"], _M["MembersResponse"],
    ),
    "Status": ("/etcdserverpb.Maintenance/Status", _M["Nothing"], _M["StatusResponse"]),
    "Alarm": ("/etcdserverpb.Maintenance/Alarm", rpc.AlarmRequest, rpc.AlarmResponse),
    "Defragment": ("/etcdserverpb.Maintenance/Defragment", _M["Nothing"], _M["HeaderResponse"]),
    "Hash": ("/etcdserverpb.Maintenance/Hash", _M["Nothing"], rpc.HashResponse),
    "HashKV": ("/etcdserverpb.Maintenance/HashKV", rpc.HashKVRequest, _M["HashKVResponse"]),
    "MoveLeader": (
        "/etcdserverpb.Maintenance/MoveLeader", _M["MoveLeaderRequest"], _M["HeaderResponse"],
    ),
    "HealthCheck": (
        "/grpc.health.v1.Health/Check", _M["HealthCheckRequest"], _M["HealthCheckResponse"],
    ),
    "UnknownMethod": ("/etcdserverpb.KV/NoSuchMethod", _M["Nothing"], _M["Nothing"]),
    "UnknownService": ("/no.such.Service/Method", _M["Nothing"], _M["Nothing"]),
}

_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    # How long a connection may take until HTTP/2 stands; a refused one fails at once all the same.
    ("grpc.min_reconnect_backoff_ms", int(250 * float(os.environ.get("KEELSON_SLOW", "4")))),
    ("grpc.max_reconnect_backoff_ms", 500),
]


class RpcError(Exception):
    """A status that is not OK: its name and its text, as they came."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


def _rpc_error(e):
    return RpcError(e.code().name, e.details())


class Client:
    """One connection to one endpoint ("127.0.0.1:2379")."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.channel = grpc.insecure_channel(endpoint, options=_OPTIONS)
        self._calls = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.channel.close()

    def call_message(self, method, message, timeout_s=10.0):
        """The response, or RpcError."""
        if method not in self._calls:
            path, _, response = UNARY[method]
            self._calls[method] = self.channel.unary_unary(
                path,
                request_serializer=lambda m: m.SerializeToString(),
                response_deserializer=response.FromString,
            )
        try:
            return self._calls[method](message, timeout=timeout_s)
        except grpc.RpcError as e:
            raise _rpc_error(e) from None

    def call(self, method, timeout_s=10.0, **fields):
        return self.call_message(method, UNARY[method][1](**fields), timeout_s)

    def snapshot(self):
        """All messages of the Snapshot stream."""
        stream = self.channel.unary_stream(
            "/etcdserverpb.Maintenance/Snapshot",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=rpc.SnapshotResponse.FromString,
        )
        try:
            return list(stream(_M["Nothing"](), timeout=30))
        except grpc.RpcError as e:
            raise _rpc_error(e) from None

    def watch(self, metadata=None):
        return Stream(
            self.channel, "/etcdserverpb.Watch/Watch", _M["WatchResponse"], metadata
        )

    def keepalive(self):
        return Stream(
            self.channel, "/etcdserverpb.Lease/LeaseKeepAlive", rpc.LeaseKeepAliveResponse, None
        )


class Stream:
    """A bidirectional stream: send() never blocks, receive() waits with a bound."""

    def __init__(self, channel, path, response, metadata):
        self._out = queue.Queue()
        self._in = queue.Queue()
        method = channel.stream_stream(
            path,
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=response.FromString,
        )
        self._call = method(iter(self._out.get, None), metadata=metadata)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        try:
            for message in self._call:
                self._in.put(message)
            self._in.put(None)
        except grpc.RpcError as e:
            self._in.put(_rpc_error(e))

    def send(self, message):
        self._out.put(message)

    def create(self, **fields):
        self.send(_M["WatchRequest"](create_request=_M["WatchCreateRequest"](**fields)))

    def cancel(self, watch_id):
        self.send(_M["WatchRequest"](cancel_request=_M["WatchCancelRequest"](watch_id=watch_id)))

    def progress(self):
        self.send(_M["WatchRequest"](progress_request=_M["WatchProgressRequest"]()))

    def keep_alive(self, lease):
        self.send(rpc.LeaseKeepAliveRequest(ID=lease))

    def receive(self, timeout_s):
        """The next message; None when the server closed; raises RpcError, or TimeoutError."""
        try:
            item = self._in.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError("no message") from None
        if isinstance(item, RpcError):
            raise item
        return item

    def half_close(self):
        self._out.put(None)

    def close(self):
        self.half_close()
        self._call.cancel()
