"""kubectl, unmodified, on a fresh server: each case is a list of commands with what they print."""
import json
import os
import re
import shutil
import subprocess

KUBECTL = shutil.which("kubectl")


def kubectl(server, line, status=0, stdin=None, editor=""):
    done = subprocess.run([KUBECTL, *line.split()], input=stdin, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "KUBECONFIG": server.kubeconfig, "HOME": server.folder,
                               "EDITOR": editor})
    text = done.stdout + done.stderr
    if done.returncode != status:
        raise AssertionError(f"kubectl {line}: {done.returncode}\n{text}")
    return text


def says(server, line, pattern, status=0, stdin=None, editor=""):
    text = kubectl(server, line, status, stdin, editor)
    if not re.search(pattern, text, re.S):
        raise AssertionError(f"kubectl {line}: not /{pattern}/ in\n{text}")


def _object_commands(server):
    says(server, "version", r"Server Version: .*v1\.32")
    says(server, "get namespaces -o name", r"namespace/default\nnamespace/kube-node-lease\nnamespace/kube-public")
    says(server, "create configmap a --from-literal=x=1", r"configmap/a created")
    says(server, "create configmap a --from-literal=x=1", r'configmaps "a" already exists', 1)
    says(server, "get configmap a -o jsonpath={.data.x}", r"^1$")
    says(server, "label configmap a k=v", r"configmap/a labeled")
    says(server, "get configmaps -l k=v -o name", r"^configmap/a\n$")
    says(server, "annotate configmap a k=v", r"configmap/a annotated")
    says(server, "get configmap a", r"NAME +DATA +AGE\na +1 +\d+s")
    says(server, "delete configmap a", r'configmap "a" deleted')
    says(server, "get configmap a", r'\(NotFound\): configmaps "a" not found', 1)
    says(server, "create namespace Bad", r"a lowercase RFC 1123 label must consist of", 1)


def _discovery(server):
    says(server, "api-resources --api-group=apps", r"deployments +deploy +apps/v1 +true +Deployment")
    says(server, "api-versions", r"autoscaling/v1\nautoscaling/v2\nbatch/v1")


def _workloads(server):
    says(server, "create deployment web --image=nginx --replicas=2", r"deployment.apps/web created")
    says(server, "get deployment web -o jsonpath={.spec.replicas}", r"^2$")
    says(server, "run p --image=nginx", r"pod/p created")
    says(server, "get pods -o name", r"^pod/p\n$")
    says(server, "delete pod p", r'pod "p" deleted')
    says(server, "create role r --verb=get --resource=pods", r"role.rbac.authorization.k8s.io/r created")
    says(server, "create secret generic s --from-literal=a=b", r"secret/s created")
    says(server, "get secret s -o jsonpath={.data.a}", r"^Yg==$")


def _tables(server):
    kubectl(server, "create deployment web --image=nginx --replicas=2")
    says(server, "get deployments", r"^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0/2 +0 +0 +\d+s\n$")
    says(server, "get deployments -o wide", r" AGE +CONTAINERS +IMAGES +SELECTOR\nweb .* nginx +nginx +app=web\n$")
    kubectl(server, "run p --image=nginx")
    says(server, "get pods -o wide", r"NODE +NOMINATED NODE +READINESS GATES\np +0/1 +(Pending +)?0 +\d+s +<none> +<none>")
    kubectl(server, "create role r --verb=get --resource=pods")
    says(server, "get roles", r"^NAME +CREATED AT\nr +20\d\d-\d\d-\d\dT[0-9:]+Z\n$")
    kubectl(server, "create quota q --hard=pods=1")
    says(server, "get quota", r"^NAME +AGE +REQUEST +LIMIT\nq ")
    says(server, "get namespace default", r"^NAME +STATUS +AGE\ndefault +(Active +)?\d+s\n$")


