"""Watch: creation, history, events, filters, progress, refusals, several watchers on a stream."""
from .steps import (L, PREFIX_END, R, cancel, case, compact, delete, empty_watch_request, grant, progress, put,
                    puts, quiet, receive, revoke, rng, txn, wait_gone, watch)

CREATED = receive(controls=1)

case("watch/created", watch(b"a"), CREATED)
case("watch/put", watch(b"a"), CREATED, put(b"a", b"1"), receive(events=1))
case("watch/other keys are silent", watch(b"b"), CREATED, put(b"a"), put(b"b\0"), put(b"b"), receive(events=1),
     quiet())
case("watch/updates", watch(b"a"), CREATED, put(b"a", b"1"), put(b"a", b"2"), put(b"a", b"3"), receive(events=3))
case("watch/delete", put(b"a"), watch(b"a"), CREATED, delete(b"a"), receive(events=1))
case("watch/delete of nothing is silent", watch(b"a"), CREATED, delete(b"a"), put(b"a"), receive(events=1))
case("watch/range", watch(b"b", b"d"), CREATED, *puts(b"a", b"b", b"c", b"d"), receive(events=2), quiet())
case("watch/prefix", watch(b"p/", b"p0"), CREATED, *puts(b"p", b"p/", b"p/1", b"p0"), receive(events=2), quiet())
case("watch/case prefix", watch(b"a", PREFIX_END), CREATED, *puts(b"a", b"z"), receive(events=2))
case("watch/delete range", *puts(b"a", b"b", b"c"), watch(b"a", b"z"), CREATED, delete(b"a", b"c"),
     receive(events=2))
case("watch/txn is one revision", watch(b"a", b"z"), CREATED, txn([], [put(b"a"), put(b"b"), put(b"c")]),
     receive(events=3))
case("watch/txn in the order of operations", put(b"d"), watch(b"a", b"z"), CREATED,
     txn([], [put(b"c"), delete(b"d"), put(b"a")]), receive(events=3))
case("watch/part of a txn", watch(b"b"), CREATED, txn([], [put(b"a"), put(b"b"), put(b"c")]), receive(events=1),
     quiet())
case("watch/nested txn", watch(b"a", b"z"), CREATED, txn([], [put(b"a"), txn([], [put(b"b")]), put(b"c")]),
     receive(events=3))
case("watch/lease id in the event", grant(L(1)), watch(b"a"), CREATED, put(b"a", b"1", lease=L(1)),
     receive(events=1))
case("watch/revoked lease", grant(L(1)), put(b"b", b"1", lease=L(1)), put(b"a", b"1", lease=L(1)),
     watch(b"a", b"z"), CREATED, revoke(L(1)), receive(events=2))
case("watch/expired lease", grant(L(1), ttl=2), put(b"a", b"1", lease=L(1)), put(b"b", b"2", lease=L(1)),
     watch(b"a", b"z", prev_kv=True), CREATED, wait_gone(b"a"), receive(events=2))

case("watch/from the past", *puts(b"a", b"b"), put(b"a", b"2"), watch(b"a", b"z", start=R(1)),
     receive(events=3, controls=1))
case("watch/from the middle", *puts(b"a", b"b"), put(b"a", b"2"), watch(b"a", b"z", start=R(2)),
     receive(events=2, controls=1))
case("watch/from the current revision", *puts(b"a", b"b"), watch(b"a", b"z", start=R(2)),
     receive(events=1, controls=1))
case("watch/from the next revision", *puts(b"a"), watch(b"a", b"z", start=R(2)), CREATED, put(b"a", b"2"),
     receive(events=1))
case("watch/from a future revision", put(b"a"), watch(b"a", start=R(4)), CREATED, put(b"a", b"2"), put(b"a", b"3"),
     quiet(), put(b"a", b"4"), receive(events=1))
case("watch/from revision 0 is from now", put(b"a"), watch(b"a", start=0), CREATED, quiet(), put(b"a", b"2"),
     receive(events=1))
case("watch/from a negative revision", put(b"a"), watch(b"a", start=-1), CREATED)
case("watch/past then present", put(b"a", b"1"), put(b"a", b"2"), watch(b"a", start=R(1)),
     receive(events=2, controls=1), put(b"a", b"3"), receive(events=1))
case("watch/past with deletes", put(b"a"), delete(b"a"), put(b"a", b"2"), watch(b"a", start=R(1)),
     receive(events=3, controls=1))
