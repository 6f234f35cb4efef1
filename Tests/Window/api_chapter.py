"""The interface held against its own description, against HTTP's rules, and against Debian's Prometheus."""

import gzip
import json
import os
import re
import subprocess
import time
import urllib.request

import attack
import page_chapter
import refusals
import scrape

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def run(report, world):
    report.chapter("HTTP: tags, gzip, text, errors", http, report, world)
    report.chapter("what is not there is refused", refusals.run, report, world)
    attack.run(report, world)
    report.chapter("probes", probes, report, world)
    report.chapter("Prometheus", scrape.run, report, world)
    report.chapter("the interface is as /openapi.json says", described, report, world)


def http(report, world):
    mesh = world.mesh
    page_chapter.wait_for_trades(world)
    deadline = time.monotonic() + 30
    while mesh.page("/nodes?limit=1")[1].get("total", 0) < 10 and time.monotonic() < deadline:
        time.sleep(0.1)
    status, headers, _ = mesh.http("/services")
    report.check("a list has an ETag", status == 200 and headers["etag"].startswith('W/"'), dict(headers))
    status, headers, body = mesh.http("/assets/dashboard.css")
    tag = headers["etag"]
    status, headers, body = mesh.http("/assets/dashboard.css", headers={"if-none-match": tag})
    report.check(
        "who has it already is told so, without a body",
        status == 304 and body == "" and headers["etag"] == tag,
        (status, body[:80]),
    )
    request = urllib.request.Request(world.address("/services"), headers={"accept-encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        packed, coding = answer.read(), answer.headers["content-encoding"]
    plain = gzip.decompress(packed) if coding == "gzip" else b""
    report.check(
        "gzip where it is asked for, and smaller",
        coding == "gzip" and len(packed) < len(plain) / 2 and b'"items"' in plain,
        (coding, len(packed)),
    )
    status, headers, body = mesh.http("/nodes?format=text&limit=3")
    report.check(
        "format=text is a table",
        headers["content-type"].startswith("text/plain") and body.startswith("NODE_ID") and len(body.splitlines()) == 5,
        body[:200],
    )
    for path, code, word in (
        ("/nodes?limit=x", 400, "bad_request"),
        ("/nodes?status=nothing", 400, "bad_request"),
        ("/nothing", 404, "not_found"),
        ("/nodes/nobody", 404, "not_found"),
        ("/services?format=xml", 400, "bad_request"),
        ("/nodes?stauts=active", 400, "unknown_parameter"),
        ("/health?verbose=1", 400, "unknown_parameter"),
    ):
        status, _, body = mesh.http(path)
        report.check(
            f"{path}: {code} {word}", status == code and json.loads(body)["error"]["code"] == word, (status, body[:200])
        )
    status, headers, body = mesh.http("/nodes", data=b"{}")
    report.check(
        "a wrong method is 405 and says which there are",
        status == 405 and headers["allow"] == "GET, HEAD",
        (status, headers.get("allow")),
    )
    for path in (
        "/brake",
        "/close",
        "/close-all",
        "/silence",
        "/unsilence",
        "/maintenance",
        "/maintenance/end",
        "/alerts/x/acknowledge",
        "/alerts/test",
    ):
        status, _, body = mesh.http(path, data=b"{}")
        report.check(f"POST {path} without the token: 401", status == 401, (status, body[:120]))
    first, second = mesh.items("/nodes?limit=5&sort=account"), mesh.items("/nodes?limit=5&offset=5&sort=account")
    accounts = [node["account"] for node in first + second]
    # A terminal that was restarted is another node of the same account.
    nodes = {node["node_id"] for node in first + second}
    report.check(
        "pages follow each other in order, and no terminal is on two of them",
        accounts == sorted(accounts) and len(nodes) == len(accounts) == 10,
        (accounts, sorted(nodes)),
    )
    times = re.findall(r'"(?:now|first_seen|last_seen)":"([^"]+)"', mesh.http("/nodes?limit=2")[2])
    report.check(
        "times are RFC 3339 in UTC",
        times and all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", t) for t in times),
        times[:4],
    )


def commands(mesh):
    match = re.search(r"total_commands_processed:(\d+)", str(mesh.redis("INFO", "stats")))
    return int(match[1])


def probes(report, world):
    """A crowd of probes costs Redis nothing: on a dashboard alone, whose reads are known."""
    crowd = world.crowd
    mesh = crowd.mesh

    def reads(paths):
        before, began = commands(mesh), time.monotonic()
        count = 0
        while time.monotonic() - began < 3:
            for path in paths:
                mesh.http(path)
                count += 1
            time.sleep(0.01)
        return (commands(mesh) - before) / 3, count

    quiet, _ = reads([])
    asked, count = reads(["/livez", "/readyz", "/health"])
    report.check(
        f"{count} probes in 3 s make no command more ({quiet:.0f} and {asked:.0f} a second)",
        asked < quiet * 1.15 + 50,
        (quiet, asked),
    )
    pid = crowd.redis.pid
    os.kill(pid, 19)  # SIGSTOP: Redis hangs
    try:
        began = time.monotonic()
        status, _, body = mesh.http("/livez")
        report.check(
            "/livez answers while Redis hangs", status == 200 and time.monotonic() - began < 0.5, (status, body)
        )
        deadline = time.monotonic() + 12
        while mesh.http("/readyz")[0] != 503 and time.monotonic() < deadline:
            time.sleep(0.1)
        report.equal("/readyz says that it can't serve", mesh.http("/readyz")[0], 503)
        status, health = mesh.page("/health")
        report.check(
            "/health fails and names Redis",
            status == 503 and any(r["code"] == "redis_away" for r in health["reasons"]),
            health.get("reasons"),
        )
    finally:
        os.kill(pid, 18)  # SIGCONT
    deadline = time.monotonic() + 15
    while mesh.http("/readyz")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    report.equal("and is ready again when Redis is back", mesh.http("/readyz")[0], 200)


def described(report, world):
    program = os.path.join(world.tools, "bin", "schemathesis")
    if not os.path.exists(program):
        report.skip("schemathesis", f"it is not in {world.tools}: Tests/Window/tools.sh brings it")
        return
    document = world.address("/openapi.json")
    common = [
        program,
        "run",
        document,
        "--seed",
        "20261121",
        "--workers",
        "2",
        "--continue-on-failure",
        "--no-color",
        "--exclude-path",
        "/events",
    ]
    check(
        report,
        world,
        "schemathesis-read",
        "reading: every check schemathesis has",
        common + ["--include-method", "GET", "--phases", "coverage,fuzzing", "--max-examples", "25"],
    )
    with open(f"{world.mesh.directory}/var/demo/token", encoding="ascii") as file:
        token = file.read().strip()
    # Whether a scope or a ticket exists is position-tracker's to say, with 400: acceptance is not promised by a form alone.
    check(
        report,
        world,
        "schemathesis-write",
        "what changes something: no error of the server, the statuses and bodies described",
        common
        + [
            "--include-method",
            "POST",
            "--phases",
            "coverage,fuzzing",
            "--max-examples",
            "15",
            "--checks",
            CHECKS,
            "--header",
            f"Authorization: Bearer {token}",
        ],
    )


def check(report, world, name, title, command):
    done = subprocess.run(command, capture_output=True, timeout=400, check=False, cwd=world.output)
    text = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
    with open(os.path.join(world.output, f"{name}.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    cases = re.search(r"(\d+) generated", text)
    place = text.find("FAILURES ====")
    report.check(
        f"{title} ({cases[1] if cases else 'no'} cases)",
        done.returncode == 0 and bool(cases),
        text[place : place + 1400] if place >= 0 else text[-1400:],
    )
