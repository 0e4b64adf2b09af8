"""The HTTPS API as programs use it: objects, conflicts, selectors, watches, identities, restarts."""
import concurrent.futures
import contextlib
import http.client
import json
import os

from harness.kube import ApiServer
from harness.processes import Cluster

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def make(name, labels=None, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, **({"labels": labels} if labels else {})}, "data": data}


def create(server, name, labels=None, **data):
    code, body = server.call("POST", CONFIGMAPS, make(name, labels, **data))
    expect(code == 201, f"create {name}: {code} {body}")
    return body


def refused(answer, code, reason, text=""):
    expect(answer[0] == code and answer[1]["kind"] == "Status" and answer[1]["reason"] == reason
           and answer[1]["code"] == code and text in answer[1]["message"], f"wanted {code} {reason} {text}: {answer}")


def case_object_lives(server):
    made = create(server, "a", x="1")
    meta = made["metadata"]
    expect(meta["namespace"] == "default" and meta["uid"] and meta["resourceVersion"]
           and meta["creationTimestamp"], made)
    expect(server.call("GET", f"{CONFIGMAPS}/a") == (200, made), "read as it was created")
    refused(server.call("POST", CONFIGMAPS, make("a")), 409, "AlreadyExists", 'configmaps "a" already exists')
    code, deleted = server.call("DELETE", f"{CONFIGMAPS}/a")
    expect(code == 200 and deleted["status"] == "Success" and deleted["details"]["uid"] == meta["uid"], deleted)
    refused(server.call("GET", f"{CONFIGMAPS}/a"), 404, "NotFound", 'configmaps "a" not found')


def case_updates_are_conditional(server):
    made = create(server, "a", x="1")
    first = json.loads(json.dumps(made))
    first["data"]["x"] = "2"
    code, second = server.call("PUT", f"{CONFIGMAPS}/a", first)
    expect(code == 200 and second["data"] == {"x": "2"}, second)
    expect(int(second["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"]), "ascends")
    refused(server.call("PUT", f"{CONFIGMAPS}/a", first), 409, "Conflict", "the object has been modified")
    del first["metadata"]["resourceVersion"]
    first["data"]["x"] = "3"
    expect(server.call("PUT", f"{CONFIGMAPS}/a", first)[0] == 200, "without a version it is unconditional")
    same = server.call("GET", f"{CONFIGMAPS}/a")[1]
    expect(server.call("PUT", f"{CONFIGMAPS}/a", same)[1] == same, "no change, no new version")
    other = dict(first, metadata={**first["metadata"], "uid": "00000000-0000-4000-8000-000000000000"})
    refused(server.call("PUT", f"{CONFIGMAPS}/a", other), 409, "Conflict", "UID in precondition")
    refused(server.call("PUT", f"{CONFIGMAPS}/b", first), 404, "NotFound")


def case_no_update_is_lost(server):
    """32 clients add a member each by merge patch, all at once: every one of them is there."""
    create(server, "a")

    def patch(i):
        return server.call("PATCH", f"{CONFIGMAPS}/a", {"data": {f"k{i}": str(i)}},
                           "application/merge-patch+json")[0]

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        expect(set(pool.map(patch, range(64))) == {200}, "all succeed")
    data = server.call("GET", f"{CONFIGMAPS}/a")[1]["data"]
    expect(data == {f"k{i}": str(i) for i in range(64)}, data)


def case_patches(server):
    create(server, "a", x="1", y="2")
    path = f"{CONFIGMAPS}/a"
    code, body = server.call("PATCH", path, {"data": {"x": None, "z": "3"}}, "application/merge-patch+json")
    expect(code == 200 and body["data"] == {"y": "2", "z": "3"}, body)
    code, body = server.call("PATCH", path, [{"op": "test", "path": "/data/y", "value": "2"},
                                             {"op": "replace", "path": "/data/y", "value": "4"}],
                             "application/json-patch+json")
    expect(code == 200 and body["data"] == {"y": "4", "z": "3"}, body)
    refused(server.call("PATCH", path, [{"op": "test", "path": "/data/y", "value": "5"}],
                        "application/json-patch+json"), 422, "Invalid")
    refused(server.call("PATCH", path, {}, "text/plain"), 415, "UnsupportedMediaType")
    refused(server.call("PATCH", path, [], "application/merge-patch+json"), 400, "BadRequest")