case("watch/past of a txn", txn([], [put(b"a"), put(b"b")]), txn([], [delete(b"a"), put(b"b", b"2")]),
     watch(b"a", b"z", start=R(1)), receive(events=4, controls=1))
case("watch/long past", *[put(b"k", b"%d" % i) for i in range(250)], watch(b"k", start=R(1)),
     receive(events=250, controls=1))
case("watch/long past of many keys", *[put(b"k%03d" % (i % 40), b"%d" % i) for i in range(200)],
     watch(b"k", b"l", start=R(50)), receive(events=151, controls=1))

case("watch/compacted start", put(b"a", b"1"), put(b"a", b"2"), put(b"a", b"3"), compact(R(3)),
     watch(b"a", start=R(1)), receive(controls=2), quiet())
case("watch/start at the compacted revision", put(b"a", b"1"), put(b"a", b"2"), put(b"a", b"3"), compact(R(2)),
     watch(b"a", start=R(2)), receive(events=2, controls=1))
case("watch/start above the compacted revision", put(b"a", b"1"), put(b"a", b"2"), put(b"a", b"3"),
     compact(R(2)), watch(b"a", start=R(3)), receive(events=1, controls=1))
case("watch/the stream survives a compacted start", put(b"a", b"1"), put(b"a", b"2"), compact(R(2)),
     watch(b"a", start=R(1)), receive(controls=2), watch(b"a"), CREATED, put(b"a", b"3"), receive(events=1))

case("watch/previous of a create", watch(b"a", prev_kv=True), CREATED, put(b"a", b"1"), receive(events=1))
case("watch/previous of an update", put(b"a", b"1"), watch(b"a", prev_kv=True), CREATED, put(b"a", b"2"),
     receive(events=1))
case("watch/previous of a delete", put(b"a", b"1"), watch(b"a", prev_kv=True), CREATED, delete(b"a"),
     receive(events=1))
case("watch/previous in the past", put(b"a", b"1"), put(b"a", b"2"), delete(b"a"), put(b"a", b"3"),
     watch(b"a", start=R(1), prev_kv=True), receive(events=4, controls=1))
case("watch/previous that is compacted", put(b"a", b"1"), put(b"a", b"2"), put(b"a", b"3"),
     compact(R(2), physical=True), watch(b"a", start=R(2), prev_kv=True), receive(events=2, controls=1))
case("watch/previous of a range delete", *puts(b"a", b"b"), watch(b"a", b"z", prev_kv=True), CREATED,
     delete(b"a", b"z"), receive(events=2))
case("watch/not asked for previous", put(b"a", b"1"), watch(b"a"), CREATED, put(b"a", b"2"), receive(events=1))

case("watch/no puts", watch(b"a", filters=[0]), CREATED, put(b"a"), delete(b"a"), receive(events=1), quiet())
case("watch/no deletes", watch(b"a", filters=[1]), CREATED, put(b"a"), delete(b"a"), put(b"a"), receive(events=2),
     quiet())
case("watch/nothing passes", watch(b"a", filters=[0, 1]), CREATED, put(b"a"), delete(b"a"), quiet())
case("watch/filters in the past", put(b"a"), delete(b"a"), put(b"a"), watch(b"a", start=R(1), filters=[1]),
     receive(events=2, controls=1), quiet())
case("watch/filter of a part of a txn", put(b"b"), watch(b"a", b"z", filters=[0]), CREATED,
     txn([], [put(b"a"), delete(b"b")]), receive(events=1))
case("watch/unknown filter", watch(b"a", filters=[9]), CREATED, put(b"a"), receive(events=1))

case("watch/empty range", watch(b"b", b"a"), CREATED)
case("watch/range of no width", watch(b"b", b"b"), CREATED)
case("watch/empty range, then another", watch(b"b", b"a"), CREATED, watch(b"a"), CREATED, put(b"a"),
     receive(events=1))
case("watch/two on a stream", watch(b"a"), CREATED, watch(b"b"), CREATED, put(b"a"), put(b"b"), receive(events=2))
case("watch/same key twice", watch(b"a"), CREATED, watch(b"a"), CREATED, put(b"a"), receive(events=2))
case("watch/overlapping ranges", watch(b"a", b"c"), CREATED, watch(b"b", b"z"), CREATED,
     *puts(b"a", b"b", b"c"), receive(events=4))
case("watch/two streams", watch(b"a"), CREATED, watch(b"a", stream="t"), receive(controls=1, stream="t"), put(b"a"),
     receive(events=1), receive(events=1, stream="t"))
