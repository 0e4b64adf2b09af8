"""Membership: growing from one, learners, removal of the leader, shrinking to one, replacing all."""
import time

from harness.api import Client, RpcError
from harness.load import Load, check_cluster, leader_of
from harness.processes import Cluster, wait_until

from .scenario import scenario


def member_id(node):
    with Client(node.endpoint) as client:
        return client.call("Status").header.member_id


def try_call(node, method, **fields):
    """Membership changes are refused while the cluster settles (etcd: unhealthy cluster)."""
    def attempt():
        try:
            with Client(node.endpoint) as client:
                return client.call(method, timeout_s=10.0, **fields)
        except RpcError as e:
            last.append(f"{e.code}: {e.text}")
            return None

    last = []
    try:
        return wait_until(attempt, 40, method, 0.2)
    except TimeoutError as e:
        raise TimeoutError(f"{e}; first {last[0]}, last {last[-1]}") from None


def join(cluster, by, learner=False, members=None):
    """A new node, added through `by` and started. Returns it and its id. `members`: if not all of them run."""
    node = cluster.add_node(members or [n for n in cluster.nodes if n.is_running()])
    before = len(try_call(by, "MemberList").members)
    reply = try_call(by, "MemberAdd", peerURLs=[node.peer_url], isLearner=learner)
    assert reply.member.isLearner == learner and reply.member.name == ""
    assert len(reply.members) == before + 1
    node.start()
    return node, reply.member.ID


@scenario
def grows_from_one_to_three(server):
    with Cluster(server, 1) as c:
        first = c.nodes[0]
        with Load([first.endpoint]) as load:
            load.wait_acks(100)
            for _ in range(2):
                node, _ = join(c, first)
                node.wait_ready()
                load.wait_acks(50)
            load.stop()
            check_cluster(c, load)
        with Client(first.endpoint) as client:
            members = client.call("MemberList").members
        assert sorted(m.name for m in members) == ["n1", "n2", "n3"]
        first.kill()
        with Client(leader_of(c.nodes).endpoint) as client:
            client.call("Put", key=b"after", value=b"1")


@scenario
def learner_is_promoted(server):
    with Cluster(server, 3) as c:
        leader = leader_of(c.nodes)
        with Load([leader.endpoint]) as load:
            load.wait_acks(300)
            node, node_id = join(c, leader, learner=True)

            def refused_or_served():
                try:
                    with Client(node.endpoint) as client:
                        client.call("Range", key=b"a", timeout_s=2.0)
                    raise AssertionError("a learner answered a linearizable read")
                except RpcError as e:
                    return e.text == "etcdserver: rpc not supported for learner"

            wait_until(refused_or_served, 30, "the learner's refusal")
            try_call(leader, "MemberPromote", ID=node_id)
            node.wait_ready()
            load.wait_acks(50)
            load.stop()
            check_cluster(c, load)
        with Client(leader.endpoint) as client:
            assert not any(m.isLearner for m in client.call("MemberList").members)


@scenario
def leader_is_removed(server):
    with Cluster(server, 3) as c:
        leader = leader_of(c.nodes)
        others = [n for n in c.nodes if n is not leader]
        with Load([n.endpoint for n in others]) as load:
            load.wait_acks(100)
            try_call(others[0], "MemberRemove", ID=member_id(leader))
            wait_until(lambda: not leader.is_running(), 30, "the end of the removed member")
            load.wait_acks(100)
            load.stop()
            check_cluster(c, load)
        assert leader_of(others) in others


@scenario
def shrinks_to_one_and_grows(server):
    with Cluster(server, 3) as c:
        keeper = leader_of(c.nodes)
        gone = [n for n in c.nodes if n is not keeper]
        with Load([keeper.endpoint]) as load:
            load.wait_acks(50)
            for node in gone:
                try_call(keeper, "MemberRemove", ID=member_id(node))
                wait_until(lambda n=node: not n.is_running(), 30, "the end of the removed member")
                load.wait_acks(50)
            node, _ = join(c, keeper)
            node.wait_ready()
            load.wait_acks(50)
            load.stop()
            check_cluster(c, load)


