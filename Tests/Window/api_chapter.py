"""The interface held against its own description, against HTTP's rules, and against Debian's Prometheus."""

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import page_chapter
from private_mesh import free_port

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def run(report, world):
    report.chapter("HTTP: tags, gzip, text, errors", http, report, world)
    report.chapter("what is not there is refused", refused, report, world)
    report.chapter("probes", probes, report, world)
    report.chapter("Prometheus", prometheus, report, world)
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
    report.check(
        "pages follow each other in order",
        accounts == sorted(accounts) and len(set(accounts)) == len(accounts),
        accounts,
    )
    times = re.findall(r'"(?:now|first_seen|last_seen)":"([^"]+)"', mesh.http("/nodes?limit=2")[2])
    report.check(
        "times are RFC 3339 in UTC",
        times and all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", t) for t in times),
        times[:4],
    )


def refused(report, world):
    mesh = world.mesh
    with open(f"{mesh.directory}/var/demo/token", encoding="ascii") as file:
        headers = {"authorization": f"Bearer {file.read().strip()}"}

    def post(path, body):
        status, _, text = mesh.http(path, data=json.dumps(body).encode(), headers=headers)
        answer = json.loads(text)
        return status, (answer.get("error") or {}).get("code"), answer

    for path, body, status, code in (
        ("/brake", {"state": "HALTED"}, 400, "missing_field"),
        ("/alerts/nobody/acknowledge", {}, 404, "not_found"),
        ("/unsilence", {"silence_id": "nobody"}, 404, "not_found"),
        ("/maintenance/end", {"maintenance_id": "nobody"}, 404, "not_found"),
        ("/silence", {"node_id": "nobody", "minutes": 5}, 404, "not_found"),
        ("/silence", {"server": "Nowhere-1", "minutes": 5}, 404, "not_found"),
        ("/silence", {"minutes": 5}, 400, "missing_field"),
        ("/silence", {"type": "window_test"}, 400, "missing_field"),
        ("/maintenance", {"scope": "service:nobody", "minutes": 5}, 404, "not_found"),
    ):
        seen = post(path, body)
        report.check(f"POST {path} {json.dumps(body)}: {status} {code}", seen[:2] == (status, code), seen)
    report.equal("no brake was set by that", mesh.page("/health")[1]["brake"]["scopes"], [])
    seen = post("/silence", {"type": "window_test", "minutes": 5, "request_id": "window-silence", "reason": "a test"})
    report.check("a silence that is right is taken", seen[0] == 200, seen)
    seen = post("/unsilence", {"silence_id": "window-silence"})
    report.check("and can be ended at once", seen[0] == 200, seen)
    for path in ("/dashboard/nothing", "/dashboard/terminal", "/dashboard/nothing/1"):
        status, kind, text = mesh.http(path)
        report.check(f"{path}: a page that says so, with 404",
                     status == 404 and kind["content-type"].startswith("text/html") and "no such page" in text,
                     (status, text[:200]))  # fmt: skip
    item = mesh.items("/positions?limit=1")[0]
    name = f"{item['server']}|{item['account']}|{item['ticket']}"
    for path in (name.replace("|", "%7C"), name):
        status, found = mesh.page(f"/positions/{path}")
        report.check(f"/positions/{path}: found", status == 200 and found.get("ticket") == item["ticket"], found)
    for path in ("/nodes", "/positions", "/fires", "/audit"):
        text = mesh.http(f"{path}?format=text&limit=20")[2]
        longest = max(map(len, text.splitlines()))
        report.check(f"{path} as text fits 200 columns ({longest})", longest <= 200, text[:400])
    report.check("the brake is in the metrics", 'mesh_brakes{scope="all",state="HALTED"} 0' in mesh.http("/metrics")[2])


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


def prometheus(report, world):
    text = world.mesh.http("/metrics")[2]
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    report.check(
        "every name begins with mesh_", names and all(name.startswith("mesh_") for name in names), sorted(names)[:10]
    )
    report.check("no label names a user, an account or a node", not re.search(r"demo_user|NODE_\d", text))
    report.check("stages are histograms", 'mesh_stage_seconds_bucket{stage="terminal",le="+Inf"}' in text)
    score = world.mesh.page("/health")[1]["health_score"]
    told = re.search(r"^mesh_health_score (\d+)", text, re.MULTILINE)
    report.check("the score is that of /health", told and abs(int(told[1]) - score) <= 5, (told and told[1], score))
    if not shutil.which("promtool"):
        report.skip("promtool and prometheus", "not installed (apt-get install --no-install-recommends prometheus)")
        return
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=30, check=False
    )
    report.check("promtool finds nothing", done.returncode == 0 and not done.stderr.strip(), done.stderr.decode()[:600])
    folder = os.path.join(world.mesh.directory, "prometheus")
    os.makedirs(folder)
    port = free_port(set(world.mesh.ports.values()))
    with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
        file.write(
            "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: mesh\n  static_configs:\n"
            f"  - targets: ['127.0.0.1:{world.mesh.ports['health']}']\n"
        )
    with open(os.path.join(folder, "log"), "wb") as log:
        server = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:

        def query(expression):
            address = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.request.quote(expression)}"
            try:
                with urllib.request.urlopen(address, timeout=3) as answer:
                    return json.load(answer)["data"]["result"]
            except (OSError, ValueError, socket.timeout):
                return []

        deadline = time.monotonic() + 25
        while time.monotonic() < deadline and not (query("up == 1") and query("rate(mesh_service_ticks_total[10s])")):
            time.sleep(0.3)
        report.check("Prometheus scrapes it", bool(query('up{job="mesh"} == 1')), query("up"))
        report.equal("Prometheus knows all seven services", len(query("mesh_up == 1")), 7)
        quantile = query('histogram_quantile(0.95, sum by (le) (mesh_stage_seconds_bucket{stage="terminal"}))')
        report.check("a percentile can be taken of a stage", quantile and float(quantile[0]["value"][1]) > 0, quantile)
    finally:
        server.terminate()
        server.wait(20)


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
