"""A kube-apiserver as a process on loopback, and a small client of its HTTPS API."""
import contextlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile

from harness.processes import free_ports, wait_until

STEP_S = float(os.environ.get("KEELSON_STEP_S", "30"))


class ApiServer:
    """The same object is started again after a kill, on the same data."""

    def __init__(self, binary, store=None):
        self.binary = binary
        self.folder = tempfile.mkdtemp(prefix="keelson-test-")
        self.store = store or f"embedded:{self.folder}/store"
        self.pki = f"{self.folder}/pki"
        self.kubeconfig = f"{self.folder}/kubeconfig"
        self.port = free_ports(1)[0]
        self.log = f"{self.folder}/log"
        self.process = None

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.kubeconfig)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "--store", self.store, "--cert-dir", self.pki, "--bind-address", "127.0.0.1",
                 "--secure-port", str(self.port), "--write-kubeconfig", self.kubeconfig],
                stdout=log, stderr=log)
        wait_until(self._serves, 60, "the API server serving")
        return self

    def _serves(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"the API server ended with {self.process.returncode}:\n{self.log_text()}")
        return os.path.exists(self.kubeconfig)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STEP_S)

    def stop(self):
        """SIGTERM; a sanitizer's report makes the exit status, and so the test, fail."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STEP_S * 2)
        if status != 0:
            raise AssertionError(f"the API server ended with {status}:\n{self.log_text()}")

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_text(self):
        with open(self.log, errors="replace") as f:
            return f.read()[-4000:]

    def connect(self, identity="admin", timeout_s=STEP_S):
        """A connection of its own; `identity` None: without a certificate."""
        context = ssl.create_default_context(cafile=f"{self.pki}/ca.crt")
        if identity:
            context.load_cert_chain(f"{self.pki}/{identity}.crt", f"{self.pki}/{identity}.key")
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=timeout_s)

    def call(self, method, path, body=None, content_type="application/json", identity="admin", headers=None):
        """(status code, decoded body)"""
        connection = self.connect(identity)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        connection.request(method, path, body, {"Content-Type": content_type, **(headers or {})})
        response = connection.getresponse()
        data = response.read()
        connection.close()
        kind = response.headers.get("Content-Type", "")
        return response.status, json.loads(data) if kind.startswith("application/json") else data.decode()

    def watch(self, path):
        return Watch(self, path)


class Watch:
    """Events of a watch, one by one."""

    def __init__(self, server, path):
        self.connection = server.connect()
        self.connection.request("GET", path)
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            raise AssertionError(f"{path}: {self.response.status} {self.response.read()}")

    def next(self):
        """The next event, or None when the server has ended the watch."""
        line = self.response.readline()
        return json.loads(line) if line else None

    def close(self):
        self.connection.close()