def case_strategic_patches(server):
    """Lists merged by key, directives, and the texts of what does not apply."""
    path, media = "/apis/apps/v1/namespaces/default/deployments/d", "application/strategic-merge-patch+json"
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
        "containers": [{"name": "x", "image": "1"}, {"name": "y", "image": "2"}]}}}
    expect(server.call("POST", os.path.dirname(path), {"metadata": {"name": "d"}, "spec": spec})[0] == 201, "create")

    def patch(pod):
        return server.call("PATCH", path, {"spec": {"template": {"spec": pod}}}, media)

    def images(answer):
        expect(answer[0] == 200, answer)
        return " ".join(c["name"] + c["image"] for c in answer[1]["spec"]["template"]["spec"]["containers"])

    expect(images(patch({"containers": [{"name": "y", "image": "3"}]})) == "x1 y3", "by name")
    expect(images(patch({"containers": [{"name": "x", "$patch": "delete"}, {"name": "z", "image": "4"}],
                         "$setElementOrder/containers": [{"name": "z"}, {"name": "y"}]})) == "z4 y3", "directives")
    code, body = patch({"containers": [{"image": "5"}]})
    expect(code == 500 and "reason" not in body and body["message"] ==
           "map: map[image:5] does not contain declared merge key: name", body)
    refused(patch({"$retainKeys": 1}), 400, "BadRequest", "invalid patch format of retainKeys")
    refused(server.call("PATCH", path, "[]", media), 400, "BadRequest")


APPLY = "application/apply-patch+yaml"


def managed(body):
    """Manager, operation and fields of each entry."""
    return {(e["manager"], e["operation"], e.get("subresource", "")): e["fieldsV1"]
            for e in body["metadata"].get("managedFields", [])}


def case_writers_own_what_they_change(server):
    agent = {"User-Agent": "maker/v1 (test)"}
    code, made = server.call("POST", CONFIGMAPS, make("a", {"l": "1"}, x="1", y="2"), headers=agent)
    owned = {"f:data": {".": {}, "f:x": {}, "f:y": {}}, "f:metadata": {"f:labels": {".": {}, "f:l": {}}}}
    expect(code == 201 and managed(made) == {("maker", "Update", ""): owned}, made)
    expect(made["metadata"]["managedFields"][0]["apiVersion"] == "v1"
           and made["metadata"]["managedFields"][0]["time"] and
           made["metadata"]["managedFields"][0]["fieldsType"] == "FieldsV1", made)
    code, body = server.call("PATCH", f"{CONFIGMAPS}/a?fieldManager=other", {"data": {"x": "9"}},
                             "application/merge-patch+json", headers=agent)
    expect(code == 200 and managed(body)[("other", "Update", "")] == {"f:data": {"f:x": {}}}
           and managed(body)[("maker", "Update", "")]["f:data"] == {".": {}, "f:y": {}}, body)
    same = server.call("PATCH", f"{CONFIGMAPS}/a?fieldManager=third", {"data": {"x": "9"}},
                       "application/merge-patch+json", headers=agent)[1]
    expect(same == body, "no change, no owner, no version")
    body["metadata"]["managedFields"] = [{}]
    code, body = server.call("PUT", f"{CONFIGMAPS}/a", body)
    expect(code == 200 and not managed(body), body)
    refused(server.call("POST", f"{CONFIGMAPS}?fieldManager={'x' * 129}", make("b")), 422, "Invalid",
            "may not be more than 128")


