"""The vocabulary of the cases: each function makes one step, a plain value that says what to ask.

Keys: every case lives under a prefix of its own, which the runner puts before each key and range
end and takes off the answers. Empty bytes, b"\\0" and raw() are left alone; PREFIX_END is the end of
the case's prefix. Revisions: R(n) is the store's revision at the start of the case plus n. Leases:
L(n) is an id of the case's own.
"""
from dataclasses import dataclass, field

from etcd3.etcdrpc import rpc_pb2 as rpc


@dataclass(frozen=True)
class R:
    """A revision relative to the start of the case."""

    offset: int


@dataclass(frozen=True)
class L:
    """A lease id of the case's own."""

    n: int


@dataclass(frozen=True)
class Raw:
    data: bytes


PREFIX_END = object()


def raw(data):
    return Raw(data)


@dataclass
class Step:
    kind: str
    fields: dict = field(default_factory=dict)


@dataclass
class Case:
    name: str
    steps: list
    group: str = ""  # cases of a group have servers of their own, started afresh
    flags: tuple = ()  # for the group's servers


CASES = []


def case(name, *steps, group="", flags=()):
    CASES.append(Case(name, list(steps), group, tuple(flags)))


def _call(method, **fields):
    return Step("call", {"method": method, "fields": fields})


def rng(key, end=b"", **kw):
    return _call("Range", key=key, range_end=end, **kw)


def put(key, value=b"v", **kw):
    return _call("Put", key=key, value=value, **kw)


def puts(*keys, value=None):
    """Several puts; the value of each is its key unless given."""
    return [put(k, value if value is not None else k) for k in keys]


def fill(value_bytes, limit):
    """Puts values of that size under keys of their own until one is refused: how many it takes is
    the server's own business, the refusal is compared."""
    return Step("fill", {"value_bytes": value_bytes, "limit": limit})


def delete(key, end=b"", **kw):
    return _call("DeleteRange", key=key, range_end=end, **kw)


def compact(revision, physical=False):
    return _call("Compact", revision=revision, physical=physical)


def txn(compare=(), then=(), otherwise=()):
    return _call("Txn", compare=list(compare), success=list(then), failure=list(otherwise))


EMPTY_OP = Step("op_empty")


def grant(lease, ttl=100):
    return _call("LeaseGrant", ID=lease, TTL=ttl)


def revoke(lease):
    return _call("LeaseRevoke", ID=lease)


def ttl(lease, keys=False):
    return _call("LeaseTimeToLive", ID=lease, keys=keys)


def leases():
    return _call("LeaseLeases")


def call(method, **fields):
    return _call(method, **fields)


def snapshot():
    return Step("snapshot")


# Compares. `op` is one of = > < !=
_RESULT = {"=": 0, ">": 1, "<": 2, "!=": 3}


def _compare(target, name, key, op, operand, end):
    op = _RESULT.get(op, op)
    return Step("compare", {"target": target, "result": op, "key": key, "range_end": end,
                            "name": name, "operand": operand})


def version(key, op, n, end=b""):
    return _compare(0, "version", key, op, n, end)


def created(key, op, n, end=b""):
    return _compare(1, "create_revision", key, op, n, end)


def modified(key, op, n, end=b""):
    return _compare(2, "mod_revision", key, op, n, end)


def value(key, op, data, end=b""):
    return _compare(3, "value", key, op, data, end)


def leased(key, op, lease, end=b""):
    return _compare(4, "lease", key, op, lease, end)


def no_operand(target, key, op):
    return _compare(target, None, key, op, None, b"")


# Streams. One watch stream per name; it opens with its first step.
def watch(key, end=b"", start=0, stream="s", **kw):
    return Step("watch", {"stream": stream,
                          "fields": dict(key=key, range_end=end, start_revision=start, **kw)})


def cancel(watch_id, stream="s"):
    return Step("cancel", {"stream": stream, "watch_id": watch_id})


def progress(stream="s"):
    return Step("progress", {"stream": stream})


def empty_watch_request(stream="s"):
    return Step("empty_watch_request", {"stream": stream})


def receive(events=0, controls=0, stream="s", timeout_s=10.0):
    """Reads until that many events and messages without events have come."""
    return Step("receive", {"stream": stream, "events": events, "controls": controls,
                            "timeout_s": timeout_s})


def quiet(seconds=0.25, stream="s"):
    """Whatever comes in that time; mostly: nothing."""
    return Step("quiet", {"stream": stream, "seconds": seconds})


def keepalive(*ids):
    return Step("keepalive", {"ids": list(ids)})


def wait_gone(key, timeout_s=20.0):
    """Polls until the key is not there any more."""
    return Step("wait_gone", {"key": key, "timeout_s": timeout_s})


def ctl(*args, stdin=None, parse=None):
    """etcdctl 3.4. {p} in an argument is the case's prefix, {r+N} a revision, {lN} a lease."""
    return Step("ctl", {"args": list(args), "stdin": stdin, "parse": parse})


def http(method, path, body=None, headers=None):
    return Step("http", {"method": method, "path": path, "body": body, "headers": headers or {}})
