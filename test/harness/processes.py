"""Starts stores as processes on loopback, waits for them, signals them by pid, keeps their logs.

The binary is a parameter: etcd and kvstored take the same flags, so that every test can be run
against both. Nothing here sleeps for a fixed time: it polls for the event with a deadline.
"""
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ETCD = "/usr/bin/etcd"
# Other test processes choose at the same time: seeded by the system, not by the test.
_PORTS = random.SystemRandom()
# kvstored may run under sanitizers, on a busy machine.
READY_S = float(os.environ.get("KEELSON_READY_S", "60"))
# What a sanitizer or a failed assertion leaves in a log.
_COMPLAINT = re.compile(r"^.*(?:\w+Sanitizer\b|: runtime error: |: assertion failed: ).*$", re.M)


class ServerFault(RuntimeError):
    """A server did what none may do, whether or not the test has noticed."""


def complaint(text):
    """From the first line that a sanitizer or an assertion wrote, at most 4,000 characters; or ""."""
    found = _COMPLAINT.search(text)
    return text[found.start():found.start() + 4000] if found else ""


def free_ports(n):
    """`n` loopback ports that nobody listens on, below the range of outgoing connections: a port
    of that range could be taken by somebody's connection before the server binds it."""
    ports = []
    while len(ports) < n:
        port = _PORTS.randrange(15000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def wait_until(condition, timeout_s, what, interval_s=0.02):
    """The first true value of `condition`, or TimeoutError naming `what`."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {timeout_s:g} s")
        time.sleep(interval_s)


def is_etcd(binary):
    return os.path.basename(binary) == "etcd"


class Node:
    """One server process. The same object is started again after a kill, on the same data."""

    def __init__(self, binary, name, folder, client_port, peer_port, flags=(), scheme="http"):
        self.scheme = scheme
        self.binary = binary
        self.name = name
        self.folder = folder
        self.client_port = client_port
        self.peer_port = peer_port
        self.flags = list(flags)
        self.initial_cluster = None
        self.initial_state = "new"
        self.token = "keelson-test"
        self.tls = None  # an ssl.SSLContext, for the health checks of a node with TLS
        self.process = None
        self.starts = 0

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.client_port}"

    @property
    def client_url(self):
        return f"{self.scheme}://127.0.0.1:{self.client_port}"

    @property
    def peer_url(self):
        return f"{self.scheme}://127.0.0.1:{self.peer_port}"

    @property
    def data_dir(self):
        return os.path.join(self.folder, self.name)

    @property
    def log_path(self):
        return os.path.join(self.folder, f"{self.name}.log")

    def argv(self):
        argv = [
            self.binary,
            "--name", self.name,
            "--data-dir", self.data_dir,
            "--listen-client-urls", self.client_url,
            "--advertise-client-urls", self.client_url,
            "--listen-peer-urls", self.peer_url,
            "--initial-advertise-peer-urls", self.peer_url,
            "--initial-cluster", self.initial_cluster,
            "--initial-cluster-token", self.token,
            "--initial-cluster-state", self.initial_state,
        ]
        if is_etcd(self.binary):
            argv += ["--logger", "zap", "--log-outputs", "stderr"]
        return argv + self.flags

    def start(self):
        assert self.process is None
        self.starts += 1
        log = open(self.log_path, "ab")
        env = {k: v for k, v in os.environ.items() if not k.startswith("ETCD")}
        self.process = subprocess.Popen(
            self.argv(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env, cwd=self.folder
        )
        log.close()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def health(self, timeout_s=1.0):
        try:
            with urllib.request.urlopen(self.client_url + "/health", timeout=timeout_s,
                                        context=self.tls) as reply:
                return json.load(reply).get("health") == "true"
        except (OSError, ValueError, urllib.error.URLError):
            return False

    def wait_ready(self, timeout_s=READY_S):
        def ready():
            if not self.is_running():
                raise RuntimeError(f"{self.name} ended by itself:\n{self.log_tail()}")
            return self.health()

        try:
            wait_until(ready, timeout_s, f"{self.name} healthy")
        except TimeoutError as e:
            raise TimeoutError(f"{e}\n{self.log_tail()}") from None

    def signal(self, number):
        self.process.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """kill -9, and wait until the process is gone. Returns its exit status."""
        if self.process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        status = self.process.wait()
        self.process = None
        return status

    def stop(self, timeout_s=20.0):
        """SIGTERM; kill -9 only if that does not help. Returns the exit status."""
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            status = self.process.wait()
        self.process = None
        return status

    def fault(self):
        """What a sanitizer or an assertion said in any of this node's lives, or ""."""
        try:
            with open(self.log_path, errors="replace") as log:
                found = complaint(log.read())
        except OSError:
            return ""
        return f"{self.name}: {found}" if found else ""

    def log_tail(self, lines=40):
        try:
            with open(self.log_path, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""


class Cluster:
    """A context manager over `n` nodes; its folder is removed unless the test fails. A test that has
    passed fails all the same if one of our nodes has complained, or does not end in order."""

    def __init__(self, binary, n=1, flags=(), start=True, folder=None, scheme="http"):
        self.scheme = scheme
        self.binary = binary
        self.flags = list(flags)
        self.base = folder
        self.n_first = n
        self.start_now = start
        self.nodes = []
        self.folder = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="keelson-test-", dir=self.base)
        for _ in range(self.n_first):
            self._new_node()
        for node in self.nodes:
            node.initial_cluster = self.initial_cluster()
        if self.start_now:
            try:
                self.start()
            except BaseException:
                self.__exit__(RuntimeError, None, None)
                raise
        return self

    def __exit__(self, kind, value, trace):
        faults = []
        if kind is None and not is_etcd(self.binary):
            faults += self._end_in_order()
        for node in self.nodes:
            if node.is_running():
                with contextlib.suppress(ProcessLookupError):
                    node.resume()
            node.kill()
        faults += [f for f in (node.fault() for node in self.nodes) if f]
        if kind is None and not faults:
            if not os.environ.get("KEELSON_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)
            return False
        print(f"kept for study: {self.folder}")
        for node in self.nodes:
            print(f"--- end of {node.name}.log\n{node.log_tail(15)}")
        for fault in faults:
            print(f"--- {fault}")
        if kind is None:
            raise ServerFault("\n".join(faults))
        return False

    def _end_in_order(self):
        """SIGTERM to all that still run, so that leaks are looked for. Returns what went wrong."""
        running = [n for n in self.nodes if n.is_running()]
        for node in running:
            node.resume()
            node.signal(signal.SIGTERM)
        wrong = []
        end = time.monotonic() + READY_S
        for node in running:
            try:
                status = node.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                status = f"none within {READY_S:g} s"
            if status != 0:
                wrong.append(f"{node.name}: exit status after SIGTERM: {status}")
        return wrong

    def _new_node(self):
        client_port, peer_port = free_ports(2)
        node = Node(
            self.binary, f"n{len(self.nodes) + 1}", self.folder, client_port, peer_port, self.flags,
            self.scheme,
        )
        self.nodes.append(node)
        return node

    def initial_cluster(self, nodes=None):
        return ",".join(f"{n.name}={n.peer_url}" for n in (nodes or self.nodes))

    def start(self):
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_ready()

    def add_node(self, joining=None):
        """A node that is not started yet and will join the running members `joining`."""
        members = list(joining if joining is not None else self.nodes)
        node = self._new_node()
        node.initial_state = "existing"
        node.initial_cluster = self.initial_cluster(members + [node])
        return node

    @property
    def endpoints(self):
        return [n.endpoint for n in self.nodes if n.is_running()]
