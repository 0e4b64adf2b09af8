"""What kvctl must do while things happen: follow without gaps over restarts and failures, wait for
locks that etcdctl holds, keep a lease alive. Each function is one test; it raises on failure."""
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time
import traceback

from harness.api import rpc
from harness.processes import Cluster, complaint, is_etcd, wait_until
from harness.schema import MESSAGES

WAIT_S = float(os.environ.get("KEELSON_STEP_S", "20"))


class Program:
    """A kvctl (or etcdctl) that runs on, its output in a file that can be looked at meanwhile."""

    def __init__(self, argv, endpoints, stdin=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("ETCD", "KVCTL"))}
        env.update(ETCDCTL_API="3", ETCDCTL_ENDPOINTS=",".join(endpoints))
        self.out = tempfile.NamedTemporaryFile("r")
        self.err = tempfile.NamedTemporaryFile("r")
        self.p = subprocess.Popen(argv, env=env, text=True,
                                  stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                  stdout=open(self.out.name, "w"), stderr=open(self.err.name, "w"))

    def output(self):
        self.out.seek(0)
        return self.out.read()

    def wait_output(self, text, what):
        wait_until(lambda: text in self.output() or self.p.poll() is not None, WAIT_S, what)
        assert text in self.output(), f"{what}: {self.output()!r} {open(self.err.name).read()!r}"

    def end(self, number=signal.SIGINT):
        if self.p.poll() is None:
            self.p.send_signal(number)
        try:
            status = self.p.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            raise
        errors = open(self.err.name).read()
        assert not complaint(errors), errors
        return status, self.output()


