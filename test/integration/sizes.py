"""Requests far above the default limit: replicated, logged, caught up with and recovered whole."""
import random

from harness.api import Client, RpcError
from harness.load import check_hashes, leader_of
from harness.processes import Cluster, is_etcd, wait_until

from .scenario import scenario, seed

MIB = 1 << 20
FLAGS = ("--max-request-bytes", str(16 * MIB))
PUT_S = 60.0


def connect(node):
    """A client whose connection stands: a node that takes in large entries accepts slowly."""
    def answers():
        try:
            return client.call("Status", timeout_s=PUT_S)
        except RpcError:
            return None

    client = Client(node.endpoint)
    wait_until(answers, PUT_S, f"an answer of {node.name}")
    return client


def put(client, key, value):
    return client.call("Put", key=key, value=value, timeout_s=PUT_S).header.revision


def check_values(cluster, values):
    for node in cluster.nodes:
        with connect(node) as client:
            for key, value in values.items():
                kvs = client.call("Range", key=key, timeout_s=PUT_S).kvs
                assert len(kvs) == 1 and kvs[0].value == value, f"{node.name} has another {key}"


@scenario
def large_requests_survive_everything(server):
    """12 MiB each, by the leader and by a follower; a follower that was away; a restart of all."""
    chance = random.Random(seed())
    values = {b"large/%d" % i: chance.randbytes(12 * MIB) for i in range(5)}
    keys = list(values)
    with Cluster(server, 3, flags=FLAGS) as c:
        leader = leader_of(c.nodes)
        follower, away = (n for n in c.nodes if n is not leader)
        with connect(leader) as by_leader, connect(follower) as by_follower:
            put(by_leader, keys[0], values[keys[0]])
            put(by_follower, keys[1], values[keys[1]])
            away.kill()
            for key in keys[2:4]:
                put(by_leader, key, values[key])
            revision = put(by_follower, keys[4], values[keys[4]])
            try:
                put(by_leader, b"too large", bytes(16 * MIB + 1))
                raise AssertionError("a request above the limit was taken")
            except RpcError as e:
                assert e.text == "etcdserver: request is too large", e
        away.start()
        away.wait_ready()
        check_values(c, values)
        for node in c.nodes:
            node.kill()
        c.start()
        check_values(c, values)
        check_hashes(c, revision)


@scenario
def request_limit_has_a_maximum(server):
    """Refused at start, with words, rather than entry by entry later."""
    if is_etcd(server):
        return "etcd takes any value"
    with Cluster(server, 1, flags=("--max-request-bytes", str(32 * MIB + 1)), start=False) as c:
        node = c.nodes[0]
        node.start()
        assert node.process.wait(20) != 0
        assert f"--max-request-bytes[{32 * MIB + 1}] is above" in node.log_tail(), node.log_tail()
        node.process = None
    with Cluster(server, 1, flags=("--max-request-bytes", str(32 * MIB))) as c:
        with Client(c.nodes[0].endpoint) as client:
            value = bytes(32 * MIB - 1024)
            put(client, b"largest", value)
            assert client.call("Range", key=b"largest", timeout_s=PUT_S).kvs[0].value == value
    return ""