def case_server_side_apply(server):
    path = f"{CONFIGMAPS}/a"

    def apply(manager, text, force="false", at=path):
        return server.call("PATCH", f"{at}?fieldManager={manager}&force={force}", text, APPLY)

    def body(data):
        return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: " + data

    code, made = apply("one", body("{x: '1', z: '2'}"))
    expect(code == 201 and made["data"] == {"x": "1", "z": "2"} and made["metadata"]["uid"]
           and managed(made) == {("one", "Apply", ""): {"f:data": {"f:x": {}, "f:z": {}}}}, made)
    code, again = apply("one", body("{x: '1', z: '2'}"))
    expect(code == 200 and again == made, f"nothing new: {again}")
    answer = apply("two", body("{x: '3', z: '4'}"))
    refused(answer, 409, "Conflict", 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\n- .data.z')
    expect(answer[1]["details"]["causes"][0] == {"reason": "FieldManagerConflict", "message": 'conflict with "one"',
                                                 "field": ".data.x"}, answer)
    code, taken = apply("two", body("{x: '3'}"), "true")
    expect(code == 200 and taken["data"] == {"x": "3", "z": "2"}
           and managed(taken)[("one", "Apply", "")] == {"f:data": {"f:z": {}}}, taken)
    code, shared = apply("one", body("{x: '3'}"))
    expect(code == 200 and shared["data"] == {"x": "3"}, f"z has gone with its only owner: {shared}")
    code, left = apply("two", body("{}"))
    expect(code == 200 and left["data"] == {"x": "3"}, f"x is still one's: {left}")
    refused(server.call("PATCH", path, body("{}"), APPLY), 422, "Invalid",
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
    refused(server.call("PATCH", f"{path}?force=true", {}, "application/merge-patch+json"), 422, "Invalid",
            "force: Forbidden: may not be specified for non-apply patch")
    refused(server.call("PATCH", f"{path}?fieldManager=one&fieldValidation=Strict", body("{}\ndata: {}"), APPLY), 400,
            "BadRequest", "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
            '  line 6: key "data" already set in map')
    code, yaml = server.call("POST", CONFIGMAPS, "metadata:\n  name: from-yaml\ndata: {p: 'q'}\n", "application/yaml")
    expect(code == 201 and yaml["data"] == {"p": "q"}, yaml)
    refused(apply("one", "a: [b"), 400, "BadRequest", "error decoding YAML: error converting YAML to JSON: yaml: ")
    refused(apply("one", "kind: Secret\napiVersion: v1"), 400, "BadRequest", "invalid object type: v1, Kind=Secret")
    refused(apply("one", body("{}"), at=f"{CONFIGMAPS}/b"), 400, "BadRequest", "does not match the name on the URL (b)")
    code, wrong = apply("one", body("{}\nspam: 1"))
    expect(code == 500 and wrong["message"] == "failed to create typed patch object (/a; v1, Kind=ConfigMap): "
           ".spam: field not declared in schema", wrong)


def case_applies_through_everything(server):
    """20 managers apply a field each, all at once: every one of them is there, and owned."""
    def apply(i):
        text = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {f"k{i}": "1"}})
        return server.call("PATCH", f"{CONFIGMAPS}/a?fieldManager=m{i}", text, APPLY)[0]

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        codes = sorted(pool.map(apply, range(20)))
    expect(codes == [200] * 19 + [201], codes)
    body = server.call("GET", f"{CONFIGMAPS}/a")[1]
    expect(body["data"] == {f"k{i}": "1" for i in range(20)} and managed(body) == {
        (f"m{i}", "Apply", ""): {"f:data": {f"f:k{i}": {}}} for i in range(20)}, body)


def case_dry_run_writes_nothing(server):
    code, body = server.call("POST", f"{CONFIGMAPS}?dryRun=All", make("a"))
    expect(code == 201 and body["metadata"]["uid"], body)
    refused(server.call("GET", f"{CONFIGMAPS}/a"), 404, "NotFound")


