"""Requests to methods and services that are not there.

Sort options out of range are not here: they make etcd 3.4 stop. test/unit asks our codec.
"""
from .steps import case, call

case("errors/unknown method", call("UnknownMethod"))
case("errors/unknown service", call("UnknownService"))
