"""Put: revisions, versions, previous values, leases, refused requests."""
from .steps import L, R, case, delete, grant, put, rng, ttl

case("put/first", put(b"k", b"v"))
case("put/versions", put(b"k", b"1"), put(b"k", b"2"), put(b"k", b"3"), rng(b"k"))
case("put/same value again", put(b"k", b"1"), put(b"k", b"1"), rng(b"k"))
case("put/empty value", put(b"k", b""), rng(b"k"))
case("put/empty key", put(b"", b"v"))
case("put/binary", put(b"\x00\xff\x80", b"\x00\x01\xfe"), rng(b"\x00\xff\x80"))
case("put/previous, none", put(b"k", b"1", prev_kv=True))
case("put/previous", put(b"k", b"1"), put(b"k", b"2", prev_kv=True))
case("put/previous of an empty value", put(b"k", b""), put(b"k", b"2", prev_kv=True))
case("put/previous after delete", put(b"k", b"1"), delete(b"k"), put(b"k", b"2", prev_kv=True))
case("put/previous with lease", grant(L(1)), put(b"k", b"1", lease=L(1)), put(b"k", b"2", prev_kv=True))
case("put/ignore value", put(b"k", b"1"), put(b"k", b"", ignore_value=True), rng(b"k"))
case("put/ignore value with a value", put(b"k", b"1"), put(b"k", b"2", ignore_value=True), rng(b"k"))
case("put/ignore value of a missing key", put(b"k", b"", ignore_value=True), rng(b"k"))
case("put/ignore value of a deleted key", put(b"k"), delete(b"k"), put(b"k", b"", ignore_value=True))
case("put/ignore value attaches a lease", grant(L(1)), put(b"k", b"1"),
     put(b"k", b"", ignore_value=True, lease=L(1)), rng(b"k"), ttl(L(1), keys=True))
case("put/ignore lease", grant(L(1)), put(b"k", b"1", lease=L(1)), put(b"k", b"2", ignore_lease=True),
     rng(b"k"), ttl(L(1), keys=True))
case("put/ignore lease of a key without", put(b"k", b"1"), put(b"k", b"2", ignore_lease=True), rng(b"k"))
case("put/ignore lease with a lease", put(b"k", b"1"), put(b"k", b"2", ignore_lease=True, lease=L(1)))
case("put/ignore lease of a missing key", put(b"k", b"2", ignore_lease=True))
case("put/ignore both", grant(L(1)), put(b"k", b"1", lease=L(1)),
     put(b"k", b"", ignore_value=True, ignore_lease=True, prev_kv=True), rng(b"k"))
case("put/ignore both with both", put(b"k", b"1"),
     put(b"k", b"2", ignore_value=True, ignore_lease=True, lease=L(1)))
case("put/unknown lease", put(b"k", b"1", lease=L(7)), rng(b"k"))
case("put/unknown lease leaves the old value", put(b"k", b"1"), put(b"k", b"2", lease=L(7)), rng(b"k"))
case("put/lease", grant(L(1)), put(b"k", b"1", lease=L(1)), rng(b"k"), ttl(L(1), keys=True))
case("put/without lease detaches", grant(L(1)), put(b"k", b"1", lease=L(1)), put(b"k", b"2"), rng(b"k"),
     ttl(L(1), keys=True))
case("put/another lease moves the key", grant(L(1)), grant(L(2)), put(b"k", b"1", lease=L(1)),
     put(b"k", b"2", lease=L(2)), rng(b"k"), ttl(L(1), keys=True), ttl(L(2), keys=True))
case("put/same lease again", grant(L(1)), put(b"k", b"1", lease=L(1)), put(b"k", b"2", lease=L(1)),
     ttl(L(1), keys=True))
case("put/a refused put makes no revision", put(b"k", b"1"), put(b"", b"1"), put(b"k", b"x", lease=L(9)),
     put(b"m", b"", ignore_value=True), rng(b"k"))
case("put/1 MiB", put(b"k", b"x" * 1048576), rng(b"k", keys_only=True))
case("put/just fits", put(b"k", b"x" * (1572864 - 512)), rng(b"k", keys_only=True))
case("put/request too large", put(b"k", b"x" * 1572864), rng(b"k"))
case("put/message too large", put(b"k", b"x" * (1572864 + 1048576)), rng(b"k"))
case("put/negative lease", put(b"k", b"v", lease=-3), rng(b"k"))
case("put/history of values", put(b"k", b"1"), put(b"k", b"2"), put(b"k", b"3"), rng(b"k", revision=R(1)),
     rng(b"k", revision=R(2)), rng(b"k", revision=R(3)))