def case_bad_bodies(server):
    refused(server.call("POST", CONFIGMAPS, "{"), 400, "BadRequest")
    refused(server.call("POST", CONFIGMAPS, "[" * 100000), 400, "BadRequest")
    refused(server.call("POST", CONFIGMAPS, "[]"), 400, "BadRequest")
    refused(server.call("POST", CONFIGMAPS, make("Bad")), 422, "Invalid", "RFC 1123 subdomain")
    refused(server.call("POST", CONFIGMAPS, {"metadata": {}}), 422, "Invalid", "name or generateName is required")
    refused(server.call("POST", CONFIGMAPS, dict(make("a"), kind="Secret")), 400, "BadRequest")
    refused(server.call("POST", CONFIGMAPS, dict(make("a"), apiVersion="v2")), 400, "BadRequest",
            "does not match the expected API version")
    refused(server.call("POST", CONFIGMAPS, {"metadata": {"name": "a", "namespace": "other"}}), 400, "BadRequest",
            "does not match the namespace")
    refused(server.call("POST", CONFIGMAPS, {"metadata": {"name": 1}}), 400, "BadRequest", "cannot unmarshal number")
    refused(server.call("POST", f"{CONFIGMAPS}?fieldValidation=Strict", dict(make("a"), spam=1)), 400, "BadRequest",
            'unknown field "spam"')
    expect(server.call("POST", CONFIGMAPS, dict(make("a"), spam=1))[0] == 201, "dropped with a warning")
    refused(server.call("POST", "/api/v1/namespaces/nosuch/configmaps", make("a")), 404, "NotFound",
            'namespaces "nosuch" not found')


def case_generated_names(server):
    names = set()
    for _ in range(20):
        code, body = server.call("POST", CONFIGMAPS, {"metadata": {"generateName": "x-"}})
        expect(code == 201, body)
        names.add(body["metadata"]["name"])
    expect(len(names) == 20 and all(n.startswith("x-") and len(n) == 7 for n in names), names)


def case_selectors(server):
    for i in range(6):
        create(server, f"c{i}", {"odd": str(i % 2), "n": str(i)})
    for selector, found in (("odd=1", "c1 c3 c5"), ("odd!=1", "c0 c2 c4"), ("n in (1,2)", "c1 c2"),
                            ("!odd", ""), ("odd,n notin (0,1,2)", "c3 c4 c5"), ("n>3", "c4 c5")):
        path = f"{CONFIGMAPS}?labelSelector=" + selector.replace(" ", "%20").replace(",", "%2C").replace(">", "%3E")
        code, body = server.call("GET", path)
        expect(code == 200 and " ".join(o["metadata"]["name"] for o in body["items"]) == found, (selector, body))
    code, body = server.call("GET", f"{CONFIGMAPS}?fieldSelector=metadata.name%3Dc3")
    expect([o["metadata"]["name"] for o in body["items"]] == ["c3"], body)
    refused(server.call("GET", f"{CONFIGMAPS}?fieldSelector=spec.x%3D1"), 400, "BadRequest", "field label not supported")
    refused(server.call("GET", f"{CONFIGMAPS}?labelSelector=a%20b"), 400, "BadRequest")


def case_lists_are_of_now(server):
    """A list begun after a write was acknowledged has it, whatever the cache had."""
    for i in range(200):
        create(server, f"c{i:03}")
        code, body = server.call("GET", CONFIGMAPS)
        expect(code == 200 and len(body["items"]) == i + 1, f"{len(body['items'])} of {i + 1}")


def case_watch_sees_all_in_order(server):
    version = server.call("GET", CONFIGMAPS)[1]["metadata"]["resourceVersion"]
    watch = server.watch(f"{CONFIGMAPS}?watch=true&resourceVersion={version}")
    last = int(version)
    for i in range(50):
        create(server, f"c{i}")
        server.call("PATCH", f"{CONFIGMAPS}/c{i}", {"data": {"a": "b"}}, "application/merge-patch+json")
        server.call("DELETE", f"{CONFIGMAPS}/c{i}")
        for kind in ("ADDED", "MODIFIED", "DELETED"):
            event = watch.next()
            expect(event["type"] == kind and event["object"]["metadata"]["name"] == f"c{i}", event)
            expect(int(event["object"]["metadata"]["resourceVersion"]) > last, event)
            last = int(event["object"]["metadata"]["resourceVersion"])
    watch.close()


