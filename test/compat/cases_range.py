"""Range: bounds, counts, limits, sorting, filters, old revisions."""
from .steps import (PREFIX_END, R, case, compact, delete, put, puts, raw, rng)

FIVE = puts(b"a", b"b", b"c", b"d", b"e")

case("range/missing key", rng(b"nothing"))
case("range/one key", put(b"k", b"v"), rng(b"k"))
case("range/empty key", rng(b""))
case("range/empty key with end", rng(b"", b"z"))
case("range/half open", *FIVE, rng(b"b", b"d"))
case("range/end before key", *FIVE, rng(b"d", b"b"))
case("range/end equals key", *FIVE, rng(b"b", b"b"))
case("range/prefix", *FIVE, put(b"a/1"), put(b"a/2"), put(b"a0"), rng(b"a/", b"a0"))
case("range/key is bound and not there", *puts(b"b", b"d"), rng(b"a", b"e"), rng(b"c", b"d\0"))
case("range/binary keys", *puts(b"\x00", b"a\x00", b"a\x00\x00", b"a\xff", b"a\xff\xff"),
     rng(b"a", b"b"), rng(b"a\x00", b"a\x01"), rng(b"a\xff", PREFIX_END))
case("range/prefix is before its extensions", *puts(b"ab", b"a", b"abc", b"aa"), rng(b"a", b"b"))
case("range/empty value", put(b"k", b""), rng(b"k"))
case("range/value of 100 KiB", put(b"k", b"x" * 102400), rng(b"k"))
case("range/key of 2 KiB", put(b"k" * 2048), rng(b"k" * 2048), rng(b"k", b"l", keys_only=True))
case("range/key of 2 KiB beside its prefix", put(b"k" * 600), put(b"k" * 599), put(b"k" * 601),
     put(b"k" * 600, b"2"), rng(b"k" * 600), rng(b"k", b"l", keys_only=True), delete(b"k" * 600),
     rng(b"k", b"l", keys_only=True), rng(b"k" * 600, revision=R(4)))
case("range/fields after updates", put(b"k", b"1"), put(b"k", b"2"), put(b"x"), put(b"k", b"3"),
     rng(b"k"))
case("range/create after delete", put(b"k", b"1"), put(b"k", b"2"), delete(b"k"), put(b"k", b"3"),
     rng(b"k"))
case("range/serializable", *FIVE, rng(b"a", b"z", serializable=True))
case("range/serializable old revision", *FIVE, rng(b"a", b"z", serializable=True, revision=R(2)))

for n in (1, 2, 4, 5, 6, -1, 0):
    case(f"range/limit {n}", *FIVE, rng(b"a", b"z", limit=n))
case("range/limit on one key", put(b"a"), rng(b"a", limit=1))
case("range/limit of an empty range", rng(b"x", b"z", limit=3))
case("range/pages", *FIVE, rng(b"a", b"z", limit=2), rng(b"b\0", b"z", limit=2),
     rng(b"d\0", b"z", limit=2))
case("range/pages at a revision", *FIVE, rng(b"a", b"z", limit=2, revision=R(5)), put(b"bb"),
     delete(b"d"), rng(b"b\0", b"z", limit=2, revision=R(5)), rng(b"d\0", b"z", limit=2, revision=R(5)))

case("range/count only", *FIVE, rng(b"a", b"z", count_only=True))
case("range/count only with limit", *FIVE, rng(b"a", b"z", count_only=True, limit=2))
case("range/count only of nothing", rng(b"a", b"z", count_only=True))
case("range/count only of one key", *FIVE, rng(b"c", count_only=True))
case("range/count only at a revision", *FIVE, delete(b"a"), rng(b"a", b"z", count_only=True, revision=R(3)),
     rng(b"a", b"z", count_only=True))
case("range/count only and keys only", *FIVE, rng(b"a", b"z", count_only=True, keys_only=True))
case("range/keys only", *FIVE, rng(b"a", b"z", keys_only=True))
case("range/keys only with limit", *FIVE, rng(b"a", b"z", keys_only=True, limit=3))

# Created in another order than the keys', with versions and values that order differently again.
MIXED = [put(b"c", b"5"), put(b"a", b"9"), put(b"b", b"1"), put(b"b", b"7"), put(b"d", b"3"),
         put(b"c", b"2"), put(b"b", b"8")]
ORDERS = {"none": 0, "ascend": 1, "descend": 2}
TARGETS = {"key": 0, "version": 1, "create": 2, "mod": 3, "value": 4}
# Several keys with the same version: their order is not specified, so each has its own here.
VERSIONS = [put(k) for n, k in enumerate((b"c", b"a", b"d", b"b"), 1) for _ in range(n)]
for order_name, order in ORDERS.items():
    for target_name, target in TARGETS.items():
        data = VERSIONS if target_name == "version" else MIXED
        case(f"range/sort {order_name} by {target_name}", *data,
             rng(b"a", b"z", sort_order=order, sort_target=target))
