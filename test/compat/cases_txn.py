"""Txn: compares, branches, nesting, order of execution, refused transactions."""
from .steps import (EMPTY_OP, L, R, case, compact, created, delete, grant, leased, modified, no_operand, put,
                    puts, rng, ttl, txn, value, version)

K = put(b"k", b"1")
YES = [put(b"result", b"yes")]
NO = [put(b"result", b"no")]


def decide(name, *steps_then_compares):
    steps = [s for s in steps_then_compares if s.kind != "compare"]
    compares = [s for s in steps_then_compares if s.kind == "compare"]
    case(f"txn/compare {name}", *steps, txn(compares, YES, NO), rng(b"result"))


# Kubernetes' three shapes.
case("txn/create if absent", txn([modified(b"k", "=", 0)], [put(b"k", b"1")]),
     txn([modified(b"k", "=", 0)], [put(b"k", b"2")]), rng(b"k"))
case("txn/update if unchanged", K, txn([modified(b"k", "=", R(1))], [put(b"k", b"2")], [rng(b"k")]),
     txn([modified(b"k", "=", R(1))], [put(b"k", b"3")], [rng(b"k")]))
case("txn/delete if unchanged", K, put(b"k", b"2"),
     txn([modified(b"k", "=", R(1))], [delete(b"k")], [rng(b"k")]),
     txn([modified(b"k", "=", R(2))], [delete(b"k", prev_kv=True)], [rng(b"k")]), rng(b"k"))
case("txn/compaction key", txn([version(b"c", "=", 0)], [put(b"c", b"1")], [rng(b"c")]),
     txn([version(b"c", "=", 0)], [put(b"c", b"1")], [rng(b"c")]),
     txn([version(b"c", "=", 1)], [put(b"c", b"2")], [rng(b"c")]))

case("txn/empty", txn())
case("txn/empty with a compare", txn([version(b"k", "=", 0)]), txn([version(b"k", ">", 0)]))
case("txn/no compare takes success", txn([], YES, NO), rng(b"result"))
case("txn/reads only make no revision", K, txn([], [rng(b"k"), rng(b"x")]), rng(b"k"))
case("txn/reads only, serializable", K, txn([], [rng(b"k", serializable=True)]))
case("txn/failed without else", K, txn([version(b"k", "=", 9)], YES), rng(b"result"))
case("txn/delete of nothing makes no revision", K, txn([], [delete(b"x")]), rng(b"k"))
case("txn/one revision for all writes", txn([], [put(b"a"), put(b"b"), delete(b"x"), put(b"c")]),
     rng(b"a", b"d"), rng(b"a", b"d", revision=R(0)))

for op in ("=", "!=", ">", "<"):
    decide(f"version {op} equal", K, version(b"k", op, 1))
    decide(f"version {op} less", K, version(b"k", op, 2))
    decide(f"version {op} greater", K, put(b"k", b"2"), put(b"k", b"3"), version(b"k", op, 2))
    decide(f"version {op} of a missing key", version(b"k", op, 0))
    decide(f"create revision {op}", K, put(b"k", b"2"), created(b"k", op, R(1)))
    decide(f"mod revision {op}", K, put(b"k", b"2"), modified(b"k", op, R(2)))
    decide(f"mod revision {op} of a missing key", modified(b"k", op, 0))
    decide(f"value {op} equal", K, value(b"k", op, b"1"))
    decide(f"value {op} smaller", K, value(b"k", op, b"2"))
    decide(f"value {op} longer", K, value(b"k", op, b"10"))
    decide(f"value {op} of a missing key", value(b"k", op, b"1"))
    decide(f"lease {op}", grant(L(1)), put(b"k", b"1", lease=L(1)), leased(b"k", op, L(1)))
    decide(f"lease {op} none", K, leased(b"k", op, 0))
decide("value = empty of a missing key", value(b"k", "=", b""))
decide("value = empty of an empty value", put(b"k", b""), value(b"k", "=", b""))
decide("version of a deleted key", K, delete(b"k"), version(b"k", "=", 0))
decide("create revision of a deleted key", K, delete(b"k"), created(b"k", "=", 0))
decide("all must hold", K, version(b"k", "=", 1), value(b"k", "=", b"1"), modified(b"k", "=", R(1)))
decide("one does not hold", K, version(b"k", "=", 1), value(b"k", "=", b"2"), modified(b"k", "=", R(1)))
decide("of a missing and a present key", K, version(b"k", ">", 0), version(b"m", "=", 0))
decide("without operand, version", K, no_operand(0, b"k", ">"))
decide("without operand, value", put(b"k", b""), no_operand(3, b"k", "="))
decide("without operand, lease", K, no_operand(4, b"k", "="))
decide("without operand, mod of a missing key", no_operand(2, b"k", "="))
decide("with unknown result", K, version(b"k", 17, 1))
decide("empty key", version(b"", "=", 0))