def case_watch_by_selector(server):
    """An object that begins or ceases to match appears and disappears."""
    watch = server.watch(f"{CONFIGMAPS}?watch=true&labelSelector=on%3D1")
    create(server, "a")
    for value, kind in (("1", "ADDED"), ("2", "DELETED"), ("1", "ADDED")):
        server.call("PATCH", f"{CONFIGMAPS}/a", {"metadata": {"labels": {"on": value}}},
                    "application/merge-patch+json")
        event = watch.next()
        expect(event["type"] == kind, event)
    watch.close()


def case_watch_begins_with_what_is_there(server):
    create(server, "a")
    create(server, "b")
    watch = server.watch(f"{CONFIGMAPS}?watch=true")
    expect([watch.next()["object"]["metadata"]["name"] for _ in range(2)] == ["a", "b"], "initial")
    create(server, "c")
    expect(watch.next()["object"]["metadata"]["name"] == "c", "then what comes")
    watch.close()
    watch = server.watch(f"{CONFIGMAPS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
                         "&resourceVersionMatch=NotOlderThan")
    events = [watch.next() for _ in range(4)]
    expect([e["type"] for e in events] == ["ADDED", "ADDED", "ADDED", "BOOKMARK"], events)
    expect(events[3]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}, events[3])
    watch.close()


def case_watch_too_old(server):
    create(server, "a")
    for i in range(1100):
        server.call("PATCH", f"{CONFIGMAPS}/a", {"data": {"i": str(i)}}, "application/merge-patch+json")
    refused(server.call("GET", f"{CONFIGMAPS}?watch=true&resourceVersion=1"), 410, "Expired",
            "too old resource version")


def case_watch_ends_by_itself(server):
    watch = server.watch(f"{CONFIGMAPS}?watch=true&timeoutSeconds=1")
    expect(watch.next() is None, "ends")


def case_watches_end_with_the_server(server):
    watch = server.watch(f"{CONFIGMAPS}?watch=true")
    server.stop()
    expect(watch.next() is None, "ends")


def case_kill_loses_nothing(server):
    made = [create(server, f"c{i}", x=str(i)) for i in range(100)]
    server.kill()
    server.start()
    code, body = server.call("GET", CONFIGMAPS)
    expect(code == 200 and sorted(o["metadata"]["uid"] for o in body["items"])
           == sorted(o["metadata"]["uid"] for o in made), "everything that was acknowledged")


def case_identities(server):
    refused(server.call("GET", CONFIGMAPS, identity=None), 401, "Unauthorized")
    for path in ("/healthz", "/livez", "/readyz"):
        expect(server.call("GET", path, identity=None) == (200, "ok"), path)
    expect(server.call("GET", "/version", identity=None)[1]["minor"] == "32", "version")


def case_graceful_deletion(server):
    pods = "/api/v1/namespaces/default/pods"
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}}
    expect(server.call("POST", pods, pod)[0] == 201, "create")
    code, body = server.call("DELETE", f"{pods}/p")
    expect(code == 200 and body["metadata"]["deletionGracePeriodSeconds"] == 30
           and body["metadata"]["deletionTimestamp"], body)
    expect(server.call("GET", f"{pods}/p")[0] == 200, "a kubelet has to end it")
    expect(server.call("DELETE", f"{pods}/p?gracePeriodSeconds=0")[0] == 200, "now")
    expect(server.call("GET", f"{pods}/p")[0] == 404, "gone")


def case_finalizers(server):
    body = make("a")
    body["metadata"]["finalizers"] = ["example.com/f"]
    expect(server.call("POST", CONFIGMAPS, body)[0] == 201, "create")
    code, body = server.call("DELETE", f"{CONFIGMAPS}/a")
    expect(code == 200 and body["metadata"]["deletionTimestamp"], body)
    expect(server.call("GET", f"{CONFIGMAPS}/a")[0] == 200, "waits for its finalizer")
    code, body = server.call("PATCH", f"{CONFIGMAPS}/a", {"metadata": {"finalizers": None}},
                             "application/merge-patch+json")
    expect(code == 200, body)
    expect(server.call("GET", f"{CONFIGMAPS}/a")[0] == 404, "gone with it")