case("range/sort with limit", *MIXED, rng(b"a", b"z", sort_order=2, sort_target=3, limit=2))
case("range/sort value with limit", *MIXED, rng(b"a", b"z", sort_order=1, sort_target=4, limit=3))
case("range/sort descending keys with limit", *MIXED, rng(b"a", b"z", sort_order=2, limit=2))
case("range/sort values with keys only", *MIXED,
     rng(b"a", b"z", sort_order=1, sort_target=4, keys_only=True))
case("range/sort at a revision", *MIXED, rng(b"a", b"z", sort_order=2, sort_target=3, revision=R(5)))
case("range/sort of one", put(b"a"), rng(b"a", sort_order=2, sort_target=4))
case("range/oldest by create revision", *MIXED, rng(b"a", b"z", sort_order=1, sort_target=2, limit=1))

case("range/min mod revision", *MIXED, rng(b"a", b"z", min_mod_revision=R(5)))
case("range/max mod revision", *MIXED, rng(b"a", b"z", max_mod_revision=R(5)))
case("range/min create revision", *MIXED, rng(b"a", b"z", min_create_revision=R(2)))
case("range/max create revision", *MIXED, rng(b"a", b"z", max_create_revision=R(2)))
case("range/mod revision window", *MIXED, rng(b"a", b"z", min_mod_revision=R(5), max_mod_revision=R(6)))
case("range/filter with limit", *MIXED, rng(b"a", b"z", min_mod_revision=R(5), limit=1))
case("range/filter with limit that fits", *MIXED, rng(b"a", b"z", min_mod_revision=R(6), limit=2))
case("range/filter with sort", *MIXED,
     rng(b"a", b"z", min_mod_revision=R(5), sort_order=2, sort_target=3))
case("range/filter with sort and limit", *MIXED,
     rng(b"a", b"z", min_mod_revision=R(3), sort_order=2, sort_target=2, limit=2))
case("range/filter that leaves nothing", *MIXED, rng(b"a", b"z", min_mod_revision=R(50)))
case("range/filter and count only", *MIXED, rng(b"a", b"z", min_mod_revision=R(6), count_only=True))
case("range/filter and keys only", *MIXED, rng(b"a", b"z", min_create_revision=R(2), keys_only=True))
case("range/filter at a revision", *MIXED, rng(b"a", b"z", max_mod_revision=R(3), revision=R(5)))
case("range/filters of zero width", *MIXED,
     rng(b"a", b"z", min_mod_revision=R(6), max_mod_revision=R(5)))

OLD = [put(b"a", b"1"), put(b"b", b"1"), put(b"a", b"2"), delete(b"b"), put(b"c", b"1"), put(b"b", b"2")]
for n in range(0, 7):
    case(f"range/old revision {n} of 6", *OLD, rng(b"a", b"z", revision=R(n)))
case("range/old revision of one key", *OLD, rng(b"b", revision=R(2)), rng(b"b", revision=R(4)),
     rng(b"b", revision=R(6)))
case("range/future revision", put(b"a"), rng(b"a", revision=R(2)))
case("range/future revision of nothing", rng(b"a", revision=R(1)))
case("range/future revision with count only", put(b"a"), rng(b"a", count_only=True, revision=R(9)))
case("range/negative revision", put(b"a"), rng(b"a", revision=-5))
case("range/current revision by number", put(b"a"), rng(b"a", revision=R(1)))
case("range/old revision with limit and more", *OLD, rng(b"a", b"z", revision=R(2), limit=1))
case("range/tombstone at its revision", put(b"a"), delete(b"a"), rng(b"a", revision=R(2)),
     rng(b"a", revision=R(1)))

# A store of its own, in which the open end and the first revision can be seen.
case("range/first revision", rng(b"a"), group="whole")
case("range/all of an empty store", rng(b"\0", b"\0"), group="whole")
case("range/all", *FIVE, rng(b"\0", b"\0"), group="whole")
case("range/open end", rng(b"c", b"\0"), group="whole")
case("range/open end with limit", rng(b"b", b"\0", limit=2), group="whole")
case("range/open end, last key", rng(b"e", b"\0"), group="whole")
case("range/open end, after the last key", rng(b"f", b"\0"), group="whole")
case("range/key of one zero byte", put(b"\0", b"zero"), rng(b"\0"), rng(raw(b"\0"), raw(b"\0\0")),
     rng(b"\0", b"\0", limit=1), delete(b"\0"), group="whole")
case("range/key of all ones", put(b"\xff\xff"), rng(b"\xff", b"\0"), rng(raw(b"\xff\xff"), raw(b"\xff\xff\xff")),
     delete(b"\xff\xff"), group="whole")
case("range/count of all", rng(b"\0", b"\0", count_only=True), group="whole")
case("range/revision 1", rng(b"a", revision=1), rng(b"\0", b"\0", revision=1), group="whole")
case("range/delete all", delete(b"\0", b"\0", prev_kv=True), rng(b"\0", b"\0"), group="whole")

case("range/1000 keys", *[put(b"%04d" % i, b"x") for i in range(300)],
     rng(b"0", b"1", limit=10), rng(b"0", b"1", keys_only=True, limit=299),
     rng(b"0100", b"0200", count_only=True), compact(R(150)), rng(b"0", b"1", revision=R(150), limit=1),
     rng(b"0", b"1", revision=R(149), limit=1))
