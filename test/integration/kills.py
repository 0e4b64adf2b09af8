"""kill -9: of the leader, of random nodes, of all; and the orderly end."""
import random
import signal

from harness.api import Client
from harness.load import Follower, Load, Verified, check_cluster, leader_of
from harness.processes import Cluster, is_etcd

from .scenario import SLOW, rounds, scenario, seed

ELECTION_TIMEOUT_S = 1.0


@scenario
def one_node_killed_under_load(server):
    with Cluster(server, 1) as c:
        node = c.nodes[0]
        with Load([node.endpoint]) as load, Follower([node.endpoint]) as follower:
            for _ in range(rounds(5)):
                load.wait_acks(200)
                node.kill()
                node.start()
                node.wait_ready()
            load.wait_acks(50)
            load.stop()
            check_cluster(c, load, follower)
        return f"{len(load.acks)} writes, {node.starts} starts"


@scenario
def leader_killed_under_load(server):
    gaps = []
    with Cluster(server, 3) as c:
        with Load(c.endpoints) as load, Follower(c.endpoints) as follower:
            for _ in range(3):
                load.wait_acks(200)
                leader = leader_of(c.nodes)
                begin = load.acks[-1].at
                leader.kill()
                load.wait_acks(100)
                gaps.append(load.longest_gap_s(begin))
                leader.start()
                leader.wait_ready()
            load.stop()
            check_cluster(c, load, follower)
    worst = max(gaps)
    assert worst < 2 * ELECTION_TIMEOUT_S * SLOW, f"writes stood still for {worst:.2f} s"
    return f"{len(load.acks)} writes, longest standstill {worst:.2f} s"


@scenario
def leader_killed_under_many_clients(server):
    """500 clients, each with a write on its way when the leader dies."""
    with Cluster(server, 3) as c:
        with Load(c.endpoints, n=500, timeout_s=10.0) as load, Follower(c.endpoints) as follower:
            load.wait_acks(2000, timeout_s=60)
            leader = leader_of(c.nodes)
            begin = load.acks[-1].at
            leader.kill()
            load.wait_acks(1000, timeout_s=60)
            gap = load.longest_gap_s(begin)
            leader.start()
            leader.wait_ready()
            load.wait_acks(500, timeout_s=60)
            load.stop()
            check_cluster(c, load, follower)
    assert gap < 2 * ELECTION_TIMEOUT_S * SLOW, f"writes stood still for {gap:.2f} s"
    return f"{len(load.acks)} writes, standstill {gap:.2f} s"


@scenario
def random_kills(server):
    s = seed()
    chance = random.Random(s)
    print(f"seed {s}", flush=True)
    n = rounds(6)
    verified = Verified()
    with Cluster(server, 3) as c:
        with Load(c.endpoints) as load, Follower(c.endpoints) as follower:
            for _ in range(n):
                load.wait_acks(chance.randrange(20, 200), timeout_s=60)
                victims = chance.sample(c.nodes, chance.choice((1, 1, 1, 2, 3)))
                for node in victims:
                    node.kill()
                for node in victims:
                    node.start()
                for node in victims:
                    node.wait_ready()
                verified.advance(c, load)
            load.wait_acks(50)
            load.stop()
            assert check_cluster(c, load, follower)[:len(verified.events)] == verified.events
    return f"{n} rounds, {len(load.acks)} writes, seed {s}"


@scenario
def all_killed_and_restarted(server):
    with Cluster(server, 3) as c:
        with Load(c.endpoints) as load, Follower(c.endpoints) as follower:
            for _ in range(2):
                load.wait_acks(300)
                for node in c.nodes:
                    node.kill()
                c.start()
            load.wait_acks(100)
            load.stop()
            check_cluster(c, load, follower)
    return f"{len(load.acks)} writes"


@scenario
def minority_killed_is_not_noticed(server):
    """Without one follower nothing fails; without two no write is acknowledged, but reads that do
    not ask the others are answered."""
    with Cluster(server, 3) as c:
        leader = leader_of(c.nodes)
        first, second = [n for n in c.nodes if n is not leader]
        first.kill()
        with Client(leader.endpoint) as client:
            client.call("Put", key=b"load/a", value=b"1")
            second.kill()
            try:
                client.call("Put", timeout_s=2.0, key=b"load/a", value=b"2")
                raise AssertionError("a write was acknowledged without a majority")
            except AssertionError:
                raise
            except Exception:
                pass
            assert client.call("Range", key=b"load/a", serializable=True).kvs[0].value == b"1"
            first.start()
            first.wait_ready()
            client.call("Put", timeout_s=20.0, key=b"load/b", value=b"3")


@scenario
def leader_ends_in_order(server):
    """SIGTERM: leadership is handed over, the process ends with 0, writes go on at once."""
    with Cluster(server, 3) as c:
        with Load(c.endpoints) as load, Follower(c.endpoints) as follower:
            load.wait_acks(200)
            leader = leader_of(c.nodes)
            begin = load.acks[-1].at
            status = leader.stop()
            load.wait_acks(100)
            gap = load.longest_gap_s(begin)
            leader.start()
            leader.wait_ready()
            load.stop()
            check_cluster(c, load, follower)
    # etcd ends by the signal itself after it has cleaned up.
    allowed = (0, -signal.SIGTERM) if is_etcd(server) else (0,)
    assert status in allowed, f"exit status {status}"
    return f"standstill {gap:.2f} s"


@scenario
def follower_far_behind(server):
    """A follower that was away for longer than the log reaches gets a snapshot, and has it all."""
    flags = ["--snapshot-count=100"]
    with Cluster(server, 3, flags) as c:
        leader = leader_of(c.nodes)
        away = next(n for n in c.nodes if n is not leader)
        with Load([n.endpoint for n in c.nodes if n is not away], n=24, value_bytes=512) as load:
            load.wait_acks(100)
            away.kill()
            # etcd keeps 5,000 entries for followers, whatever the count of snapshots.
            load.wait_acks(6500, timeout_s=120)
            away.start()
            away.wait_ready()
            load.wait_acks(100)
            load.stop()
            check_cluster(c, load)
    return f"{len(load.acks)} writes"


@scenario
def snapshot_and_kill_of_the_receiver(server):
    """The receiver of a snapshot dies while it comes, twice, and still ends up with everything."""
    with Cluster(server, 3, ["--snapshot-count=100"]) as c:
        leader = leader_of(c.nodes)
        away = next(n for n in c.nodes if n is not leader)
        with Load([n.endpoint for n in c.nodes if n is not away], n=24, value_bytes=4096) as load:
            load.wait_acks(100)
            away.kill()
            load.wait_acks(6500, timeout_s=120)
            for _ in range(2):
                away.start()
                load.wait_acks(30)
                away.kill()
            away.start()
            away.wait_ready()
            load.stop()
            check_cluster(c, load)