def case_preconditions(server):
    made = create(server, "a")
    refused(server.call("DELETE", f"{CONFIGMAPS}/a", {"preconditions": {"uid": "x"}}), 409, "Conflict",
            "Precondition failed: UID in precondition: x")
    refused(server.call("DELETE", f"{CONFIGMAPS}/a", {"preconditions": {"resourceVersion": "1"}}), 409, "Conflict")
    code, _ = server.call("DELETE", f"{CONFIGMAPS}/a", {"preconditions": {"uid": made["metadata"]["uid"]}})
    expect(code == 200, "the right one")


def case_status_is_apart(server):
    path = "/apis/apps/v1/namespaces/default/deployments"
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {
        "containers": [{"name": "c", "image": "i"}]}}}
    code, body = server.call("POST", path, {"metadata": {"name": "d"}, "spec": spec, "status": {"replicas": 7}})
    expect(code == 201 and body["metadata"]["generation"] == 1 and not body["status"], body)
    code, body = server.call("PATCH", f"{path}/d/status", {"status": {"replicas": 2}, "spec": {"replicas": 9}},
                             "application/merge-patch+json")
    expect(code == 200 and body["status"] == {"replicas": 2} and body["spec"]["replicas"] == 1
           and body["metadata"]["generation"] == 1, body)
    code, body = server.call("PATCH", f"{path}/d", {"status": {"replicas": 5}, "spec": {"replicas": 9}},
                             "application/merge-patch+json")
    expect(code == 200 and body["status"] == {"replicas": 2} and body["spec"]["replicas"] == 9
           and body["metadata"]["generation"] == 2, body)


def case_tables(server):
    create(server, "a")
    code, body = server.call("GET", CONFIGMAPS, headers={
        "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"})
    expect(code == 200 and body["kind"] == "Table" and body["rows"][0]["cells"][0] == "a"
           and body["rows"][0]["object"]["kind"] == "PartialObjectMetadata", body)


def case_an_embedded_store_has_one_owner(server):
    """An embedded store belongs to one process: a second one is refused, and the first goes on."""
    second = ApiServer(server.binary, server.store)
    try:
        second.start()
    except RuntimeError as error:
        expect("is in use by another process" in str(error), error)
    else:
        raise AssertionError("two processes on one store")
    finally:
        second.remove()
    create(server, "a")


def case_two_servers_on_three_nodes(server):
    """What one server acknowledged the other shows at once; updates through both, and nodes and a
    server killed meanwhile: nothing is lost."""
    store = os.path.join(os.path.dirname(server.binary), "kvstored")
    with Cluster(store, 3) as cluster:
        urls = ",".join(node.client_url for node in cluster.nodes)
        pair = [ApiServer(server.binary, urls), ApiServer(server.binary, urls)]
        try:
            for one in pair:
                one.start()
            for i in range(30):
                create(pair[i % 2], f"c{i}")
                found = pair[1 - i % 2].call("GET", CONFIGMAPS)[1]["items"]
                expect(len(found) == i + 1, f"the other server shows {len(found)} of {i + 1}")
            counted = _count_through_both(pair, cluster)
            expect(pair[1].call("GET", f"{CONFIGMAPS}/c0")[1]["data"] == counted, "no update is lost")
        finally:
            for one in pair:
                one.remove()


def _count_through_both(pair, cluster):
    """Members that were acknowledged, whatever was killed."""

    def patch(i):
        data = {f"k{i}": str(i)}
        for attempt in range(200):
            with contextlib.suppress(OSError, http.client.HTTPException):
                code, _ = pair[(i + attempt) % 2].call("PATCH", f"{CONFIGMAPS}/c0", {"data": data},
                                                       "application/merge-patch+json")
                if code == 200:
                    return data
        raise AssertionError(f"{data} was never acknowledged")

    counted = {}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = [pool.submit(patch, i) for i in range(60)]
        for i, one in enumerate(done):
            counted.update(one.result())
            if i == 10:
                pair[0].kill()
            if i == 20:
                cluster.nodes[0].kill()
            if i == 40:
                cluster.nodes[0].start()
    return counted
