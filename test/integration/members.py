"""Membership: growing from one, learners, removal of the leader, shrinking to one."""
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


def join(cluster, by, learner=False):
    """A new node, added through `by` and started. Returns it and its id."""
    running = [n for n in cluster.nodes if n.is_running()]
    node = cluster.add_node(running)
    reply = try_call(by, "MemberAdd", peerURLs=[node.peer_url], isLearner=learner)
    assert reply.member.isLearner == learner and reply.member.name == ""
    assert len(reply.members) == len(running) + 1
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
