"""Writers that remember what was acknowledged, watchers that follow across failures, and the
checker that compares both with the store's whole history.

Every write of the load is one put with a value of its own, so each makes exactly one revision and
the history can be checked without knowing the outcome of the requests that failed.
"""
import collections
import threading
import time

from .api import Client, RpcError

Ack = collections.namedtuple("Ack", "key value revision at")

# What no client deserves, whatever happens to the servers.
REFUSED = ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "UNIMPLEMENTED", "DATA_LOSS", "INTERNAL", "UNKNOWN")


class Endpoints:
    """Connections shared by the threads of a load; one per endpoint."""

    def __init__(self, endpoints):
        self.clients = [Client(e) for e in endpoints]

    def close(self):
        for client in self.clients:
            client.close()


class Load:
    """`n` writers, each with keys of its own, each going to another endpoint when one fails."""

    def __init__(self, endpoints, n=12, value_bytes=64, prefix=b"load/", timeout_s=4.0):
        self.endpoints = Endpoints(endpoints)
        self.prefix = prefix
        self.padding = b"." * value_bytes
        self.timeout_s = timeout_s
        self.acks = []
        self.errors = collections.Counter()
        self.wrong = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(i,), daemon=True) for i in range(n)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.endpoints.close()

    def _write(self, number):
        clients = self.endpoints.clients
        at = number % len(clients)
        sequence = 0
        while not self._stop.is_set():
            key = self.prefix + b"%d/%d" % (number, sequence % 50)
            value = b"%d:%d:" % (number, sequence) + self.padding
            sequence += 1
            try:
                reply = clients[at].call("Put", timeout_s=self.timeout_s, key=key, value=value)
                with self._lock:
                    self.acks.append(Ack(key, value, reply.header.revision, time.monotonic()))
            except RpcError as e:
                with self._lock:
                    self.errors[f"{e.code}: {e.text}"[:100]] += 1
                    # The last is etcd's own way of saying that leadership is on the move.
                    known = "leader" in (e.text or "") or e.text == "raft proposal dropped"
                    if e.code in REFUSED and not known:
                        self.wrong.append(f"{e.code}: {e.text}")
                at = (at + 1) % len(clients)
                self._stop.wait(0.02)

    def count(self):
        with self._lock:
            return len(self.acks)

    def wait_acks(self, more, timeout_s=30.0):
        """Waits for so many further acknowledgements; returns how long that took."""
        begin = time.monotonic()
        goal = self.count() + more
        while self.count() < goal:
            if time.monotonic() - begin > timeout_s:
                raise TimeoutError(f"{more} acknowledged writes within {timeout_s:g} s; errors: {dict(self.errors)}")
            time.sleep(0.005)
        return time.monotonic() - begin

    def longest_gap_s(self, since=0.0):
        """The longest time in which nothing was acknowledged."""
        times = [a.at for a in self.acks if a.at >= since]
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)


class Follower:
    """A watcher as a careful client is: after an error it goes on from the revision after its last,
    at another endpoint. What it saw must be the history without a gap and without a repetition."""

    def __init__(self, endpoints, prefix=b"load/", start=1):
        self.endpoints = list(endpoints)
        self.prefix = prefix
        self.next = start
        self.seen = []
        self.resumed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _follow(self):
        at = 0
        while not self._stop.is_set():
            client = Client(self.endpoints[at % len(self.endpoints)])
            stream = client.watch()
            try:
                end = self.prefix[:-1] + bytes([self.prefix[-1] + 1])
                stream.create(key=self.prefix, range_end=end, start_revision=self.next)
                self._read(stream)
            except RpcError:
                self.resumed += 1
                self._stop.wait(0.05)
            finally:
                stream.close()
                client.close()
            at += 1

    def _read(self, stream):
        silent_since = time.monotonic()
        while not self._stop.is_set():
            try:
                response = stream.receive(0.1)
            except TimeoutError:
                # A node that is stopped sends no error: a client of ours would time out, too.
                if time.monotonic() - silent_since > 2.0:
                    self.resumed += 1
                    return
                continue
            silent_since = time.monotonic()
            if response is None or response.canceled:
                self.resumed += 1
                return
            for event in response.events:
                self.seen.append((event.kv.mod_revision, event.kv.key, event.kv.value))
            if response.events:
                self.next = response.events[-1].kv.mod_revision + 1

    def wait_revision(self, revision, timeout_s=30.0):
        end = time.monotonic() + timeout_s
        while self.next <= revision:
            if time.monotonic() > end:
                raise TimeoutError(f"the watcher is at {self.next - 1}, not at {revision}")
            time.sleep(0.01)