def _strategic_patch(server):
    says(server, "create deployment web --image=nginx", r"created")
    says(server, "patch deployment web --type=strategic -p {\"spec\":{\"template\":{\"spec\":{\"containers\":"
         "[{\"name\":\"side\",\"image\":\"busybox\"}]}}}}", r"deployment.apps/web patched\n$")
    says(server, "get deployment web -o jsonpath={.spec.template.spec.containers[*].name}", r"^side nginx$")
    says(server, "set image deployment/web nginx=nginx:2", r"deployment.apps/web image updated")
    says(server, "get deployment web -o jsonpath={.spec.template.spec.containers[*].image}", r"^busybox nginx:2$")
    says(server, "patch deployment web -p {\"spec\":{\"replicas\":1}}", r"deployment.apps/web patched \(no change\)")


def _config(name, **data):
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: %s\n" % (name, json.dumps(data))


def _server_side_apply(server):
    """Two managers: conflict, force, co-ownership, and a field that goes with its last owner."""
    apply = "apply --server-side --validate=false -f -"
    says(server, apply, r"configmap/shared serverside-applied", stdin=_config("shared", one="1", two="2"))
    says(server, f"{apply} --field-manager=bot",
         r'Apply failed with 1 conflict: conflict with "kubectl": \.data\.two\n', 1, _config("shared", two="22"))
    says(server, f"{apply} --field-manager=bot --force-conflicts", r"serverside-applied",
         stdin=_config("shared", two="22"))
    says(server, apply, r"serverside-applied", stdin=_config("shared", one="1", two="22"))
    says(server, apply, r"serverside-applied", stdin=_config("shared", two="22"))
    says(server, "get cm shared -o jsonpath={.data}", r'^{"two":"22"}$')
    says(server, "get cm shared -o jsonpath={range.metadata.managedFields[*]}{.manager},{.operation},{.fieldsV1};{end}",
         r'^bot,Apply,{"f:data":{"f:two":{}}};kubectl,Apply,{"f:data":{"f:two":{}}};$')
    says(server, f"{apply} --dry-run=server", r"configmap/new serverside-applied \(server dry run\)",
         stdin=_config("new", k="v"))
    says(server, "get cm new", r"not found", 1)


def _deployment(replicas):
    return json.dumps({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ssa"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}})


def _apply_after_edits(server):
    """kubectl edit takes a field from the one that applied it: the next apply says so."""
    says(server, "apply --server-side --validate=false -f -", r"deployment.apps/ssa serverside-applied",
         stdin=_deployment(1))
    editor = os.path.join(server.folder, "editor")
    with open(editor, "w", encoding="ascii") as script:
        script.write('#!/bin/sh\nsed -i "s/replicas: 1/replicas: 3/" "$1"\n')
    os.chmod(editor, 0o755)
    says(server, "edit deployment ssa --validate=false", r"deployment.apps/ssa edited", editor=editor)
    says(server, "get deployment ssa -o jsonpath={.spec.replicas}", r"^3$")
    says(server, "apply --server-side --validate=false -f -",
         r'1 conflict: conflict with "kubectl-edit" using apps/v1: \.spec\.replicas\n', 1, _deployment(1))
    says(server, "apply --server-side --validate=false --force-conflicts -f -", r"serverside-applied",
         stdin=_deployment(1))
    says(server, "get deployment ssa -o jsonpath={.spec.replicas}", r"^1$")


def _client_side_apply(server):
    apply = "apply --validate=false -f -"
    says(server, apply, r"deployment.apps/ssa created", stdin=_deployment(1))
    says(server, apply, r"deployment.apps/ssa unchanged", stdin=_deployment(1))
    says(server, apply, r"deployment.apps/ssa configured", stdin=_deployment(2))
    says(server, "get deployment ssa -o jsonpath={.spec.replicas}", r"^2$")
    says(server, "apply --server-side --validate=false -f -", r"serverside-applied", stdin=_deployment(4))
    says(server, "get deployment ssa -o jsonpath={.metadata.annotations}", r'\\"replicas\\":4')


if KUBECTL:
    case_kubectl_server_side_apply = _server_side_apply
    case_kubectl_apply_after_edits = _apply_after_edits
    case_kubectl_client_side_apply = _client_side_apply
    case_kubectl_strategic_patch = _strategic_patch


BAD_POD = """
apiVersion: v1
kind: Pod
metadata: {name: bad}
spec:
  restartPolicy: Sometimes
  containers:
  - {name: UP, image: ""}
  - {name: b, image: x, imagePullPolicy: Often, ports: [{containerPort: 0}], volumeMounts: [{name: nov, mountPath: /x}]}
"""

BAD_SELECTOR = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: b}}
    spec: {containers: [{name: c, image: nginx}]}
