"""The interface under an attacker's hands: slow and broken requests, huge parameters, wrong tokens, other sites' pages."""

import json
import socket
import time
import urllib.parse

SLOW = 300
PROMPT = 1.0


def run(report, world):
    report.chapter("an attacker: requests that never end", slow, report, world)
    report.chapter("an attacker: parameters and paths", strange, report, world)
    report.chapter("an attacker: tokens and other sites", tokens, report, world)


def raw(world, request, seconds=5):
    """What the server answers to these very bytes; empty where it only hangs up."""
    with socket.create_connection(("127.0.0.1", world.mesh.ports["health"]), timeout=seconds) as connection:
        try:
            connection.sendall(request)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        except OSError:
            pass
        return answer.decode("utf-8", "replace")


def slow(report, world):
    mesh = world.mesh
    held = []
    try:
        for number in range(SLOW):
            connection = socket.create_connection(("127.0.0.1", mesh.ports["health"]), timeout=5)
            # Half of them never end their head, the others never their body.
            connection.sendall(
                b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: a" if number % 2 else
                b"POST /brake HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{")  # fmt: skip
            held.append(connection)
        worst = 0.0
        for turn in range(40):
            for connection in held[turn::40]:
                try:
                    connection.sendall(b"a")
                except OSError:
                    pass  # the server may hang up on it whenever it likes
            began = time.monotonic()
            status = mesh.http("/livez")[0]
            worst = max(worst, time.monotonic() - began)
            if status != 200:
                break
        report.check(f"{SLOW} connections that never finish a request hold up nobody ({worst * 1000:.0f} ms)",
                     status == 200 and worst < PROMPT, (status, worst))  # fmt: skip
        status, page = mesh.page("/health")
        report.check("and the mesh is as well as before", status == 200 and page["services_running"] == 7, page.get("reasons"))
    finally:
        for connection in held:
            connection.close()
    for name, request in (
        ("a head of a megabyte", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * 1_000_000 + b"\r\n\r\n"),
        ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00" + b"\xff" * 500),
        ("two lengths", b"POST /brake HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
        ("a negative length", b"POST /brake HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}"),
    ):
        answer = raw(world, request, 3)
        report.check(f"{name}: refused or hung up on", not answer.startswith("HTTP/1.1 2"), answer[:120])
    report.equal("the server is there afterwards", mesh.http("/livez")[0], 200)


def strange(report, world):
    mesh = world.mesh
    hostile = '<img src=x onerror=alert(1)>"\';--'
    for query in ("limit=0", "limit=-1", "limit=1e9", "limit=99999999999999999999", "limit=NaN", "limit=" + "9" * 3000,
                  "offset=-1", "offset=99999999999999999999", "sort=" + urllib.parse.quote(hostile), "sort=-",
                  "status=%00", "q=" + "a" * 5000, "since=1&since=2"):  # fmt: skip
        began = time.monotonic()
        status, headers, text = mesh.http(f"/nodes?{query}")
        report.check(f"/nodes?{query[:40]}: 400 in JSON, at once",
                     status == 400 and "error" in json.loads(text) and headers["content-type"].startswith("application/json")
                     and headers["x-content-type-options"] == "nosniff" and len(text) < 4000
                     and time.monotonic() - began < PROMPT, (status, text[:200]))  # fmt: skip
    status, page = mesh.page("/nodes?offset=1000000000&limit=1")
    report.check("far behind the end there is nothing", status == 200 and page["items"] == [] and page["total"] > 0, page)
    for path in ("/assets/../../../etc/passwd", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2ftoken",
                 "/nodes/" + "a" * 3000, "/nodes/%00", "/fires/" + urllib.parse.quote(hostile, safe="")):  # fmt: skip
        answer = raw(world, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        report.check(f"{path[:40]}: 400 or 404, and no file",
                     answer[9:12] in ("400", "404") and "root:" not in answer and "text/html" not in answer, answer[:200])  # fmt: skip


def tokens(report, world):
    mesh = world.mesh
    with open(f"{mesh.directory}/var/demo/token", encoding="ascii") as file:
        token = file.read().strip()
    body = json.dumps({"state": "HALTED", "scope": "all", "reason": "an attack"}).encode()
    tried = {
        "none": {}, "empty": {"authorization": ""}, "Bearer alone": {"authorization": "Bearer "},
        "the first half": {"authorization": f"Bearer {token[:32]}"}, "one more": {"authorization": f"Bearer {token}0"},
        "capitals": {"authorization": f"Bearer {token.upper()}x"}, "Basic": {"authorization": f"Basic {token}"},
        "a cookie": {"cookie": f"token={token}; authorization=Bearer {token}"}, "X-Token": {"x-token": token},
        "another site's form": {"origin": "https://evil.example", "content-type": "text/plain"},
    }  # fmt: skip
    for name, headers in tried.items():
        status, _, text = mesh.http("/brake", body, headers)
        report.check(f"token: {name}: 401, and it is not told", status == 401 and token not in text, (status, text[:200]))
    status, _, text = mesh.http(f"/brake?token={token}&authorization=Bearer%20{token}", body)
    report.check("a token in the address opens nothing and is not repeated", status in (400, 401) and token not in text, status)
    answer = raw(world, b"OPTIONS /brake HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\n"
                        b"Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n")  # fmt: skip
    report.check("another site's page is not let in", "access-control-allow" not in answer.lower() and answer[9:12] == "405",
                 answer[:300])  # fmt: skip
    _, headers, _ = mesh.http("/nodes", headers={"origin": "https://evil.example"})
    report.check("nor may it read", not any(name.startswith("access-control") for name in headers), dict(headers))
    status, _, text = mesh.http("/brake", b"{" + b" " * 70_000 + b"}", {"authorization": f"Bearer {token}"})
    report.check("a body that is too large is refused", status == 413, (status, text[:100]))
    report.equal("nothing of all that set a brake", mesh.page("/health")[1]["brake"]["scopes"], [])
