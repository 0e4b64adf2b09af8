"""SIGSTOP: a node that is there and does nothing is worse than one that is gone."""
from harness.api import Client
from harness.load import Follower, Load, check_cluster, leader_of
from harness.processes import Cluster, wait_until

from .scenario import scenario


@scenario
def leader_stopped_and_resumed(server):
    """While the leader is stopped the others elect; when it wakes it must not answer from before."""
    with Cluster(server, 3) as c:
        old = leader_of(c.nodes)
        others = [n for n in c.nodes if n is not old]
        with Load([n.endpoint for n in others]) as load, Follower([n.endpoint for n in others]) as follower:
            load.wait_acks(100)
            old.pause()
            try:
                new = leader_of(others)
                load.wait_acks(200)
                with Client(new.endpoint) as client:
                    revision = client.call("Put", key=b"load/fence", value=b"new").header.revision
            finally:
                old.resume()
            with Client(old.endpoint) as client:
                def read():
                    try:
                        return client.call("Range", key=b"load/fence", timeout_s=8.0)
                    except Exception:
                        return None

                reply = wait_until(read, 30, "an answer of the old leader")
                assert reply.kvs and reply.kvs[0].value == b"new", "a stale read after the pause"
                assert reply.header.revision >= revision
            load.stop()
            wait_until(old.health, 30, "the old leader healthy")
            check_cluster(c, load, follower)
    assert new is not old
    return f"{len(load.acks)} writes"


@scenario
def follower_stopped_and_resumed(server):
    with Cluster(server, 3) as c:
        leader = leader_of(c.nodes)
        stopped = next(n for n in c.nodes if n is not leader)
        others = [n for n in c.nodes if n is not stopped]
        with Load([n.endpoint for n in others]) as load:
            load.wait_acks(100)
            stopped.pause()
            try:
                load.wait_acks(500)
            finally:
                stopped.resume()
            load.stop()
            wait_until(stopped.health, 30, "the follower healthy")
            check_cluster(c, load)
        assert leader_of(c.nodes) is leader, "a follower's pause changed the leader"