"""


def _defaults(server):
    says(server, "run p --image=nginx", r"pod/p created")
    says(server, "get pod p -o jsonpath={.spec.restartPolicy},{.spec.dnsPolicy},{.spec.schedulerName},"
         "{.spec.containers[0].imagePullPolicy},{.status.phase},{.status.qosClass}",
         r"^Always,ClusterFirst,default-scheduler,Always,Pending,BestEffort$")
    says(server, "create deployment web --image=nginx", r"created")
    says(server, "get deployment web -o jsonpath={.spec.strategy.rollingUpdate.maxSurge},{.spec.progressDeadlineSeconds}",
         r"^25%,600$")
    # What a client takes away again is filled in again.
    kubectl(server, "patch deployment web --type=json -p [{\"op\":\"remove\",\"path\":\"/spec/replicas\"}]")
    says(server, "get deployment web -o jsonpath={.spec.replicas}", r"^1$")
    says(server, "create job j --image=busybox -- true", r"created")
    says(server, "get job j -o jsonpath={.spec.backoffLimit},{.metadata.labels.job-name}", r"^6,j$")
    says(server, "create namespace n", r"created")
    says(server, "get namespace n -o jsonpath={.metadata.labels},{.spec.finalizers},{.status.phase}",
         r'^\{"kubernetes.io/metadata.name":"n"\},\["kubernetes"\],Active$')
    says(server, "create service clusterip s --tcp=80", r"service/s created")
    says(server, "get service s -o jsonpath={.spec.type},{.spec.sessionAffinity},{.spec.ports[0].protocol}",
         r"^ClusterIP,None,TCP$")


def _refusals(server):
    says(server, "create --validate=false -f -", r'The Pod "bad" is invalid: \n'
         r'\* spec.containers\[0\].name: Invalid value: "UP": a lowercase RFC 1123 label must [^\n]*\n'
         r'\* spec.containers\[0\].image: Required value\n'
         r'\* spec.containers\[1\].ports\[0\].containerPort: Required value\n'
         r'\* spec.containers\[1\].volumeMounts\[0\].name: Not found: "nov"\n'
         r'\* spec.containers\[1\].imagePullPolicy: Unsupported value: "Often": supported values: [^\n]*\n'
         r'\* spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
         1, BAD_POD)
    says(server, "create --validate=false -f -", r'The Deployment "d" is invalid: spec.template.metadata.labels: Invalid value: '
         r'map\[string\]string\{"app":"b"\}: `selector` does not match template `labels`', 1, BAD_SELECTOR)
    kubectl(server, "create deployment web --image=nginx")
    says(server, "scale deployment web --replicas=-1", r"", 1)
    kubectl(server, "run p --image=nginx")
    patch = 'patch pod p --type=merge -p {"spec":{"%s"}}'
    says(server, patch % 'restartPolicy":"Never', r'The Pod "p" is invalid: spec: Forbidden: pod updates may not change', 1)
    kubectl(server, 'patch pod p --type=json -p [{"op":"replace","path":"/spec/containers/0/image","value":"nginx:2"}]')
    kubectl(server, "create secret generic sec --from-literal=a=b")
    says(server, 'patch secret sec --type=merge -p {"type":"other"}',
         r'The Secret "sec" is invalid: type: Invalid value: "other": field is immutable', 1)
    kubectl(server, "create configmap fixed --from-literal=k=v")
    kubectl(server, 'patch configmap fixed --type=merge -p {"immutable":true}')
    says(server, 'patch configmap fixed --type=merge -p {"data":{"k":"w"}}',
         r'The ConfigMap "fixed" is invalid: data: Forbidden: field is immutable when `immutable` is set', 1)


if KUBECTL:
    case_kubectl_defaults = _defaults
    case_kubectl_refusals = _refusals
    case_kubectl_objects = _object_commands
    case_kubectl_discovery = _discovery
    case_kubectl_workloads = _workloads
    case_kubectl_tables = _tables
