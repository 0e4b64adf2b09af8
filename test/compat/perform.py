"""Carries out the steps of one case against one server and notes what it answered."""
import http.client
import json
import os
import re
import subprocess
import time

from etcd3.etcdrpc import rpc_pb2 as rpc

from harness.api import UNARY, RpcError
from harness.processes import wait_until
from harness.schema import MESSAGES

from . import steps as s
from .normal import Normal


class Session:
    """A server as one case sees it."""

    def __init__(self, client, case, number):
        self.client = client
        self.prefix = b"" if case.group.startswith("whole") else b"%03d/" % number
        # Known before: the lease ids of a case do not depend on the server.
        self.lease_base = (number + 1) * 1000
        base = client.call("Range", key=b"no such key").header.revision
        self.base = base
        self.normal = Normal(self.prefix, base, self.lease_base)
        self.streams = {}
        self.keepalive_stream = None

    def close(self):
        for stream in self.streams.values():
            stream.close()
        if self.keepalive_stream is not None:
            self.keepalive_stream.close()

    # Building requests

    def key(self, k):
        if k is s.PREFIX_END:
            assert self.prefix, "a case on a whole store has no prefix"
            return self.prefix[:-1] + bytes([self.prefix[-1] + 1])
        if isinstance(k, s.Raw):
            return k.data
        return k if k in (b"", b"\0") else self.prefix + k

    def value_of(self, name, v):
        if isinstance(v, s.R):
            return self.base + v.offset
        if isinstance(v, s.L):
            return self.lease_base + v.n
        if name in ("key", "range_end"):
            return self.key(v)
        return v

    def fields(self, fields):
        return {k: self.value_of(k, v) for k, v in fields.items()}

    def compare(self, step):
        f = step.fields
        out = rpc.Compare(result=f["result"], target=f["target"], key=self.key(f["key"]))
        if f["range_end"]:
            out.range_end = self.key(f["range_end"])
        if f["name"] is not None:
            setattr(out, f["name"], self.value_of(f["name"], f["operand"]))
        return out

    def op(self, step):
        if step.kind == "op_empty":
            return rpc.RequestOp()
        name = {"Range": "request_range", "Put": "request_put",
                "DeleteRange": "request_delete_range", "Txn": "request_txn"}[step.fields["method"]]
        return rpc.RequestOp(**{name: self.request(step)})

    def request(self, step):
        method, fields = step.fields["method"], step.fields["fields"]
        if method == "Txn":
            return rpc.TxnRequest(
                compare=[self.compare(c) for c in fields["compare"]],
                success=[self.op(o) for o in fields["success"]],
                failure=[self.op(o) for o in fields["failure"]],
            )
        return UNARY[method][1](**self.fields(fields))

    # Performing

    def perform(self, step):
        try:
            return getattr(self, "do_" + step.kind)(**step.fields)
        except RpcError as e:
            return {"error": e.code, "text": self._text(e.text)}
        except TimeoutError as e:
            return {"timeout": str(e)}
        except subprocess.TimeoutExpired as e:
            return {"timeout": str(e.cmd)}

    def _text(self, text):
        # The count in gRPC's own message depends on how the ids of a request are encoded.
        return re.sub(r"larger than max \(\d+ vs", "larger than max (N vs", text)

    def do_call(self, method, fields):
        step = s.Step("call", {"method": method, "fields": fields})
        return self.normal.message(self.client.call_message(method, self.request(step)))

    def do_snapshot(self):
        parts = self.client.snapshot()
        remaining = [p.remaining_bytes for p in parts]
        return {
            "several": len(parts) >= 2,
            "descending": remaining == sorted(remaining, reverse=True),
            "last remaining": remaining[-1],
            "trailer": len(parts[-1].blob),
        }

    def do_fill(self, value_bytes, limit):
        for n in range(limit):
            self.client.call("Put", key=self.key(b"fill%d" % n), value=b"x" * value_bytes)
            time.sleep(0.15)  # etcd counts what its backend has committed, each 100 ms
        return "never refused"

    def do_wait_gone(self, key, timeout_s):
        def gone():
            return self.client.call("Range", key=self.key(key)).count == 0

        wait_until(gone, timeout_s, f"expiry of {key}", 0.1)
        return "gone"

    def stream(self, name):
        if name not in self.streams:
            self.streams[name] = self.client.watch()
        return self.streams[name]

    def do_watch(self, stream, fields):
        self.stream(stream).create(**self.fields(fields))

    def do_cancel(self, stream, watch_id):
        self.stream(stream).cancel(watch_id)

    def do_progress(self, stream):
        self.stream(stream).progress()

    def do_empty_watch_request(self, stream):
        self.stream(stream).send(MESSAGES["WatchRequest"]())

    def do_receive(self, stream, events, controls, timeout_s):
        notes = WatchNotes(self.normal)
        end = time.monotonic() + timeout_s
        while notes.n_events < events or notes.n_controls < controls:
            try:
                message = self.stream(stream).receive(max(0.0, end - time.monotonic()))
            except TimeoutError:
                notes.note("stream", f"timeout: {notes.n_events} of {events} events, "
                           f"{notes.n_controls} of {controls} other messages")
                break
            except RpcError as e:
                notes.note("stream", {"error": e.code, "text": e.text})
                break
            if message is None:
                notes.note("stream", "closed")
                break
            notes.add(message)
        return notes.by_watch

    def do_quiet(self, stream, seconds):
        notes = WatchNotes(self.normal)
        end = time.monotonic() + seconds
        while True:
            try:
                message = self.stream(stream).receive(max(0.0, end - time.monotonic()))
            except TimeoutError:
                return notes.by_watch
            if message is None:
                notes.note("stream", "closed")
                return notes.by_watch
            notes.add(message)

    def do_keepalive(self, ids):
        if self.keepalive_stream is None:
            self.keepalive_stream = self.client.keepalive()
        out = []
        for lease in ids:
            self.keepalive_stream.keep_alive(self.value_of("ID", lease))
            out.append(self.normal.message(self.keepalive_stream.receive(10.0)))
        return out

    # etcdctl

    def do_ctl(self, args, stdin, parse):
        env = {k: v for k, v in os.environ.items() if not k.startswith("ETCD")}
        env["ETCDCTL_API"] = "3"
        argv = ["etcdctl", "--endpoints", self.client.endpoint] + [self._expand(a) for a in args]
        done = subprocess.run(argv, input=self._expand(stdin or ""), capture_output=True, text=True,
                              errors="backslashreplace", timeout=30, env=env)
        out = done.stdout
        if parse == "json":
            out = self._json(json.loads(out))
        elif parse == "lines":
            out = sorted(self._strip(out).splitlines())
        else:
            out = self._strip(out)
        errors = [self._strip(line) for line in done.stderr.splitlines()
                  if not line.startswith("{") and line]
        return {"exit": done.returncode, "out": out, "errors": errors}

    def _expand(self, text):
        text = text.replace("{p}", self.prefix.decode())
        text = re.sub(r"\{r\+(\d+)\}", lambda m: str(self.base + int(m[1])), text)
        return re.sub(r"\{l(\d+)\}", lambda m: f"{self.lease_base + int(m[1]):x}", text)

    def _strip(self, text):
        text = text.replace(self.prefix.decode() or "\x7f", "").replace(self.client.endpoint, "<endpoint>")
        text = re.sub(r"\b\d+\.\d+(\.\d+)? ?(ms|µs|s|kB|MB)\b|\b\d+ (kB|MB)\b", "<amount>", text)
        text = re.sub(r"\btook = \S+", "took = <amount>", text)
        # A table is as wide as its ids are long.
        text = re.sub(r"-{3,}", "---", text)
        text = re.sub(r"^[|].*", lambda m: re.sub(r" +", " ", m[0]), text, flags=re.M)
        text = re.sub(r"\b0*[0-9a-f]{1,16}\b(?=, | \||\b granted| revoked| keepalived)", self._hex, text)
        text = re.sub(r"http://127.0.0.1:\d+", "<url>", text)
        text = re.sub(r'("(MemberID|ClusterID|Leader|DBSize|RaftIndex|RaftAppliedIndex)" : )\d+', r"\1<number>", text)
        text = re.sub(r'("?(Revision|CreateRevision|ModRevision)"? : ?)(\d+)',
                      lambda m: m[1] + str(self.normal.revision(int(m[3]))), text)
        text = re.sub(r'("Version" : )"[\d.]+"', r"\1<version>", text)
        return re.sub(r'("RaftTerm" : )\d+', r"\1<term>", text)

    def _hex(self, match):
        return str(self.normal.lease(int(match[0], 16)))

    def _json(self, v, name=""):
        import base64

        if isinstance(v, dict):
            return {k: self._json(x, k) for k, x in sorted(v.items())}
        if isinstance(v, list):
            return [self._json(x, name) for x in v]
        if name in ("cluster_id", "member_id", "raft_term"):
            return f"<{name}>"
        if name in ("revision", "create_revision", "mod_revision", "compact_revision"):
            return self.normal.revision(int(v))
        if name in ("key", "value") and isinstance(v, str):
            data = base64.b64decode(v)
            return self.normal.key(data) if name == "key" else self.normal.bytes(data)
        if name in ("ID", "id", "lease"):
            return self.normal.lease(int(v))
        return v

    # Plain HTTP on the client port

    def do_http(self, method, path, body, headers):
        connection = http.client.HTTPConnection(self.client.endpoint, timeout=10)
        try:
            if isinstance(body, dict):
                body = json.dumps(body)
            connection.request(method, path, body=body, headers=headers)
            reply = connection.getresponse()
            text = reply.read().decode(errors="backslashreplace")
        finally:
            connection.close()
        out = {"status": reply.status, "type": (reply.getheader("Content-Type") or "").split(";")[0]}
        try:
            out["body"] = self._json(json.loads(text))
        except ValueError:
            out["body"] = text
        return out


class WatchNotes:
    """What a watch stream brought, in order per watcher; how events were cut into messages is only
    noted where the API promises it."""

    def __init__(self, normal):
        self.normal = normal
        self.by_watch = {}
        self.n_events = 0
        self.n_controls = 0
        self.last = {}

    def note(self, who, what):
        self.by_watch.setdefault(str(who), []).append(what)

    def add(self, response):
        n = self.normal
        if not response.events:
            self.n_controls += 1
            out = {k: v for k, v in n.message(response).items() if v and k not in ("events",)}
            self.note(response.watch_id, out)
            return
        revisions = [e.kv.mod_revision for e in response.events]
        last, fragment = self.last.get(response.watch_id, (0, False))
        if revisions[0] <= last and not fragment:
            self.note(response.watch_id, "a revision came in two messages")
        if response.header.revision < revisions[-1]:
            self.note(response.watch_id, "the header is behind the events")
        if response.fragment:
            self.by_watch.setdefault("fragments", ["some"])
        self.last[response.watch_id] = (revisions[-1], response.fragment)
        for e in response.events:
            self.n_events += 1
            self.note(response.watch_id, n.message(e))