def call(program, endpoints, *args):
    env = dict(os.environ, ETCDCTL_API="3", ETCDCTL_ENDPOINTS=",".join(endpoints))
    done = subprocess.run([program, *args], env=env, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done.stdout


def put_until_taken(kvctl, endpoints, key, value):
    """A write that fails may have happened; these are repeated, so watchers may see one twice:
    the value says which attempt it was."""
    env = dict(os.environ, ETCDCTL_ENDPOINTS=",".join(endpoints))
    for attempt in range(30):
        done = subprocess.run([kvctl, "put", key, f"{value}.{attempt}"], env=env, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode == 0:
            return
        assert not complaint(done.stderr), done.stderr
    raise AssertionError(f"no write was taken: {done.stderr}")


def events(output):
    """(key, value) of every PUT in the order of arrival."""
    lines = output.split("\n")
    return [(lines[i + 1], lines[i + 2]) for i in range(len(lines) - 2) if lines[i] == "PUT"]


def truth(kvctl, endpoints, key, first, count):
    """What the store's own history says about `key`."""
    watch = Program([kvctl, "watch", key, "--rev", str(first)], endpoints)
    wait_until(lambda: len(events(watch.output())) >= count, WAIT_S, "the history")
    return events(watch.end()[1])


def test_watch_goes_on_after_a_restart(kvctl, server):
    with Cluster(server) as cluster:
        node = cluster.nodes[0]
        call(kvctl, cluster.endpoints, "put", "r", "0")
        watch = Program([kvctl, "watch", "r", "--rev", "2"], [node.endpoint])
        watch.wait_output("r\n0\n", "the first event")
        for round_number in range(1, 4):
            node.kill()
            node.start()
            node.wait_ready()
            put_until_taken(kvctl, [node.endpoint], "r", str(round_number))
            watch.wait_output(f"r\n{round_number}.", f"the event after restart {round_number}")
        seen = events(watch.end()[1])
        assert seen == truth(kvctl, [node.endpoint], "r", 2, len(seen)), seen


def test_watch_moves_to_another_member(kvctl, server):
    """The member is killed under the watch: which one, kvctl does not tell, so each in turn."""
    with Cluster(server, 3) as cluster:
        endpoints = [n.endpoint for n in cluster.nodes]
        call(kvctl, endpoints, "put", "m", "start")
        watch = Program([kvctl, "watch", "m", "--rev", "2"], endpoints)
        watch.wait_output("m\nstart\n", "the first event")
        for i, node in enumerate(cluster.nodes):
            node.kill()
            put_until_taken(kvctl, endpoints, "m", f"without-{i}")
            watch.wait_output(f"m\nwithout-{i}.", f"the event without member {i}")
            node.start()
            node.wait_ready()
        seen = events(watch.end()[1])
        assert seen == truth(kvctl, endpoints, "m", 2, len(seen)), seen


def test_reads_go_to_a_member_that_lives(kvctl, server):
    with Cluster(server, 3) as cluster:
        endpoints = [n.endpoint for n in cluster.nodes]
        call(kvctl, endpoints, "put", "k", "v")
        cluster.nodes[0].kill()
        for _ in range(6):
            assert call(kvctl, endpoints, "get", "k") == "k\nv\n"


def test_get_watch_has_no_gap(kvctl, server):
    """The list ends where the watch begins: every value is in one of them, none in both."""
    with Cluster(server) as cluster:
        writer = subprocess.Popen(
            ["sh", "-c", f'i=0; while [ $i -lt 60 ]; do i=$((i+1)); '
             f'ETCDCTL_ENDPOINTS={cluster.endpoints[0]} {kvctl} put g/$i $i >/dev/null; done'])
        try:
            time.sleep(0.3)  # somewhere in the middle; the result does not depend on where
            follow = Program([kvctl, "get", "g/", "--prefix", "--watch"], cluster.endpoints)
            writer.wait(60)
            follow.wait_output("g/60\n60\n", "the last key")
            lines = follow.end()[1].split("\n")
        finally:
            writer.kill()
            writer.wait()
        keys = [x for x in lines if x.startswith("g/")]
        assert sorted(keys, key=lambda k: int(k[2:])) == [f"g/{i}" for i in range(1, 61)], keys


def test_lock_waits_for_etcdctl(kvctl, server):
    with Cluster(server) as cluster:
        holder = Program(["etcdctl", "lock", "shared"], cluster.endpoints)
        holder.wait_output("shared/", "etcdctl's lock")
        waiter = Program([kvctl, "lock", "shared", "echo", "mine"], cluster.endpoints)
        wait_until(lambda: len(call(kvctl, cluster.endpoints, "get", "shared/", "--prefix",
                                    "--keys-only").split()) == 2, WAIT_S, "the second contender")
        assert waiter.output() == ""
        holder.end()
        waiter.wait_output("mine", "kvctl's turn")
        assert waiter.end()[0] == 0
        assert call(kvctl, cluster.endpoints, "get", "shared/", "--prefix") == ""


def test_etcdctl_waits_for_lock(kvctl, server):
    with Cluster(server) as cluster:
        holder = Program([kvctl, "lock", "shared"], cluster.endpoints)
        holder.wait_output("shared/", "kvctl's lock")
        waiter = Program(["etcdctl", "lock", "shared", "echo", "mine"], cluster.endpoints)
        wait_until(lambda: len(call(kvctl, cluster.endpoints, "get", "shared/", "--prefix",
                                    "--keys-only").split()) == 2, WAIT_S, "the second contender")
        status, _ = holder.end()
        assert status == 0, status
        waiter.wait_output("mine", "etcdctl's turn")


def test_lock_gives_up_its_place_when_interrupted(kvctl, server):
    with Cluster(server) as cluster:
        holder = Program([kvctl, "lock", "l"], cluster.endpoints)
        holder.wait_output("l/", "the lock")
        waiter = Program([kvctl, "lock", "l"], cluster.endpoints)
        keys = ["get", "l/", "--prefix", "--keys-only"]
        wait_until(lambda: len(call(kvctl, cluster.endpoints, *keys).split()) == 2, WAIT_S, "two")
        waiter.end()
        assert len(call(kvctl, cluster.endpoints, *keys).split()) == 1
        holder.end()
        assert call(kvctl, cluster.endpoints, *keys) == ""


def test_lease_keep_alive_outlives_its_ttl(kvctl, server):
    with Cluster(server) as cluster:
        lease = call(kvctl, cluster.endpoints, "lease", "grant", "2").split()[1]
        keeper = Program([kvctl, "lease", "keep-alive", lease], cluster.endpoints)
        call(kvctl, cluster.endpoints, "put", "alive", "1", "--lease", lease)
        wait_until(lambda: keeper.output().count("keepalived") >= 8, 30, "renewals")
        assert call(kvctl, cluster.endpoints, "get", "alive") == "alive\n1\n"
        call(kvctl, cluster.endpoints, "lease", "revoke", lease)
        keeper.wait_output("expired or revoked", "the end of the lease")
        assert keeper.p.wait(WAIT_S) == 0


def test_election_is_observed(kvctl, server):
    with Cluster(server) as cluster:
        observer = Program([kvctl, "elect", "-l", "e"], cluster.endpoints)
        first = Program([kvctl, "elect", "e", "one"], cluster.endpoints)
        observer.wait_output("one", "the first leader")
        second = Program(["etcdctl", "elect", "e", "two"], cluster.endpoints)
        wait_until(lambda: len(call(kvctl, cluster.endpoints, "get", "e/", "--prefix",
                                    "--keys-only").split()) == 2, WAIT_S, "the second candidate")
        assert "two" not in observer.output()
        first.end()
        observer.wait_output("two", "the second leader")
        second.wait_output("two", "etcdctl's victory")
        second.end()
        observer.end()


def test_interactive_watches_and_progress(kvctl, server):
    with Cluster(server) as cluster:
        session = Program([kvctl, "watch", "-i"], cluster.endpoints, stdin=True)
        call(kvctl, cluster.endpoints, "put", "i1", "a")
        session.p.stdin.write("watch i1 --rev 2\nwatch i2 --rev 2\n")
        session.p.stdin.flush()
        session.wait_output("PUT\ni1\na\n", "the event of the first watch")
        call(kvctl, cluster.endpoints, "put", "i2", "b")
        session.wait_output("PUT\ni2\nb\n", "the event of the second watch")
        session.p.stdin.write("progress\n")
        session.p.stdin.flush()
        session.wait_output("progress notify: 3\n", "progress")
        session.p.stdin.close()
        assert session.p.wait(WAIT_S) == 3


def check_snapshot_status(kvctl, path, of_etcd):
    """The formats are etcdctl's; the numbers those of the file."""
    def status(form):
        done = subprocess.run([kvctl, "-w", form, "snapshot", "status", path], text=True,
                              capture_output=True)
        return done.returncode, done.stdout, done.stderr

    if of_etcd:
        assert status("simple") == (1, "", f"Error: {path} is whole, but no snapshot of kvstored\n")
        return
    code, text, _ = status("json")
    found = json.loads(text)
    size = os.path.getsize(path)
    with open(path, "rb") as f:
        digest = hashlib.sha256(f.read()[:-32]).hexdigest()
    assert code == 0 and list(found) == ["hash", "revision", "totalKey", "totalSize"], text
    assert found["hash"] == int(digest[:8], 16) and found["revision"] == 3, text
    assert found["totalSize"] == size - 32 and found["totalKey"] >= 3, text
    kb = round((size - 32) / 1000)
    assert status("simple")[1] == f"{found['hash']:x}, 3, {found['totalKey']}, {kb} kB\n"
    assert status("fields")[1].splitlines() == [
        f'"Hash" : {found["hash"]}', '"Revision" : 3', f'"Keys" : {found["totalKey"]}',
        f'"Size" : {found["totalSize"]}']
    table = status("table")[1].splitlines()
    assert table[1].split() == "| HASH | REVISION | TOTAL KEYS | TOTAL SIZE |".split(), table
    assert table[3].split("|")[2].strip() == "3" and table[3].split("|")[4].strip() == f"{kb} kB"
    assert status("protobuf")[0] == 4


def test_protobuf_of_leases(kvctl, server):
    """Where etcdctl writes the header in place of the message."""
    def message(name, *args):
        done = subprocess.run([kvctl, "--endpoints", ",".join(cluster.endpoints), "-w", "protobuf",
                               *args], capture_output=True, check=True)
        return (MESSAGES.get(name) or getattr(rpc, name)).FromString(done.stdout)

    with Cluster(server) as cluster:
        granted = message("LeaseGrantResponse", "lease", "grant", "300")
        assert granted.header.member_id and granted.ID and granted.TTL == 300
        lease = f"{granted.ID:x}"
        call(kvctl, cluster.endpoints, "put", "leased", "v", f"--lease={lease}")
        ttl = message("LeaseTimeToLiveResponse", "lease", "timetolive", lease, "--keys")
        assert ttl.ID == granted.ID and ttl.grantedTTL == 300 and list(ttl.keys) == [b"leased"]
        kept = message("LeaseKeepAliveResponse", "lease", "keep-alive", "--once", lease)
        assert kept.ID == granted.ID and kept.TTL == 300
        listed = message("LeaseLeasesResponse", "lease", "list")
        assert [one.ID for one in listed.leases] == [granted.ID]
        assert message("LeaseRevokeResponse", "lease", "revoke", lease).header.revision == 3


def test_completion_knows_the_formats(kvctl, _):
    script = ('eval "$("$0" completion bash)"; COMP_WORDS=(kvctl -w "$1"); COMP_CWORD=2; _kvctl; '
              'echo "${COMPREPLY[*]}"; COMP_WORDS=(kvctl -w json lease ""); COMP_CWORD=4; _kvctl; '
              'echo "${COMPREPLY[*]}"')
    done = subprocess.run(["bash", "-c", script, kvctl, "p"], text=True, capture_output=True,
                          check=True)
    formats, commands = done.stdout.splitlines()
    assert formats == "protobuf" and "grant" in commands.split(), done.stdout


def test_snapshot_is_checked(kvctl, server):
    with Cluster(server) as cluster:
        call(kvctl, cluster.endpoints, "put", "s", "x" * 100000)
        path = os.path.join(cluster.folder, "s.db")
        call(kvctl, cluster.endpoints, "put", "s", "y" * 100000)
        call(kvctl, cluster.endpoints, "snapshot", "save", path)
        check_snapshot_status(kvctl, path, is_etcd(server))
        with open(path, "r+b") as f:
            f.seek(5000)
            f.write(b"\xff\x00\xff")
        done = subprocess.run([kvctl, "snapshot", "status", path], text=True, capture_output=True)
        assert done.returncode == 1 and "checksum" in done.stderr, done.stderr


def test_nobody_there(kvctl, server):
    """Readable, in time, and not 0."""
    begin = time.monotonic()
    done = subprocess.run([kvctl, "--endpoints", "127.0.0.1:1", "get", "k"], text=True,
                          capture_output=True, timeout=30)
    assert done.returncode == 1 and "cannot reach 127.0.0.1:1" in done.stderr, done
    assert time.monotonic() - begin < 10


def run(kvctl, server):
    failed = 0
    tests = [f for name, f in globals().items() if name.startswith("test_")]
    for test in tests:
        try:
            test(kvctl, server)
            print(f"ok {test.__name__}")
        except Exception:  # each test is reported by itself
            failed += 1
            print(f"FAILED {test.__name__}")
            traceback.print_exc()
    print(f"follow: {len(tests) - failed} of {len(tests)} passed")
    return failed
