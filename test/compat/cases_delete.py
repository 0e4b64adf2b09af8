"""DeleteRange: counts, previous values, revisions."""
from .steps import L, PREFIX_END, R, case, delete, grant, put, puts, rng, ttl

ABC = puts(b"a", b"b", b"c")

case("delete/one", *ABC, delete(b"b"), rng(b"a", b"z"))
case("delete/missing makes no revision", *ABC, delete(b"x"), rng(b"a", b"z"))
case("delete/empty key", delete(b""))
case("delete/empty key with end", delete(b"", b"z"))
case("delete/range", *ABC, delete(b"a", b"c"), rng(b"a", b"z"))
case("delete/range in one revision", *ABC, delete(b"a", b"z"), put(b"d"), rng(b"d"))
case("delete/prefix", *ABC, delete(b"a", PREFIX_END), rng(b"a", PREFIX_END))
case("delete/end before key", *ABC, delete(b"c", b"a"), rng(b"a", b"z"))
case("delete/range of nothing", *ABC, delete(b"x", b"z"), rng(b"a", b"z", count_only=True))
case("delete/twice", *ABC, delete(b"a"), delete(b"a"), rng(b"a", b"z"))
case("delete/previous", *ABC, delete(b"b", prev_kv=True))
case("delete/previous of a range", *ABC, put(b"b", b"2"), delete(b"a", b"z", prev_kv=True))
case("delete/previous of nothing", delete(b"a", prev_kv=True))
case("delete/previous with lease", grant(L(1)), put(b"k", b"1", lease=L(1)), delete(b"k", prev_kv=True),
     ttl(L(1), keys=True))
case("delete/range over deleted keys", *ABC, delete(b"b"), delete(b"a", b"z", prev_kv=True))
case("delete/old revisions stay", *ABC, delete(b"a", b"z"), rng(b"a", b"z", revision=R(3)),
     rng(b"a", b"z", revision=R(4)))
case("delete/version begins again", *ABC, put(b"a", b"2"), delete(b"a"), put(b"a", b"3"), put(b"a", b"4"),
     rng(b"a"))
case("delete/binary bounds", *puts(b"a", b"a\0", b"a\0\0", b"a\x01"), delete(b"a\0", b"a\x01"),
     rng(b"a", b"b"))
case("delete/many", *[put(b"%03d" % i) for i in range(120)], delete(b"010", b"110"),
     rng(b"0", b"2", keys_only=True))
