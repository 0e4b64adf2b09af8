"""OpenAPI: documents over HTTPS, v2's protobuf as gnostic defines it, and kubectl that reads them."""
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

from cases_api import expect, refused
from cases_kubectl import KUBECTL, says

OLD_PROTO = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def get(server, path, identity="admin", **headers):
    """(status, headers, body)"""
    connection = server.connect(identity)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, response.headers, body


def case_openapi_v3(server):
    status, headers, body = get(server, "/openapi/v3")
    paths = json.loads(body)["paths"]
    expect(status == 200 and headers["Content-Type"] == "application/json", headers)
    expect({"api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "version"} <= set(paths), paths)
    for name, entry in paths.items():
        url = entry["serverRelativeURL"]
        status, headers, body = get(server, url)
        tag = headers["ETag"]
        expect(status == 200 and url == f"/openapi/v3/{name}?hash={tag.strip(chr(34))}", (url, tag))
        expect("immutable" in headers["Cache-Control"], headers)
        expect(json.loads(body)["openapi"] == "3.0.0", name)
    status, headers, body = get(server, "/openapi/v3/version?hash=0000000000000000")
    expect((status, headers["Location"], body) == (301, paths["version"]["serverRelativeURL"], b""), headers)
    status, headers, _ = get(server, "/openapi/v3/apis/apps/v1")
    expect(status == 200 and headers["Cache-Control"].startswith("no-cache"), headers)
    status, again, body = get(server, "/openapi/v3/apis/apps/v1", If_None_Match=f'"x", {headers["ETag"]}')
    expect((status, again["ETag"], body) == (304, headers["ETag"], b""), (status, again))
    expect(get(server, "/openapi/v3/apis/apps/v1", If_None_Match='"x"')[0] == 200, "another tag")
    refused(server.call("GET", "/openapi/v3/apis/nothing/v1"), 404, "NotFound")
    refused(server.call("GET", "/openapi/v3", identity=None), 401, "Unauthorized")


def case_openapi_v2(server):
    status, headers, body = get(server, "/openapi/v2")
    document = json.loads(body)
    expect(status == 200 and headers["Content-Type"] == "application/json" and document["swagger"] == "2.0", headers)
    expect("io.k8s.api.apps.v1.Deployment" in document["definitions"], "definitions")
    expect("patch" in document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"], "paths")
    expect(get(server, "/openapi/v2", If_None_Match=headers["ETag"])[0] == 304, "not modified")
    status, proto, body = get(server, "/openapi/v2", Accept=OLD_PROTO)
    expect(status == 200 and proto["Content-Type"] == "application/octet-stream" and body, proto)
    expect(proto["ETag"] != headers["ETag"] and proto["Vary"] == "Accept", proto)


# ---- v2's protobuf, read with the definitions of its authors ----

GNOSTIC = "gocode/src/github.com/google/gnostic-models"
PROTO = next((root for root in (f"/usr/share/{GNOSTIC}", f"/usr/local/share/keelson/{GNOSTIC}")
              if os.path.exists(f"{root}/openapiv2/OpenAPIv2.proto") and shutil.which("protoc")), None)

ANY_PROTO = 'syntax = "proto3"; package google.protobuf; message Any { string type_url = 1; bytes value = 2; }'


def load_gnostic(folder):
    """The module of OpenAPIv2.proto, made by protoc; Any is part of protobuf itself."""
    os.makedirs(f"{folder}/include/google/protobuf")
    with open(f"{folder}/include/google/protobuf/any.proto", "w", encoding="ascii") as f:
        f.write(ANY_PROTO)
    subprocess.run(["protoc", f"--python_out={folder}", f"-I{PROTO}", f"-I{folder}/include",
                    "openapiv2/OpenAPIv2.proto"], check=True, timeout=60)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("openapiv2.OpenAPIv2_pb2")
    finally:
        sys.path.remove(folder)


def nothing_unknown(message):
    expect(not message.UnknownFields(), f"unknown fields in {type(message).__name__}")
    for field, value in message.ListFields():
        if field.message_type:
            for one in value if field.label == field.LABEL_REPEATED else [value]:
                nothing_unknown(one)


def with_extensions(message, into):
    for extension in message.vendor_extension:
        into[extension.name] = json.loads(extension.value.yaml)
    return into


def schema_of(message):
    found = {name: getattr(message, field) for name, field in
             (("$ref", "_ref"), ("format", "format"), ("description", "description")) if getattr(message, field)}
    if message.required:
        found["required"] = list(message.required)
    if message.enum:
        found["enum"] = [json.loads(value.yaml) for value in message.enum]
    if message.HasField("type"):
        found["type"], = message.type.value
    if message.HasField("items"):
        found["items"] = schema_of(*message.items.schema)
    if message.HasField("additional_properties"):
        found["additionalProperties"] = schema_of(message.additional_properties.schema)
    if message.HasField("properties"):
        found["properties"] = {named.name: schema_of(named.value)
                               for named in message.properties.additional_properties}
    return with_extensions(message, found)


def parameter_of(message):
    found = {}
    if message.parameter.HasField("body_parameter"):
        parameter = message.parameter.body_parameter
        found["schema"] = schema_of(parameter.schema)
    else:
        other = message.parameter.non_body_parameter
        parameter = getattr(other, other.WhichOneof("oneof"))
        found["type"] = parameter.type
        found["uniqueItems"] = parameter.unique_items
    for name in "name", "in", "description":
        if getattr(parameter, name):
            found[name] = getattr(parameter, name)
    if parameter.required:
        found["required"] = True
    return found


def operation_of(message):
    found = {"description": message.description, "operationId": message.operation_id, "responses": {}}
    for name in "tags", "produces", "consumes":
        if getattr(message, name):
            found[name] = list(getattr(message, name))
    if message.parameters:
        found["parameters"] = [parameter_of(parameter) for parameter in message.parameters]
    for named in message.responses.response_code:
        response = named.value.response
        found["responses"][named.name] = {"description": response.description}
        if response.HasField("schema"):
            found["responses"][named.name]["schema"] = schema_of(response.schema.schema)
    return with_extensions(message, found)


def path_of(message):
    found = {name: operation_of(getattr(message, name)) for name in ("get", "put", "post", "delete", "patch")
             if message.HasField(name)}
    if message.parameters:
        found["parameters"] = [parameter_of(parameter) for parameter in message.parameters]
    return found


def _protobuf_says_what_json_says(server):
    with tempfile.TemporaryDirectory(prefix="keelson-test-") as folder:
        document = load_gnostic(folder).Document()
    document.ParseFromString(get(server, "/openapi/v2", Accept=OLD_PROTO)[2])
    nothing_unknown(document)
    found = {"swagger": document.swagger,
             "info": {"title": document.info.title, "version": document.info.version},
             "paths": {named.name: path_of(named.value) for named in document.paths.path},
             "definitions": {named.name: schema_of(named.value)
                             for named in document.definitions.additional_properties}}
    expect(found == json.loads(get(server, "/openapi/v2")[2]), "the same in both forms")


if PROTO:
    case_openapi_v2_protobuf = _protobuf_says_what_json_says


# ---- kubectl ----

POD = """apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  containers: [{name: c, image: nginx%s}]
"""

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {x: "%s"}
"""


def _explain(server):
    says(server, "explain pod.spec.containers",
         r"KIND: +Pod\nVERSION: +v1\n\nFIELD: containers <\[\]Container>\n.*"
         r"  name\t<string> -required-\n.*  resources\t<ResourceRequirements>\n")
    says(server, "explain pod.spec.restartPolicy",
         r"FIELD: restartPolicy <string>\nENUM:\n    Always\n    Never\n    OnFailure\n")
    says(server, "explain pod.spec.containers.resources.limits", r"FIELD: limits <map\[string\]Quantity>")
    says(server, "explain service.spec.ports.targetPort", r"FIELD: targetPort <IntOrString>")
    says(server, "explain hpa", r"GROUP: +autoscaling\nKIND: +HorizontalPodAutoscaler\nVERSION: +v2\n")
    says(server, "explain deployment --recursive",
         r"GROUP: +apps\n.*\n    template\t<PodTemplateSpec> -required-\n.*"
         r"\n        containers\t<\[\]Container> -required-\n.*\n  status\t<DeploymentStatus>\n")
    says(server, "explain pod.spec.nothing", r'field "nothing" does not exist', 1)
    says(server, "explain pod.spec.nodeSelector --output=plaintext-openapiv2",
         r"FIELD:    nodeSelector <map\[string\]string>")


def _validation(server):
    says(server, "create -f -", r"pod/p created", 0, POD % ("p", ""))
    says(server, "create -f -", r'strict decoding error: unknown field "spec.containers\[0\].imagePolicy"',
         1, POD % ("q", ", imagePolicy: Always"))
    says(server, "create -f - --validate=warn", r'pod/q created\nWarning: unknown field "spec.containers\[0\].imagePolicy"',
         0, POD % ("q", ", imagePolicy: Always"))
    says(server, "apply -f -", r'strict decoding error: unknown field "spec.containers\[0\].imagePolicy"',
         1, POD % ("r", ", imagePolicy: Always"))
    says(server, "apply -f -", r"configmap/a created", 0, CONFIG % 1)
    says(server, "apply -f - --dry-run=server", r"pod/r created \(server dry run\)", 0, POD % ("r", ""))
    says(server, "get pods -o name", r"^pod/p\npod/q\n$")


# An old kubectl (1.20) reads v2 alone, in protobuf, and validates by itself.
OLD_KUBECTL = os.environ.get("KEELSON_OLD_KUBECTL")

OLD_CASES = (
    ("create -f -", POD.replace("containers", "container") % ("p", ""),
     'error: error validating "STDIN": error validating data: [ValidationError(Pod.spec): unknown field "container" in'
     ' io.k8s.api.core.v1.PodSpec, ValidationError(Pod.spec): missing required field "containers" in'
     ' io.k8s.api.core.v1.PodSpec]; if you choose to ignore'),
    ("create -f -", POD % ("p", ", ports: [{containerPort: http}]"),
     "ValidationError(Pod.spec.containers[0].ports[0].containerPort): invalid type for"
     ' io.k8s.api.core.v1.ContainerPort.containerPort: got "string", expected "integer"'),
    ("create -f -", POD % ("p", ", resources: {limits: {cpu: 1, memory: 1Gi}}"), "pod/p created"),
    ("apply -f - --dry-run=server", CONFIG % 1, "configmap/a created (server dry run)"),
    ("explain pod.spec.tolerations --recursive", None,
     "RESOURCE: tolerations <[]Object>\n\nDESCRIPTION:\n     If specified, the pod's tolerations.\n\n"
     "     The pod this Toleration is attached to tolerates any taint that matches the\n"
     "     triple <key,value,effect> using the matching operator <operator>.\n\n"
     "FIELDS:\n   effect\t<string>\n   key\t<string>\n   operator\t<string>\n"
     "   tolerationSeconds\t<integer>\n   value\t<string>\n"),
)


def _old_kubectl(server):
    environment = {**os.environ, "KUBECONFIG": server.kubeconfig, "HOME": server.folder}
    for line, body, wanted in OLD_CASES:
        done = subprocess.run([OLD_KUBECTL, *line.split()], input=body, capture_output=True, text=True, timeout=60,
                              env=environment, check=False)
        expect(wanted in done.stdout + done.stderr, f"{line}: not {wanted} in {done.stdout}{done.stderr}")


if OLD_KUBECTL:
    case_openapi_old_kubectl = _old_kubectl

if KUBECTL:
    case_kubectl_explain = _explain
    case_kubectl_validation = _validation