ABC = puts(b"a", b"b", b"c")
decide("range, all hold", *ABC, version(b"a", "=", 1, end=b"z"))
decide("range, one does not", *ABC, put(b"b", b"2"), version(b"a", "=", 1, end=b"z"))
decide("range of nothing, version 0", version(b"x", "=", 0, end=b"z"))
decide("range of nothing, version 1", version(b"x", "=", 1, end=b"z"))
decide("range of nothing, value", value(b"x", "!=", b"v", end=b"z"))
decide("range, values", *ABC, value(b"a", ">", b"A", end=b"z"))
decide("range, mod revisions", *ABC, modified(b"a", "<", R(4), end=b"z"))
decide("range, create revisions", *ABC, created(b"a", ">", R(1), end=b"z"))
decide("range, leases", *ABC, leased(b"a", "=", 0, end=b"z"))

case("txn/reads see earlier writes", K, txn([], [rng(b"k"), put(b"k", b"2"), rng(b"k"), put(b"m", b"3"),
                                                 rng(b"a", b"z")]))
case("txn/reads see earlier deletes", K, txn([], [delete(b"k"), rng(b"k"), rng(b"a", b"z", count_only=True)]))
case("txn/previous values inside", K, txn([], [put(b"k", b"2", prev_kv=True), put(b"n", b"1", prev_kv=True)]))
case("txn/delete with previous after put", K, txn([], [put(b"m", b"1"), delete(b"k", prev_kv=True)]))
case("txn/same key put twice", txn([], [put(b"k", b"1"), put(b"k", b"2")]), rng(b"k"))
case("txn/same key put twice in the branch not taken", K,
     txn([version(b"k", "=", 1)], [], [put(b"x"), put(b"x")]), rng(b"x"))
case("txn/same key in both branches", txn([version(b"k", "=", 0)], [put(b"k", b"1")], [put(b"k", b"2")]),
     rng(b"k"))
case("txn/put and delete of one key", K, txn([], [put(b"k", b"2"), delete(b"k")]), rng(b"k"))
case("txn/delete and put of one key", K, txn([], [delete(b"k"), put(b"k", b"2")]), rng(b"k"))
case("txn/put inside a deleted range", K, txn([], [delete(b"a", b"z"), put(b"k", b"2")]), rng(b"k"))
case("txn/put beside a deleted range", K, txn([], [delete(b"a", b"k"), put(b"k", b"2")]), rng(b"k"))
case("txn/delete twice", *ABC, txn([], [delete(b"a"), delete(b"a")]), rng(b"a", b"z"))
case("txn/deletes that overlap", *ABC, txn([], [delete(b"a", b"c"), delete(b"b", b"z")]), rng(b"a", b"z"))

case("txn/empty operation", txn([], [EMPTY_OP]))
case("txn/empty operation in the branch not taken", txn([], [put(b"k")], [EMPTY_OP]), rng(b"k"))
case("txn/empty key of a put", txn([], [put(b"", b"v")]))
case("txn/empty key of a range", txn([], [rng(b"")]))
case("txn/empty key of a delete", txn([], [delete(b"")]))
case("txn/empty key in the branch not taken", txn([], [put(b"k")], [rng(b"")]), rng(b"k"))
case("txn/value given with ignore value", K, txn([], [put(b"k", b"2", ignore_value=True)]))
case("txn/lease given with ignore lease", K, txn([], [put(b"k", b"2", ignore_lease=True, lease=L(1))]))
case("txn/ignore value of a missing key", txn([], [put(b"a"), put(b"k", b"", ignore_value=True)]), rng(b"a"))
case("txn/ignore value", K, txn([], [put(b"k", b"", ignore_value=True)]), rng(b"k"))
case("txn/ignore lease", grant(L(1)), put(b"k", b"1", lease=L(1)),
     txn([], [put(b"k", b"2", ignore_lease=True)]), rng(b"k"))
case("txn/unknown lease changes nothing", K, txn([], [put(b"k", b"2"), put(b"m", b"1", lease=L(5))]),
     rng(b"a", b"z"))
case("txn/unknown lease in the branch not taken", K, txn([], [put(b"k", b"2")], [put(b"m", b"1", lease=L(5))]),
     rng(b"a", b"z"))