def read_history(endpoint, prefix=b"load/", start=1, timeout_s=30.0):
    """All events under the prefix up to the current revision, as this node tells them."""
    with Client(endpoint) as client:
        end = prefix[:-1] + bytes([prefix[-1] + 1])
        now = client.call("Range", key=prefix, range_end=end, sort_order=2, sort_target=3, limit=1)
        last = now.kvs[0].mod_revision if now.kvs else 0
        stream = client.watch()
        stream.create(key=prefix, range_end=end, start_revision=start)
        events = []
        until = time.monotonic() + timeout_s
        while not events or events[-1][0] < last:
            if last < start:
                break
            response = stream.receive(max(0.0, until - time.monotonic()))
            if response is None or response.canceled:
                raise RuntimeError(f"the history watch ended: {response}")
            events += [(e.kv.mod_revision, e.kv.key, e.kv.value) for e in response.events]
        stream.close()
        return events


def check_history(events, acks, what="history"):
    """No revision is skipped or repeated, and every acknowledged write stands where it was said."""
    revisions = [e[0] for e in events]
    expected = list(range(revisions[0], revisions[0] + len(revisions))) if revisions else []
    if revisions != expected:
        at = next(i for i, (a, b) in enumerate(zip(revisions, expected)) if a != b)
        raise AssertionError(f"{what}: revision {revisions[at]} after {revisions[at - 1]}")
    by_revision = {e[0]: e for e in events}
    lost = [a for a in acks if by_revision.get(a.revision) != (a.revision, a.key, a.value)]
    if lost:
        raise AssertionError(f"{what}: {len(lost)} of {len(acks)} acknowledged writes are missing, first {lost[0]}, "
                             f"there stands {by_revision.get(lost[0].revision)}")
    values = collections.Counter(e[2] for e in events)
    twice = [v for v, n in values.items() if n > 1]
    if twice:
        raise AssertionError(f"{what}: {len(twice)} writes were applied twice, first {twice[0]}")


class Verified:
    """The history as far as every node has told it: each call looks at what came since the last."""

    def __init__(self):
        self.events = []

    def advance(self, cluster, load):
        with load._lock:
            acks = [a for a in load.acks if not self.events or a.revision > self.events[-1][0]]
        start = self.events[-1][0] + 1 if self.events else 1
        told = {n.name: read_history(n.endpoint, load.prefix, start) for n in cluster.nodes if n.is_running()}
        for name, events in told.items():
            check_history(events, acks, name)
            if self.events and events and events[0][0] != start:
                raise AssertionError(f"{name}: revision {events[0][0]} after {start - 1}")
        # Each was asked a little later than the one before, and writes went on.
        common = min(told.values(), key=len)
        for name, events in told.items():
            assert events[:len(common)] == common, f"{name} tells another history"
        self.events += common


def leader_of(nodes, timeout_s=30.0):
    """The node that leads, as a majority of the running nodes say."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        says = collections.Counter()
        ids = {}
        running = [n for n in nodes if n.is_running()]
        for node in running:
            try:
                with Client(node.endpoint) as client:
                    status = client.call("Status", timeout_s=1.0)
                ids[status.header.member_id] = node
                says[status.leader] += 1
            except RpcError:
                continue
        leader, votes = says.most_common(1)[0] if says else (0, 0)
        if leader in ids and votes > len(nodes) // 2:
            return ids[leader]
        time.sleep(0.05)
    raise TimeoutError("no leader")


def check_cluster(cluster, load, follower=None):
    """After the faults: every node tells the same history, which holds all that was acknowledged."""
    assert not load.wrong, f"refused writes: {load.wrong[:3]}"
    assert load.acks, f"nothing was acknowledged: {dict(load.errors)}"
    histories = {}
    for node in cluster.nodes:
        if node.is_running():
            histories[node.name] = read_history(node.endpoint, load.prefix)
            check_history(histories[node.name], load.acks, node.name)
    first = next(iter(histories.values()))
    for name, events in histories.items():
        assert events == first, f"{name} tells another history"
    if follower is not None:
        follower.wait_revision(first[-1][0])
        follower.stop()
        assert follower.seen == first, (
            f"the watcher saw {len(follower.seen)} events, the history has {len(first)}")
    check_hashes(cluster, first[-1][0])
    return first


def check_hashes(cluster, revision):
    """All nodes have the same content at that revision, byte for byte."""
    hashes = {}
    for node in cluster.nodes:
        if node.is_running():
            with Client(node.endpoint) as client:
                hashes[node.name] = client.call("HashKV", revision=revision).hash
    assert len(set(hashes.values())) == 1, f"hashes at revision {revision} differ: {hashes}"
