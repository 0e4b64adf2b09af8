"""Compact: what is refused, what stays readable, what is gone."""
from .steps import R, case, compact, delete, put, rng, txn

FOUR = [put(b"a", b"1"), put(b"a", b"2"), put(b"b", b"1"), put(b"a", b"3")]

case("compact/below is gone", *FOUR, compact(R(3)), rng(b"a", revision=R(2)), rng(b"a", revision=R(1)))
case("compact/at the revision stays", *FOUR, compact(R(3)), rng(b"a", b"z", revision=R(3)))
case("compact/now is untouched", *FOUR, compact(R(3)), rng(b"a", b"z"))
case("compact/twice", *FOUR, compact(R(3)), compact(R(3)))
case("compact/lower", *FOUR, compact(R(3)), compact(R(2)))
case("compact/higher", *FOUR, compact(R(2)), compact(R(3)), rng(b"a", revision=R(2)),
     rng(b"a", revision=R(3)))
case("compact/current revision", *FOUR, compact(R(4)), rng(b"a", b"z", revision=R(4)), rng(b"a", b"z"))
case("compact/future", *FOUR, compact(R(5)), rng(b"a", revision=R(1)))
case("compact/far future", *FOUR, compact(R(100000)))
case("compact/zero", *FOUR, compact(0))
case("compact/negative", *FOUR, compact(-1))
case("compact/physical", *FOUR, compact(R(3), physical=True), rng(b"a", revision=R(3)),
     rng(b"a", revision=R(2)))
case("compact/makes no revision", *FOUR, compact(R(3)), put(b"c"), rng(b"c"))
case("compact/deleted key", put(b"a"), delete(b"a"), put(b"b"), compact(R(3), physical=True), rng(b"a", b"z"),
     put(b"a"), rng(b"a"))
case("compact/between two lives of a key", put(b"a", b"1"), delete(b"a"), put(b"a", b"2"),
     compact(R(2), physical=True), rng(b"a", revision=R(2)), rng(b"a", revision=R(3)), rng(b"a"))
case("compact/versions go on", put(b"a", b"1"), put(b"a", b"2"), compact(R(2), physical=True), put(b"a", b"3"),
     rng(b"a"), rng(b"a", revision=R(2)))
case("compact/old value of an unchanged key", put(b"a", b"1"), put(b"b", b"1"), put(b"b", b"2"),
     compact(R(3), physical=True), rng(b"a", revision=R(3)), rng(b"a"))
case("compact/of a txn", txn([], [put(b"a"), put(b"b")]), txn([], [delete(b"a"), put(b"b", b"2")]),
     compact(R(2), physical=True), rng(b"a", b"z"), rng(b"a", b"z", revision=R(2)))
case("compact/count at the compacted revision", *FOUR, compact(R(2)),
     rng(b"a", b"z", count_only=True, revision=R(2)), rng(b"a", b"z", count_only=True, revision=R(1)))
case("compact/many versions", *[put(b"k", b"%d" % i) for i in range(100)], compact(R(60), physical=True),
     rng(b"k", revision=R(59)), rng(b"k", revision=R(60)), rng(b"k", revision=R(61)), rng(b"k"))
case("compact/first revision", rng(b"a"), compact(1), rng(b"a"), put(b"a"), compact(1), compact(2), put(b"a"),
     rng(b"a", revision=1), group="whole compact")
