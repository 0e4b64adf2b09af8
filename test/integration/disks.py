"""A full disk stops the node that has it, and nothing else; damage is refused."""
import contextlib
import os
import shutil
import subprocess
import time

from harness.api import Client, RpcError
from harness.load import check_hashes, leader_of
from harness.processes import Cluster, is_etcd, wait_until

from .scenario import Skip, scenario


@contextlib.contextmanager
def small_disk(folder, megabytes):
    os.makedirs(folder)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def grow_disk(folder, megabytes):
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", folder], check=True)


@scenario
def full_disk_of_a_follower(server):
    if os.geteuid() != 0:
        raise Skip("mounting a small file system needs root")
    with Cluster(server, 3, ["--quota-backend-bytes=2000000000"], start=False) as c:
        with small_disk(c.nodes[2].data_dir, 200):
            c.start()
            leader = leader_of(c.nodes)
            if leader is c.nodes[2]:
                with Client(leader.endpoint) as client, Client(c.nodes[0].endpoint) as other:
                    client.call("MoveLeader", targetID=other.call("Status").header.member_id)
                leader = wait_until(lambda: (lambda n: n if n is not c.nodes[2] else None)(leader_of(c.nodes)), 20,
                                    "another leader")
            acked = fill(c, leader)
            full = c.nodes[2]
            full.kill()
            grow_disk(full.data_dir, 1500)
            full.start()
            full.wait_ready()
            check_values(full, acked)
            check_hashes(c, acked[-1][1])
    return f"{len(acked)} MiB written, the node ended by itself"


def fill(cluster, leader):
    """Writes 1 MiB values until the node with the small disk has stopped; the others must go on."""
    acked = []
    after = 0
    with Client(leader.endpoint) as client:
        for i in range(600):
            reply = client.call("Put", timeout_s=20.0, key=b"big/%03d" % i, value=b"%03d" % i + b"x" * 1000000)
            acked.append((b"big/%03d" % i, reply.header.revision))
            after += not cluster.nodes[2].is_running()
            if after > 5:
                return acked
    raise AssertionError("600 MB on a disk of 200 MB, and the node still runs")


def check_values(node, acked):
    with Client(node.endpoint) as client:
        for key, revision in acked:
            reply = client.call("Range", key=key)
            assert reply.kvs[0].mod_revision == revision and reply.kvs[0].value[:3] == key[-3:]


@scenario
def damaged_log_is_refused(server):
    """A byte in the middle of acknowledged entries changes on disk: the node says so and does not
    start; it does not cut what was acknowledged."""
    with Cluster(server, 1) as c:
        node = c.nodes[0]
        with Client(node.endpoint) as client:
            for i in range(200):
                client.call("Put", key=b"k%03d" % i, value=b"needle-in-the-log-%03d" % i)
        node.kill()
        damaged = damage(node.data_dir, b"needle-in-the-log-100")
        if not damaged:
            raise Skip("the entry stands nowhere as plain bytes")
        node.start()

        def ended():
            assert not node.health(0.2), "the node serves from a damaged log"
            return not node.is_running()

        wait_until(ended, 30, "the refusal")


def damage(folder, needle):
    """Flips a byte wherever the needle stands in a write-ahead log. Returns the files."""
    found = []
    for where, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(where, name)
            if name.endswith((".mdb", "db")) or os.path.getsize(path) == 0:
                continue
            with open(path, "r+b") as f:
                data = f.read()
                at = data.find(needle)
                if at >= 0:
                    f.seek(at)
                    f.write(bytes([data[at] ^ 0x20]))
                    found.append(path)
    return found


@scenario
def torn_tail_is_cut(server):
    """The last write of a process that died may be half on disk. It was not acknowledged: the node
    starts without it, and everything before is there."""
    if is_etcd(server):
        raise Skip("how much of a tail etcd forgives is not ours to test")
    with Cluster(server, 1) as c:
        node = c.nodes[0]
        with Client(node.endpoint) as client:
            for i in range(50):
                client.call("Put", key=b"k%02d" % i, value=b"needle-in-the-log-%02d" % i)
        for length in (1, 7, 100, 3000):
            node.kill()
            if not tear(node.data_dir, b"needle-in-the-log-49", length):
                raise Skip("the last entry stands nowhere as plain bytes")
            node.start()
            node.wait_ready()
            with Client(node.endpoint) as client:
                assert client.call("Range", key=b"k", range_end=b"l", count_only=True).count == 50


def tear(folder, last, length):
    """Writes the beginning of a record that is none into the empty space after the last one."""
    for where, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(where, name)
            if name.endswith(".mdb") or os.path.getsize(path) == 0:
                continue
            with open(path, "r+b") as f:
                data = f.read()
                at = data.rfind(last)
                if at < 0:
                    continue
                end = data.find(b"\0" * 64, at)
                # The end of what was written, at the alignment of records.
                end = len(data.rstrip(b"\0")) if end < 0 else end
                f.seek((end + 7) // 8 * 8)
                f.write(bytes(i % 255 + 1 for i in range(length)))
                return True
    return False


@scenario
def node_of_another_cluster_is_refused(server):
    """A node with the right addresses and another cluster's id gets neither entries nor votes."""
    with Cluster(server, 3) as c:
        stranger = c.nodes[2]
        stranger.kill()
        shutil.rmtree(stranger.data_dir)
        stranger.token = "another-cluster"
        with Client(leader_of(c.nodes).endpoint) as client:
            client.call("Put", key=b"secret", value=b"1")
            stranger.start()
            end = time.monotonic() + 4
            while time.monotonic() < end and stranger.is_running():
                assert not stranger.health(0.5), "a stranger became a healthy member"
                time.sleep(0.1)
            client.call("Put", key=b"secret", value=b"2")
        if stranger.is_running():
            with Client(stranger.endpoint) as client:
                try:
                    reply = client.call("Range", key=b"secret", serializable=True, timeout_s=2)
                    assert reply.count == 0, "the stranger has the cluster's data"
                except RpcError:
                    pass
