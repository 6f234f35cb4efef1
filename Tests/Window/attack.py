"""The interface under an attacker's hands: slow and broken requests, huge parameters, wrong tokens, other sites' pages."""

import json
import os
import resource
import socket
import time
import urllib.parse

SLOW = 300
# The server gives a request 10 s; the rest is this machine's.
DEADLINE = 40.0
# As many as the server keeps open, beside its own files; and those who come.
OPEN, FILES, COME = 800, 100, 1000
PROMPT = 1.0


def run(report, world):
    report.chapter("an attacker: more connections than there are descriptors", crowded, report, world)
    report.chapter("an attacker: requests that never end", slow, report, world)
    report.chapter("an attacker: parameters and paths", strange, report, world)
    report.chapter("an attacker: tokens and other sites", tokens, report, world)


def raw(world, request, seconds=5):
    """What the server answers to these very bytes; empty where it only hangs up."""
    return exchange(world, request, seconds)[0]


def exchange(world, request, seconds=5):
    """(what the server answers to these very bytes, whether it hung up)"""
    answer, is_closed = b"", True
    with socket.create_connection(("127.0.0.1", world.mesh.ports["health"]), timeout=seconds) as connection:
        try:
            connection.sendall(request)
            while part := connection.recv(65536):
                answer += part
        except TimeoutError:
            is_closed = False
        except OSError:
            pass
    return answer.decode("utf-8", "replace"), is_closed


def authorized(world):
    with open(f"{world.mesh.directory}/var/demo/token", encoding="ascii") as file:
        return file.read().strip()


def hung_up(connections, seconds):
    """How many of them the server has closed by then, while each goes on with a byte a second."""
    opened, closed, began = set(connections), 0, time.monotonic()
    while opened and time.monotonic() - began < seconds:
        for connection in list(opened):
            try:
                connection.sendall(b"a")
                connection.setblocking(False)
                while connection.recv(4096):
                    pass
                is_closed = True
            except BlockingIOError:
                is_closed = False
            except OSError:
                is_closed = True
            if is_closed:
                opened.discard(connection)
                closed += 1
        time.sleep(1.0)
    return closed, time.monotonic() - began


def crowded(report, world):
    """They say nothing; whoever comes after them gets his turn once they are hung up on."""
    mesh = world.mesh
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder = f"/proc/{mesh.service('health-dashboard')['pid']}/fd"
    held, most, began, status = [], 0, time.monotonic(), 0
    try:
        for _ in range(COME):
            held.append(socket.create_connection(("127.0.0.1", mesh.ports["health"]), timeout=5))
        # Nobody says when it has accepted all that it will: it has once there were no more for two seconds.
        risen = time.monotonic()
        while time.monotonic() - risen < 2.0:
            if (count := len(os.listdir(folder))) > most:
                most, risen = count, time.monotonic()
            time.sleep(0.05)
        while status != 200 and time.monotonic() - began < DEADLINE:
            status = mesh.http("/livez", timeout=1)[0]
        report.check(f"of {COME} connections {most} descriptors are the most", OPEN <= most <= OPEN + FILES, most)
        report.check(f"who comes after them is served ({time.monotonic() - began:.0f} s)", status == 200, status)
    finally:
        for connection in held:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


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
        closed, seconds = hung_up(held, DEADLINE)
        report.check(f"each is hung up on, though a byte comes each second ({seconds:.0f} s)", closed == SLOW, closed)
    finally:
        for connection in held:
            connection.close()
    for name, request in (
        ("a head of a megabyte", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Big: " + b"a" * 1_000_000 + b"\r\n\r\n"),
        ("no HTTP at all", b"\x16\x03\x01\x02\x00\x01\x00" + b"\xff" * 500),
    ):
        answer, is_closed = exchange(world, request, DEADLINE)
        report.check(f"{name}: refused or hung up on", answer[9:12] == "400" or not answer and is_closed, (answer[:120], is_closed))
    # With the token: only their form can be what is refused.
    brake = b'{"state":"HALTED","scope":"all","reason":"an attack"}'
    head = b"POST /brake HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + authorized(world).encode() + b"\r\n"
    size = str(len(brake)).encode()
    for name, lengths in (
        ("two lengths", b"Content-Length: " + size + b"\r\nContent-Length: 2\r\n"),
        ("a negative length", b"Content-Length: -1\r\n"), ("a length in words", b"Content-Length: some\r\n"),
    ):  # fmt: skip
        answer, is_closed = exchange(world, head + lengths + b"\r\n" + brake, DEADLINE)
        report.check(f"{name}, with the token: 400 or hung up on", answer[9:12] == "400" or not answer and is_closed,
                     (answer[:120], is_closed))  # fmt: skip
    report.equal("and no brake is set", mesh.page("/health")[1]["brake"]["scopes"], [])
    good = head.replace(b"POST /brake", b"POST /maintenance/end") + b"Connection: close\r\nContent-Length: 29\r\n\r\n"
    answer, _ = exchange(world, good + b'{"scope":"version:not-there"}', 5)
    report.check("a request like these that is whole gets to its action", answer[9:12] == "404" and "not-there" in answer, answer)
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
    token = authorized(world)
    body = json.dumps({"state": "HALTED", "scope": "all", "reason": "an attack"}).encode()
    tried = {
        "none": {}, "empty": {"authorization": ""}, "Bearer alone": {"authorization": "Bearer "},
        "the first half": {"authorization": f"Bearer {token[:32]}"}, "one more": {"authorization": f"Bearer {token}0"},
        "capitals": {"authorization": f"Bearer {token.swapcase()}"}, "Basic": {"authorization": f"Basic {token}"},
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
