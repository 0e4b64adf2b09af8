"""Leases across the death of the leader: kept alive they stay, else they go, not too early."""
import time

from harness.api import Client
from harness.load import leader_of
from harness.processes import Cluster, wait_until

from .scenario import SLOW, scenario


@scenario
def lease_outlives_the_leader(server):
    ttl = 8
    with Cluster(server, 3) as c:
        leader = leader_of(c.nodes)
        others = [n for n in c.nodes if n is not leader]
        with Client(others[0].endpoint) as client:
            client.call("LeaseGrant", ID=100, TTL=ttl)
            client.call("LeaseGrant", ID=200, TTL=600)
            client.call("Put", key=b"short", value=b"1", lease=100)
            granted = time.monotonic()
            client.call("Put", key=b"long", value=b"1", lease=200)
            leader.kill()
            leader_of(others + [leader])

            def gone():
                return client.call("Range", key=b"short", timeout_s=10).count == 0

            wait_until(gone, ttl * 2 + 10 * SLOW, "the expiry")
            lived = time.monotonic() - granted
            assert lived >= ttl - 0.5, f"gone after {lived:.1f} s, granted for {ttl}"
            assert client.call("Range", key=b"long").count == 1
            left = client.call("LeaseTimeToLive", ID=200, keys=True)
            assert 500 < left.TTL <= 600 and list(left.keys) == [b"long"]
    return f"expired after {lived:.1f} s"


@scenario
def keepalive_through_a_follower(server):
    with Cluster(server, 3) as c:
        leader = leader_of(c.nodes)
        follower = next(n for n in c.nodes if n is not leader)
        with Client(follower.endpoint) as client:
            client.call("LeaseGrant", ID=300, TTL=3)
            client.call("Put", key=b"kept", value=b"1", lease=300)
            stream = client.keepalive()
            end = time.monotonic() + 7
            while time.monotonic() < end:
                stream.keep_alive(300)
                reply = stream.receive(5.0)
                assert reply.TTL == 3, reply
                time.sleep(0.5)
            assert client.call("Range", key=b"kept").count == 1
            stream.close()
            wait_until(lambda: client.call("Range", key=b"kept").count == 0, 15 + 5 * SLOW, "the expiry")


@scenario
def all_keys_of_a_lease_go_in_one_revision(server):
    with Cluster(server, 1) as c, Client(c.nodes[0].endpoint) as client:
        client.call("LeaseGrant", ID=400, TTL=2)
        for i in range(500):
            last = client.call("Put", key=b"l/%03d" % i, value=b"1", lease=400).header.revision
        stream = client.watch()
        stream.create(key=b"l/", range_end=b"l0", start_revision=last + 1)
        assert stream.receive(5.0).created
        response = stream.receive(30.0)
        assert len(response.events) == 500
        assert {e.kv.mod_revision for e in response.events} == {last + 1}
        assert [e.kv.key for e in response.events] == sorted(e.kv.key for e in response.events)
        stream.close()