case("txn/lease attaches", grant(L(1)), txn([], [put(b"k", b"2", lease=L(1))]), ttl(L(1), keys=True))
case("txn/delete detaches", grant(L(1)), put(b"k", b"1", lease=L(1)), txn([], [delete(b"k")]),
     ttl(L(1), keys=True))
case("txn/future revision", K, txn([], [rng(b"k", revision=R(9))]))
case("txn/future revision with a put", K, txn([], [put(b"m"), rng(b"k", revision=R(9))]), rng(b"m"))
case("txn/own revision is a future one", K, txn([], [put(b"m"), rng(b"k", revision=R(2))]), rng(b"m"))
case("txn/old revision", K, put(b"k", b"2"), txn([], [rng(b"k", revision=R(1)), rng(b"k")]))
case("txn/compacted revision", K, put(b"k", b"2"), put(b"k", b"3"), compact(R(2)),
     txn([], [rng(b"k", revision=R(1))]))
case("txn/compacted revision with a put", K, put(b"k", b"2"), put(b"k", b"3"), compact(R(2)),
     txn([], [put(b"m"), rng(b"k", revision=R(1))]), rng(b"m"))
case("txn/range options inside", *ABC, txn([], [rng(b"a", b"z", limit=1), rng(b"a", b"z", count_only=True),
                                                rng(b"a", b"z", sort_order=2), rng(b"a", b"z", keys_only=True)]))

case("txn/nested", K, txn([version(b"k", "=", 1)], [txn([value(b"k", "=", b"1")], [put(b"n", b"yes")],
                                                        [put(b"n", b"no")])]), rng(b"n"))
case("txn/nested else", K, txn([], [txn([value(b"k", "=", b"2")], [put(b"n", b"yes")], [put(b"n", b"no")])]),
     rng(b"n"))
case("txn/nested compares see the state before", K,
     txn([], [put(b"k", b"2"), txn([value(b"k", "=", b"1")], [put(b"n", b"old")], [put(b"n", b"new")])]),
     rng(b"n"))
case("txn/nested, three deep", txn([], [txn([], [txn([], [put(b"k", b"deep")]), rng(b"k")])]), rng(b"k"))
case("txn/nested put twice", txn([], [put(b"k"), txn([], [put(b"k")])]), rng(b"k"))
case("txn/nested put in both branches", txn([], [txn([], [put(b"k", b"1")], [put(b"k", b"2")])]), rng(b"k"))
case("txn/two nested put the same", txn([], [txn([], [put(b"k", b"1")]), txn([], [put(b"k", b"2")])]), rng(b"k"))
case("txn/nested delete of a put", txn([], [put(b"k"), txn([], [delete(b"a", b"z")])]), rng(b"k"))
case("txn/nested empty", txn([], [txn()]))
case("txn/nested reads only", K, txn([], [txn([], [rng(b"k")])]), rng(b"k"))
case("txn/nested empty key", txn([], [txn([version(b"", "=", 0)])]))
case("txn/nested unknown lease", txn([], [put(b"a"), txn([], [put(b"k", b"1", lease=L(4))])]), rng(b"a"))

case("txn/128 operations", txn([], [put(b"%03d" % i) for i in range(128)]), rng(b"0", b"2", count_only=True))
case("txn/129 operations", txn([], [put(b"%03d" % i) for i in range(129)]), rng(b"0", b"2", count_only=True))
case("txn/129 compares", txn([version(b"%03d" % i, "=", 0) for i in range(129)]))
case("txn/128 of each", txn([version(b"%03d" % i, "=", 0) for i in range(128)],
                            [rng(b"%03d" % i) for i in range(128)], [rng(b"%03d" % i) for i in range(128)]))
case("txn/129 in the branch not taken", txn([], [], [rng(b"%03d" % i) for i in range(129)]))
case("txn/nested above the budget", txn([], [rng(b"a"), txn([], [rng(b"%03d" % i) for i in range(127)])]))
case("txn/nested in the budget", txn([], [rng(b"a"), txn([], [rng(b"%03d" % i) for i in range(126)])]))
case("txn/too large", txn([], [put(b"a", b"x" * 800000), put(b"b", b"x" * 800000)]), rng(b"a"))
case("txn/max-txn-ops", txn([], [put(b"a"), put(b"b"), put(b"c")]), txn([], [put(b"a"), put(b"b")]),
     group="ops", flags=("--max-txn-ops=2",))
case("txn/max-request-bytes", put(b"k", b"x" * 2000), put(b"k", b"x" * 100), put(b"k", b"x" * 700000),
     group="bytes", flags=("--max-request-bytes=1000",))
