"""Cluster, Maintenance and the health service, on one member."""
from .steps import R, call, case, compact, fill, grant, put, puts, rng, snapshot, txn

case("cluster/member list", call("MemberList"))
case("cluster/member list linearizable", call("MemberList", linearizable=True))
case("cluster/add bad url", call("MemberAdd", peerURLs=["127.0.0.1:1234"]))
case("cluster/add no url", call("MemberAdd"))
case("cluster/add url with a path", call("MemberAdd", peerURLs=["http://127.0.0.1:1234/path"]))
case("cluster/add url without port", call("MemberAdd", peerURLs=["http://127.0.0.1"]))
case("cluster/add url of another scheme", call("MemberAdd", peerURLs=["ftp://127.0.0.1:1234"]))
case("cluster/remove unknown", call("MemberRemove", ID=12345))
case("cluster/update unknown", call("MemberUpdate", ID=12345, peerURLs=["http://127.0.0.1:1235"]))
case("cluster/update bad url", call("MemberUpdate", ID=12345, peerURLs=["nonsense"]))
case("cluster/promote unknown", call("MemberPromote", ID=12345))

case("maintenance/status", call("Status"))
case("maintenance/alarms, none", call("Alarm", action=0, memberID=0, alarm=0))
case("maintenance/deactivate what is not there", call("Alarm", action=2, memberID=5, alarm=1))
case("maintenance/activate and list", call("Alarm", action=1, memberID=77, alarm=1), call("Alarm", action=0),
     put(b"a"), rng(b"a"), txn([], [put(b"a")]), call("LeaseGrant", TTL=10, ID=99),
     call("Alarm", action=2, memberID=77, alarm=1), call("Alarm", action=0), put(b"a"), group="alarm")
case("maintenance/defragment", put(b"a"), call("Defragment"), rng(b"a"))
case("maintenance/hash", put(b"a"), call("Hash"))
case("maintenance/hash of a revision", *puts(b"a", b"b"), call("HashKV", revision=R(1)))
case("maintenance/hash of now", put(b"a"), call("HashKV", revision=0))
case("maintenance/hash before any compaction", put(b"a"), call("HashKV", revision=0), group="hash")
case("maintenance/hash after the first compaction", *puts(b"a", b"b"), compact(R(1), physical=True),
     call("HashKV", revision=0), group="hash")
case("maintenance/hash of the future", put(b"a"), call("HashKV", revision=R(5)))
case("maintenance/hash of a compacted revision", *puts(b"a", b"b", b"c"), compact(R(2)),
     call("HashKV", revision=R(1)))
case("maintenance/hash tells the compacted revision", *puts(b"a", b"b", b"c"), compact(R(2), physical=True),
     call("HashKV", revision=R(3)))
case("maintenance/move leader to nobody", call("MoveLeader", targetID=12345))
case("maintenance/snapshot", *puts(b"a", b"b"), snapshot())
case("maintenance/quota", fill(1000000, 40), put(b"n", b"x"), txn(then=[put(b"n", b"x")]), grant(1),
     call("Alarm", action=0), group="quota", flags=("--quota-backend-bytes=5000000",))

case("health/check", call("HealthCheck"))
case("health/check of an unknown service", call("HealthCheck", service="nothing"))
