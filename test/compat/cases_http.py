"""Plain HTTP/1.1 on the client port."""
from .steps import case, http

case("http/health", http("GET", "/health"))
case("http/health by POST", http("POST", "/health", body=""))
case("http/unknown path", http("GET", "/nothing/here"))