case("watch/own id", watch(b"a", watch_id=7), CREATED, put(b"a"), receive(events=1))
case("watch/own id taken", watch(b"a", watch_id=7), CREATED, watch(b"b", watch_id=7), CREATED, put(b"b"), put(b"a"),
     receive(events=1), quiet())
case("watch/given and chosen ids", watch(b"a", watch_id=1), CREATED, watch(b"a"), CREATED, watch(b"a"), CREATED,
     put(b"a"), receive(events=3))
case("watch/twenty", *[s for i in range(20) for s in (watch(b"k%02d" % i), CREATED)],
     *[put(b"k%02d" % i) for i in range(20)], receive(events=20))

case("watch/cancel", watch(b"a"), CREATED, cancel(0), receive(controls=1), put(b"a"), quiet())
case("watch/cancel unknown", watch(b"a"), CREATED, cancel(99), quiet(), put(b"a"), receive(events=1))
case("watch/cancel one of two", watch(b"a"), CREATED, watch(b"a"), CREATED, cancel(0), receive(controls=1), put(b"a"),
     receive(events=1), quiet())
case("watch/cancel twice", watch(b"a"), CREATED, cancel(0), receive(controls=1), cancel(0), quiet())
case("watch/id after cancel", watch(b"a"), CREATED, cancel(0), receive(controls=1), watch(b"a"), CREATED)
case("watch/own id after cancel", watch(b"a", watch_id=5), CREATED, cancel(5), receive(controls=1),
     watch(b"a", watch_id=5), CREATED, put(b"a"), receive(events=1))
case("watch/cancel with history waiting", *[put(b"a", b"%d" % i) for i in range(50)], watch(b"a", start=R(1)),
     receive(events=50, controls=1), cancel(0), receive(controls=1))

case("watch/progress request", watch(b"a"), CREATED, put(b"b"), progress(), receive(controls=1))
case("watch/progress request after events", watch(b"a"), CREATED, put(b"a"), put(b"a"), receive(events=2),
     progress(), receive(controls=1))
case("watch/progress request without watcher", progress(), receive(controls=1))
case("watch/progress request of two watchers", watch(b"a"), CREATED, watch(b"b"), CREATED, progress(),
     receive(controls=1), quiet())
case("watch/progress request after cancel", watch(b"a"), CREATED, cancel(0), receive(controls=1), progress(),
     receive(controls=1))
case("watch/progress request with a future start", watch(b"a", start=R(100)), CREATED, progress(), quiet())
case("watch/progress notify", watch(b"a", progress_notify=True), CREATED, put(b"a"), receive(events=1),
     receive(controls=1, timeout_s=8.0), group="progress",
     flags=("--experimental-watch-progress-notify-interval=1s",))
case("watch/progress notify not asked for", watch(b"a"), CREATED, quiet(2.5), group="progress",
     flags=("--experimental-watch-progress-notify-interval=1s",))
case("watch/empty request", watch(b"a"), CREATED, empty_watch_request(), put(b"a"), receive(events=1))

BIG = b"x" * 700000
case("watch/large revision in one message", put(b"a", BIG), put(b"b", BIG), put(b"c", BIG),
     watch(b"a", b"z", prev_kv=True), CREATED, delete(b"a", b"z"), receive(events=3))
case("watch/large revision in fragments", put(b"a", BIG), put(b"b", BIG), put(b"c", BIG),
     watch(b"a", b"z", prev_kv=True, fragment=True), CREATED, delete(b"a", b"z"), receive(events=3))
case("watch/small revision not in fragments", watch(b"a", b"z", fragment=True), CREATED,
     txn([], [put(b"a"), put(b"b")]), receive(events=2))

case("watch/empty key is the first", watch(b""), CREATED, put(b"\0", b"zero"), put(b"a"), receive(events=1), quiet(),
     group="whole watch")
case("watch/everything", watch(b"\0", b"\0"), CREATED, put(b"\0", b"1"), put(b"zz"), delete(b"\0", b"\0"),
     receive(events=5), group="whole watch")
case("watch/open end", watch(b"m", b"\0"), CREATED, put(b"a"), put(b"m"), put(b"\xff"), receive(events=2), quiet(),
     group="whole watch")
case("watch/empty key with open end", watch(b"", b"\0"), CREATED, put(b"b"), receive(events=1), group="whole watch")
case("watch/from revision 1", watch(b"\0", b"\0", start=1), receive(events=11, controls=1), rng(b"a"),
     group="whole watch")