@scenario
def a_dead_member_is_replaced(server):
    with Cluster(server, 3) as c:
        leader = leader_of(c.nodes)
        dead = next(n for n in c.nodes if n is not leader)
        dead_id = member_id(dead)
        with Load([leader.endpoint]) as load:
            load.wait_acks(100)
            dead.kill()
            try_call(leader, "MemberRemove", ID=dead_id)
            node, _ = join(c, leader)
            node.wait_ready()
            load.wait_acks(50)
            load.stop()
            check_cluster(c, load)
            # The one that was removed may not come back with its old data.
            dead.start()
            wait_until(lambda: not dead.is_running(), 30, "the end of the removed member")


@scenario
def leadership_is_moved(server):
    with Cluster(server, 3) as c:
        leader = leader_of(c.nodes)
        target = next(n for n in c.nodes if n is not leader)
        with Load(c.endpoints) as load:
            load.wait_acks(100)
            with Client(target.endpoint) as client:
                try:
                    client.call("MoveLeader", targetID=member_id(target))
                    raise AssertionError("a follower moved the leadership")
                except RpcError as e:
                    assert e.text == "etcdserver: not leader", e
            with Client(leader.endpoint) as client:
                client.call("MoveLeader", targetID=member_id(target))
            wait_until(lambda: leader_of(c.nodes) is target, 20, "the move")
            load.wait_acks(100)
            load.stop()
            check_cluster(c, load)


def answers_reads(node):
    """A linearizable read: it follows a leader, and is no learner (any more)."""
    try:
        with Client(node.endpoint) as client:
            client.call("Range", key=b"a", timeout_s=2.0)
        return True
    except RpcError:
        return False


def wait_voter(node):
    wait_until(lambda: answers_reads(node), 60, f"{node.name} answers reads")


@scenario
def restarted_right_after_member_add(server):
    """One voter becomes two and is killed before its store has the new one: its log names it."""
    for delay_s in (0.0, 0.1, 0.3):
        with Cluster(server, 1) as c:
            first = c.nodes[0]
            with Load([first.endpoint]) as load:
                load.wait_acks(50)
                node, _ = join(c, first)
                wait_voter(node)
                time.sleep(delay_s)  # the moment of the fault, nothing that is awaited
                first.kill()
                first.start()
                for n in c.nodes:
                    n.wait_ready()
                    wait_voter(n)
                load.wait_acks(50)
                load.stop()
                check_cluster(c, load)


def sleeper_among_strangers(server, value_bytes, writes, flags=()):
    """Three members; one sleeps while the other two are replaced one by one, and wakes up to a cluster
    in which it knows nobody."""
    with Cluster(server, 3, ["--strict-reconfig-check=false", *flags]) as c:
        sleeper = next(n for n in c.nodes if n is not leader_of(c.nodes))
        old = [n for n in c.nodes if n is not sleeper]
        new = []
        with Load([n.endpoint for n in old], prefix=b"load/old/") as load:
            load.wait_acks(100)
            sleeper.kill()
            for gone in old:
                running = [n for n in c.nodes if n.is_running()]
                node, _ = join(c, leader_of(running), members=[sleeper] + running)
                wait_voter(node)
                new.append(node)
                try_call(node, "MemberRemove", ID=member_id(gone))
                wait_until(lambda n=gone: not n.is_running(), 30, "the end of the removed member")
        with Load([n.endpoint for n in new], prefix=b"load/new/", value_bytes=value_bytes) as load:
            load.wait_acks(writes, 120)
            assert leader_of(new) in new
            sleeper.start()
            sleeper.wait_ready()
            wait_voter(sleeper)
            # It votes and is heard: with one of the two down it is the majority's half.
            leader_of(new).kill()
            load.wait_acks(50)
            load.stop()
            alive = [n for n in new if n.is_running()]
            assert len(alive) == 1 and leader_of([sleeper] + alive) is not None
            check_cluster(c, load)


@scenario
def sleeper_wakes_among_new_members(server):
    sleeper_among_strangers(server, 64, 200)


@scenario
def sleeper_gets_a_snapshot_from_new_members(server):
    sleeper_among_strangers(server, 16384, 3000, ["--snapshot-count=100"])
