"""TLS and mutual TLS, between members and for clients: with the right certificates everything works,
with others nothing does."""
import os
import shutil
import ssl
import subprocess

import grpc

from harness.processes import Cluster

from .scenario import Skip, scenario


class Authority:
    """A certificate authority in a folder, made with the openssl command."""

    def __init__(self, folder, name):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.name = name
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", f"/CN={name}", "-keyout", self.path("ca.key"), "-out", self.ca,
                      "-addext", "basicConstraints=critical,CA:TRUE",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    @property
    def ca(self):
        return self.path("ca.crt")

    def path(self, name):
        return os.path.join(self.folder, f"{self.name}-{name}")

    def _openssl(self, *args):
        subprocess.run(["openssl", *args], check=True, capture_output=True)

    def issue(self, name):
        """A certificate for loopback, good for servers and clients. Returns (certificate, key)."""
        crt, key, csr, ext = (self.path(f"{name}.{s}") for s in ("crt", "key", "csr", "ext"))
        with open(ext, "w") as f:
            f.write("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n"
                    "keyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", f"/CN={name}", "-keyout", key, "-out", csr)
        self._openssl("x509", "-req", "-in", csr, "-CA", self.ca, "-CAkey", self.path("ca.key"), "-CAcreateserial",
                      "-days", "2", "-extfile", ext, "-out", crt)
        return crt, key


def secure(cluster, authority, peers=None):
    """Flags and health checks of mutual TLS for all nodes of a cluster that is not started yet."""
    peers = peers or authority
    crt, key = authority.issue("server")
    for node in cluster.nodes:
        peer_crt, peer_key = peers.issue(f"peer-{node.name}")
        node.flags += ["--cert-file", crt, "--key-file", key, "--trusted-ca-file", authority.ca, "--client-cert-auth",
                       "--peer-cert-file", peer_crt, "--peer-key-file", peer_key, "--peer-trusted-ca-file", peers.ca,
                       "--peer-client-cert-auth"]
        node.tls = ssl.create_default_context(cafile=authority.ca)
        node.tls.load_cert_chain(crt, key)


def etcdctl(node, authority, pair, *args):
    crt, key = pair
    env = {k: v for k, v in os.environ.items() if not k.startswith("ETCD")}
    env["ETCDCTL_API"] = "3"
    argv = ["etcdctl", "--endpoints", node.client_url, "--cacert", authority.ca, "--dial-timeout", "2s",
            "--command-timeout", "4s"]
    if crt is not None:
        argv += ["--cert", crt, "--key", key]
    return subprocess.run(argv + list(args), capture_output=True, text=True, env=env, timeout=30)


def need_tools():
    for tool in ("openssl", "etcdctl"):
        if shutil.which(tool) is None:
            raise Skip(f"{tool} is not installed")


@scenario
def mutual_tls(server):
    need_tools()
    with Cluster(server, 3, start=False, scheme="https") as c:
        right = Authority(c.folder, "right")
        wrong = Authority(c.folder, "wrong")
        secure(c, right)
        c.start()
        client = right.issue("client")
        done = etcdctl(c.nodes[0], right, client, "put", "a", "1")
        assert done.returncode == 0 and done.stdout == "OK\n", done
        done = etcdctl(c.nodes[2], right, client, "get", "a", "--print-value-only")
        assert done.stdout == "1\n", done
        done = etcdctl(c.nodes[1], right, client, "endpoint", "health", "--cluster")
        assert done.returncode == 0, done
        assert etcdctl(c.nodes[0], right, (None, None), "get", "a").returncode != 0, "no certificate was needed"
        assert etcdctl(c.nodes[0], right, wrong.issue("client"), "get", "a").returncode != 0, "any authority will do"
        c.nodes[0].kill()
        assert etcdctl(c.nodes[1], right, client, "put", "b", "2").returncode == 0
        check_grpc_core(c.nodes[1], right, client)


def check_grpc_core(node, authority, pair):
    """ALPN and certificates as the gRPC C core does them."""
    def read(path):
        with open(path, "rb") as f:
            return f.read()

    credentials = grpc.ssl_channel_credentials(read(authority.ca), read(pair[1]), read(pair[0]))
    with grpc.secure_channel(node.endpoint, credentials) as channel:
        call = channel.unary_unary("/etcdserverpb.Maintenance/Status", request_serializer=bytes,
                                   response_deserializer=bytes)
        assert len(call(b"", timeout=10)) > 0


@scenario
def plain_client_of_a_tls_port(server):
    """Bytes that are no TLS close the connection and disturb nobody."""
    need_tools()
    with Cluster(server, 1, start=False, scheme="https") as c:
        right = Authority(c.folder, "right")
        secure(c, right)
        c.start()
        with grpc.insecure_channel(c.nodes[0].endpoint) as channel:
            call = channel.unary_unary("/etcdserverpb.Maintenance/Status", request_serializer=bytes,
                                       response_deserializer=bytes)
            try:
                call(b"", timeout=3)
                raise AssertionError("a plain request was answered")
            except grpc.RpcError:
                pass
        assert c.nodes[0].health()


@scenario
def peer_with_a_foreign_certificate(server):
    """A member whose certificate another authority signed takes no part; the two others go on."""
    need_tools()
    with Cluster(server, 3, start=False, scheme="https") as c:
        right = Authority(c.folder, "right")
        secure(c, right)
        crt, key = Authority(c.folder, "wrong").issue("peer")
        flags = c.nodes[2].flags
        flags[flags.index("--peer-cert-file") + 1] = crt
        flags[flags.index("--peer-key-file") + 1] = key
        for node in c.nodes:
            node.start()
        for node in c.nodes[:2]:
            node.wait_ready()
        client = right.issue("client")
        assert etcdctl(c.nodes[0], right, client, "put", "a", "1").returncode == 0
        assert not c.nodes[2].health(), "the member with the foreign certificate is healthy"
