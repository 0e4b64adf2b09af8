"""Lease: grant, revoke, keep alive, time to live, expiry, and the keys attached."""
from .steps import (L, R, case, delete, grant, keepalive, leases, put, revoke, rng, ttl, txn, wait_gone)

case("lease/grant", grant(L(1), ttl=60))
case("lease/grant id taken", grant(L(1)), grant(L(1)))
case("lease/grant id chosen by the server", grant(0, ttl=60))
case("lease/grant makes no revision", grant(L(1)), put(b"a"), rng(b"a"))
case("lease/ttl too large", grant(L(1), ttl=9000000001))
case("lease/largest ttl", grant(L(1), ttl=9000000000), revoke(L(1)))
case("lease/ttl 1 is raised", grant(L(1), ttl=1))
case("lease/ttl 0", grant(L(1), ttl=0))
case("lease/ttl negative", grant(L(1), ttl=-7))
case("lease/ttl 2", grant(L(1), ttl=2))
case("lease/negative id", grant(-5, ttl=60), ttl(-5), revoke(-5))
case("lease/revoke", grant(L(1)), revoke(L(1)), ttl(L(1)))
case("lease/revoke unknown", revoke(L(1)))
case("lease/revoke zero", revoke(0))
case("lease/revoke twice", grant(L(1)), revoke(L(1)), revoke(L(1)))
case("lease/revoke without keys makes no revision", grant(L(1)), revoke(L(1)), put(b"a"), rng(b"a"))
case("lease/revoke deletes keys in one revision", grant(L(1)), put(b"b", b"1", lease=L(1)),
     put(b"a", b"2", lease=L(1)), put(b"c"), revoke(L(1)), rng(b"a", b"z"), put(b"d"), rng(b"d"))
case("lease/revoke leaves detached keys", grant(L(1)), put(b"a", b"1", lease=L(1)), put(b"a", b"2"), revoke(L(1)),
     rng(b"a"))
case("lease/revoke leaves keys deleted and put again", grant(L(1)), put(b"a", b"1", lease=L(1)), delete(b"a"),
     put(b"a", b"2"), revoke(L(1)), rng(b"a"))
case("lease/revoke leaves keys of another lease", grant(L(1)), grant(L(2)), put(b"a", b"1", lease=L(1)),
     put(b"a", b"1", lease=L(2)), revoke(L(1)), rng(b"a"), revoke(L(2)), rng(b"a"))
case("lease/grant again after revoke", grant(L(1)), put(b"a", b"1", lease=L(1)), revoke(L(1)), grant(L(1), ttl=50),
     ttl(L(1), keys=True))
case("lease/old values keep the lease id", grant(L(1)), put(b"a", b"1", lease=L(1)), revoke(L(1)),
     rng(b"a", revision=R(1)))
case("lease/put after revoke", grant(L(1)), revoke(L(1)), put(b"a", b"1", lease=L(1)))
case("lease/txn after revoke", grant(L(1)), revoke(L(1)), txn([], [put(b"a", b"1", lease=L(1))]), rng(b"a"))

case("lease/time to live", grant(L(1), ttl=300), ttl(L(1)))
case("lease/time to live unknown", ttl(L(1)))
case("lease/time to live unknown with keys", ttl(L(1), keys=True))
case("lease/time to live zero", ttl(0))
case("lease/time to live with keys", grant(L(1)), put(b"b", b"1", lease=L(1)), put(b"a", b"1", lease=L(1)),
     ttl(L(1), keys=True))
case("lease/time to live without keys", grant(L(1)), put(b"b", b"1", lease=L(1)), ttl(L(1)))
case("lease/keys after delete", grant(L(1)), put(b"b", b"1", lease=L(1)), put(b"a", b"1", lease=L(1)), delete(b"b"),
     ttl(L(1), keys=True))
case("lease/keys after a txn", grant(L(1)), grant(L(2)),
     txn([], [put(b"a", b"1", lease=L(1)), put(b"b", b"1", lease=L(2)), put(b"c", b"1", lease=L(1))]),
     ttl(L(1), keys=True), ttl(L(2), keys=True))

case("lease/keep alive", grant(L(1), ttl=60), keepalive(L(1)))
case("lease/keep alive twice", grant(L(1), ttl=60), keepalive(L(1), L(1)))
case("lease/keep alive unknown", keepalive(L(1)))
case("lease/keep alive zero", keepalive(0))
case("lease/keep alive of two on a stream", grant(L(1), ttl=60), grant(L(2), ttl=70), keepalive(L(1), L(2), L(1)))
case("lease/keep alive unknown leaves the stream open", grant(L(1), ttl=60), keepalive(L(9), L(1)))
case("lease/keep alive after revoke", grant(L(1), ttl=60), revoke(L(1)), keepalive(L(1)))

case("lease/expiry", grant(L(1), ttl=2), put(b"a", b"1", lease=L(1)), put(b"b", b"1", lease=L(1)), put(b"c"),
     wait_gone(b"a"), rng(b"a", b"z"), ttl(L(1)), keepalive(L(1)))
case("lease/list of none", leases(), group="leases")
case("lease/list", grant(L(1), ttl=100), grant(L(2), ttl=300), grant(L(3), ttl=200), leases(), group="leases")
case("lease/list after revoke", grant(L(1), ttl=150), revoke(L(1)), leases(), group="leases")
