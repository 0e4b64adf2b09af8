"""Clients that ask for much and read nothing: they cost a bounded amount, and hold nobody up."""
import os
import signal
import socket
import time

from harness.api import Client
from harness.processes import Cluster

from .scenario import scenario

HEADERS, DATA, SETTINGS = 1, 0, 4
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def field(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def call(stream, path, message):
    head = (field(b":method", b"POST") + field(b":scheme", b"http") + field(b":path", path)
            + field(b":authority", b"x") + field(b"content-type", b"application/grpc")
            + field(b"te", b"trailers"))
    body = b"\0" + len(message).to_bytes(4, "big") + message
    return frame(HEADERS, END_HEADERS, stream, head) + frame(DATA, END_STREAM, stream, body)


def deaf_client(port):
    """Asks for everything, by range and by snapshot, and never reads."""
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    everything = b"\x0a\x01\x00\x12\x01\x00"
    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
              + call(1, b"/etcdserverpb.KV/Range", everything)
              + call(3, b"/etcdserverpb.KV/Range", everything)
              + call(5, b"/etcdserverpb.Maintenance/Snapshot", b""))
    return s


@scenario
def stopped_while_nobody_reads(server):
    """SIGTERM with long answers under way: an orderly end all the same, and soon."""
    with Cluster(server, 1) as c:
        node = c.nodes[0]
        with Client(node.endpoint) as client:
            for i in range(20):
                client.call("Put", key=b"k%d" % i, value=os.urandom(500_000))
        deaf = [deaf_client(node.client_port) for _ in range(3)]
        with Client(node.endpoint) as client:
            for i in range(10):
                client.call("Put", key=b"more%d" % i, value=b"x", timeout_s=5.0)
        time.sleep(0.3)  # the answers have begun; nothing tells when
        began = time.monotonic()
        node.signal(signal.SIGTERM)
        assert node.process.wait(20) == 0, "not an orderly end"
        took = time.monotonic() - began
        node.process = None
        for s in deaf:
            s.close()
        node.start()
        node.wait_ready()
        with Client(node.endpoint) as client:
            reply = client.call("Range", key=b"more9")
            assert reply.kvs, "an acknowledged write is lost"
    return f"ended after {took:.1f} s"
