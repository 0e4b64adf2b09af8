"""kubectl, unmodified, on a fresh server: each case is a list of commands with what they print."""
import os
import re
import shutil
import subprocess

KUBECTL = shutil.which("kubectl")


def kubectl(server, line, status=0, stdin=None):
    done = subprocess.run([KUBECTL, *line.split()], input=stdin, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "KUBECONFIG": server.kubeconfig, "HOME": server.folder})
    text = done.stdout + done.stderr
    if done.returncode != status:
        raise AssertionError(f"kubectl {line}: {done.returncode}\n{text}")
    return text


def says(server, line, pattern, status=0, stdin=None):
    text = kubectl(server, line, status, stdin)
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


if KUBECTL:
    case_kubectl_strategic_patch = _strategic_patch
    case_kubectl_objects = _object_commands
    case_kubectl_discovery = _discovery
    case_kubectl_workloads = _workloads
    case_kubectl_tables = _tables
