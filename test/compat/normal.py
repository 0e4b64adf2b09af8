"""Turns answers into plain values in which only meaningful differences are left.

Ids of clusters, members and terms become words (but 0 stays 0: whether a field is set is compared);
revisions become relative to the start of the case; the case's key prefix is taken off.
"""
from google.protobuf.descriptor import FieldDescriptor

_REVISIONS = {"revision", "create_revision", "mod_revision", "compact_revision"}
_IDS = {"cluster_id": "<cluster>", "member_id": "<member>", "raft_term": "<term>",
        "raftTerm": "<term>", "leader": "<member>", "memberID": "<member>"}
_VARYING = {"dbSize", "dbSizeInUse", "raftIndex", "raftAppliedIndex", "hash", "version"}
_KEYS = {"key", "range_end"}


class Normal:
    def __init__(self, prefix, base, lease_base):
        self.prefix = prefix
        self.base = base
        self.lease_base = lease_base

    def revision(self, n):
        return n if n <= 0 else f"R{n - self.base:+d}"

    def lease(self, n):
        if n == 0:
            return 0
        offset = n - self.lease_base
        return f"L{offset}" if 0 < offset < 1000 else "<lease>"

    def key(self, data):
        if data.startswith(self.prefix):
            data = data[len(self.prefix):]
        return self.bytes(data)

    @staticmethod
    def bytes(data):
        if len(data) > 64:
            return f"{data[:8]!r}...{len(data)} bytes, sum {sum(data)}"
        return repr(data)[1:]

    def message(self, message, path=""):
        out = {}
        for f in message.DESCRIPTOR.fields:
            value = getattr(message, f.name)
            if f.label == FieldDescriptor.LABEL_REPEATED:
                out[f.name] = [self._value(message, f, v) for v in value]
            elif f.type == FieldDescriptor.TYPE_MESSAGE:
                out[f.name] = self.message(value) if message.HasField(f.name) else None
            else:
                out[f.name] = self._value(message, f, value)
        kind = message.DESCRIPTOR.name
        if kind == "LeaseTimeToLiveResponse":
            self._remaining(out, message)
        if kind == "ResponseOp":
            out = {k: v for k, v in out.items() if v is not None}
        return out

    def _remaining(self, out, message):
        """Time passes differently on both sides: near the granted TTL is all that can be said."""
        if message.TTL > 0 and message.grantedTTL - 10 <= message.TTL <= message.grantedTTL:
            out["TTL"] = "<nearly all of it>" if message.grantedTTL > 20 else "<positive>"
        out["keys"] = sorted(out["keys"])

    def _value(self, message, f, v):
        name = f.name
        kind = message.DESCRIPTOR.name
        if f.type == FieldDescriptor.TYPE_MESSAGE:
            return self.message(v)
        if name in _REVISIONS:
            return self.revision(v)
        if name in _IDS:
            return _IDS[name] if v != 0 else 0
        if kind == "StatusResponse" or kind in ("HashKVResponse", "HashResponse"):
            if name in _VARYING:
                return "<set>" if v else v
        if kind == "Member" and name == "ID":
            return "<member>" if v != 0 else 0
        if kind == "Member" and name in ("peerURLs", "clientURLs") and v.startswith("http://127.0.0.1:"):
            return "<url>"
        if name == "ID" or name == "lease":
            return self.lease(v)
        if f.type == FieldDescriptor.TYPE_BYTES:
            return self.key(v) if name in _KEYS or name == "keys" else self.bytes(v)
        return v


def differences(a, b, path=""):
    """Yields (path, a's value, b's value) wherever they differ."""
    if type(a) is not type(b):
        yield path, a, b
    elif isinstance(a, dict):
        for k in sorted(a.keys() | b.keys(), key=str):
            yield from differences(a.get(k, "<absent>"), b.get(k, "<absent>"), f"{path}.{k}")
    elif isinstance(a, list):
        if len(a) != len(b):
            yield f"{path} length", len(a), len(b)
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}[{i}]")
    elif a != b:
        yield path, a, b
