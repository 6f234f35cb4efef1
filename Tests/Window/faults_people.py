"""What people do with alerts, and how they hear of them: a webhook, acknowledgements, silences, maintenance, the dead
man's switch, and secrets that show up nowhere.

    Tests/Window/run_faults.sh people
"""

import http.server
import json
import os
import re
import signal
import sys
import threading
import time

from checks import Report
from direct_mesh import DirectMesh
from faults_watch import wait_for
from fleet_mesh import Alerts, wait
from private_mesh import ROOT, free_port

TOKEN, SECRET_PATH = "t0kEn-WxYz-0123456789-abcdef", "services/B00KEY/aBcDeFgHiJkLmNoP"
MONITOR = "heartbeat-monitor"


class Hook:
    """A webhook that keeps what it was sent, with the moment; `status` is what it answers."""

    def __init__(self, port):
        self.posts, self.status, hook = [], 200, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                hook.posts.append((time.monotonic(), hook.status, self.path, self.headers.get("Authorization"),
                                   json.loads(body)))
                # Like one that repeats what it was sent.
                answer = json.dumps({"description": f"no access for {self.headers.get('Authorization')}"}).encode()
                self.send_response(hook.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self, name, status=None):
        """Bodies of alerts of a type that were taken, in order."""
        return [body for _, code, _, _, body in list(self.posts) if code == 200
                and body["alerts"][0]["labels"]["alertname"] == name and status in (None, body["status"])]

    def beats(self):
        return [moment for moment, _, _, _, body in list(self.posts)
                if body["alerts"][0]["labels"]["alertname"] == "dead_mans_switch"]


def make_mesh(products, port):
    mesh = DirectMesh(products)
    for name, text in (("hook.url", f"http://127.0.0.1:{port}/{SECRET_PATH}"), ("hook.token", TOKEN)):
        path = os.path.join(mesh.directory, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    with open(os.path.join(ROOT, "deploy/config/alerts.yaml"), encoding="utf-8") as file:
        rules = file.read()
    outlets = "outlets:\n  webhook: { url_file: hook.url, token_file: hook.token, timeout: 2s }\n"
    with open(os.path.join(mesh.directory, "alerts.yaml"), "w", encoding="utf-8") as file:
        file.write(rules.replace("outlets: {}\n", outlets + "dead_mans_switch: { every: 1s, outlet: webhook }\n"))
    with open(mesh.config, "a", encoding="utf-8") as file:
        file.write("alerts: alerts.yaml\n")
    return mesh


def brake(mesh, state):
    return mesh.meshctl("brake", state, "--reason", "a drill of the alerts")[0] == 0


def active(mesh):
    return next((row for row in mesh.items("/alerts?limit=100") if row.get("type") == "brake_on"
                 and row.get("active")), {})


def play(report, mesh, hook):
    alerts = Alerts(mesh)
    report.check("the dead man's switch says that the monitor judges", wait_for(lambda: len(hook.beats()) > 2, 30))
    told(report, mesh, hook, alerts)
    muted(report, mesh, hook)
    over_in_a_silence(report, mesh, hook)
    away(report, mesh, hook)
    beats(report, mesh, hook)
    secrets(report, mesh, hook)
    alerts.close()


def told(report, mesh, hook, alerts):
    code, text = mesh.meshctl("alerts", "test")
    report.check("`meshctl alerts test` says what each outlet answered", "webhook: accepted (200" in text, (code, text))
    report.check("the brake is set", brake(mesh, "HALTED"))
    report.check("the webhook is told", wait_for(lambda: hook.told("brake_on", "firing"), 20))
    body = hook.told("brake_on", "firing")[0]
    report.check("in Alertmanager's form, version 4", body.get("version") == "4" and body.get("receiver") == "webhook"
                 and {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
                 <= set(body["alerts"][0]) and "groupKey" in body, body)
    report.check("with its token", {post[3] for post in hook.posts} == {f"Bearer {TOKEN}"})
    wait_for(lambda: active(mesh), 10)
    name = active(mesh).get("alert_id", "")
    code, text = mesh.meshctl("alerts", "ack", name, "--reason", "on it", "--by", "Ann")
    report.check("it is acknowledged", code == 0 and wait_for(
        lambda: active(mesh).get("acknowledged_by") == "Ann", 10), (text, active(mesh)))
    report.check("the brake is lifted", brake(mesh, "ACTIVE"))
    wait_for(lambda: hook.told("brake_on", "resolved"), 20)
    counts = [len(hook.told("brake_on", status)) for status in ("firing", "resolved")]
    report.check("told once, resolved once", counts == [1, 1], counts)
    prints = {one["alerts"][0]["fingerprint"] for one in hook.told("brake_on")}
    report.check("under one fingerprint", len(prints) == 1, prints)
    rows = [row for row in alerts.all() if row.get("rule") == "brake_on"]
    report.check("and so the port", [row.get("state") for row in rows] == ["firing", "resolved"], rows)


def muted(report, mesh, hook):
    before = len(hook.told("brake_on"))
    for words in (("silence", "type=brake_on", "--minutes", "5"), ("maintenance", "--scope", "all", "--minutes", "5")):
        code, text = mesh.meshctl("alerts", *words, "--reason", "drill")
        report.check(f"`meshctl alerts {words[0]}` is taken", code == 0, text)
    names = re.findall(r"silence (\S+) for", text)
    wait_for(lambda: mesh.state.ask("HLEN", "silences") == 1 and mesh.state.ask("HLEN", "maintenance") == 1, 10)
    brake(mesh, "HALTED")
    report.check("what is muted is in the history all the same", wait_for(lambda: active(mesh), 15))
    name = next(iter(mesh.state.hash("silences")), names[0] if names else "")
    mesh.meshctl("alerts", "unsilence", name, "--reason", "drill")
    mesh.meshctl("alerts", "maintenance", "--scope", "all", "--end", "--reason", "drill")
    # Until here nobody was told: what lasts is told when both are over.
    report.check("what lasts is told at the end of both", wait_for(lambda: len(hook.told("brake_on")) > before, 15))
    stamp = hook.told("brake_on")[before]["alerts"][0]["startsAt"] if len(hook.told("brake_on")) > before else ""
    report.check("with the time it began", stamp and len(hook.told("brake_on")) == before + 1, stamp)
    brake(mesh, "ACTIVE")
    wait_for(lambda: len(hook.told("brake_on")) == before + 2, 15)
    report.check("and its end", hook.told("brake_on")[-1]["status"] == "resolved")


def over_in_a_silence(report, mesh, hook):
    """Told, silenced, and then over: who was told of the begin waits for the end."""
    before = len(hook.told("brake_on"))
    brake(mesh, "HALTED")
    report.check("a brake is told", wait_for(lambda: len(hook.told("brake_on")) == before + 1, 20))
    mesh.meshctl("alerts", "silence", "type=brake_on", "--minutes", "5", "--reason", "drill")
    report.check("and silenced then", wait_for(lambda: active(mesh).get("silenced_until"), 15), active(mesh))
    brake(mesh, "ACTIVE")
    report.check("its end is told in the silence", wait_for(lambda: len(hook.told("brake_on")) == before + 2, 20)
                 and hook.told("brake_on")[-1]["status"] == "resolved", hook.told("brake_on")[before:])
    for name in mesh.state.hash("silences"):
        mesh.meshctl("alerts", "unsilence", name, "--reason", "drill")
    wait_for(lambda: not mesh.state.hash("silences"), 10)


def away(report, mesh, hook):
    """The webhook is broken, then the monitor is restarted: what waits is sent once, in order."""
    before = len(hook.told("brake_on"))
    hook.status = 503
    brake(mesh, "HALTED")
    wait_for(lambda: any(post[1] == 503 and post[4]["alerts"][0]["labels"]["alertname"] == "brake_on"
                         for post in hook.posts), 15)
    child = mesh.children[MONITOR]
    child.kill()
    child.wait(10)
    mesh._run(MONITOR, [os.path.join(mesh.products, MONITOR), "--config", mesh.config])
    wait(lambda: mesh.pid(MONITOR), 60, "the monitor is ready")
    brake(mesh, "ACTIVE")
    wait_for(lambda: not active(mesh), 20)
    hook.status = 200
    wait_for(lambda: len(hook.told("brake_on")) >= before + 2, 30)
    seen = [body["status"] for body in hook.told("brake_on")[before:]]
    report.check("after an outage of the webhook and a restart all is told once, in order",
                 seen == ["firing", "resolved"], seen)
    # An answer that refuses and repeats the token: it is told, and the token is not.
    hook.status = 403
    code, text = mesh.meshctl("alerts", "test")
    report.check("a refusal is told without the token it repeats", "refused with 403" in text and TOKEN not in text,
                 (code, text))
    brake(mesh, "HALTED")
    wait_for(lambda: mesh.told(MONITOR, "problems").get("outlet_webhook"), 15)
    problems = mesh.told(MONITOR, "problems")
    report.check("and so in the report", TOKEN not in str(problems), problems)
    hook.status = 200
    brake(mesh, "ACTIVE")


def beats(report, mesh, hook):
    """While Redis is away for longer than half a minute nobody is judged, and the switch says so by its silence."""
    began = time.monotonic()
    report.check("the switch goes on", wait_for(lambda: hook.beats()[-1] > began, 20))
    mesh.children["redis"].kill()
    mesh.children["redis"].wait(10)
    gone = time.monotonic()
    silent = wait_for(lambda: time.monotonic() - hook.beats()[-1] > 4, 60)
    held = hook.beats()[-1] - gone
    report.check("it falls silent half a minute after the last look, not before", silent and 25 < held < 34, held)
    report.check("and the outage was told before", hook.told("redis_down", "firing"))
    mesh._run("redis", [os.path.join(ROOT, "deploy/scripts/redis_server.sh"),
                        os.path.join(ROOT, "deploy/config/redis.conf"), "--port", str(mesh.ports["state"]), "--dir",
                        os.path.join(mesh.directory, "redis"), "--bind", "127.0.0.1"])
    back = time.monotonic()
    report.check("and speaks again when Redis is back", wait_for(lambda: hook.beats()[-1] > back, 30))


def secrets(report, mesh, hook):
    """Neither the token nor any part of the URL stands in a log, in Redis's file, in the spool or in a report."""
    found = []
    for folder, _, files in os.walk(mesh.directory):
        for name in files:
            path = os.path.join(folder, name)
            # Those two are the secrets' own place; a socket or a pipe has no text.
            if name in ("hook.url", "hook.token") or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                text = file.read()
            found += [(path, word) for word in (TOKEN, "aBcDeFgHiJkLmNoP", "B00KEY") if word.encode() in text]
    report.check("no file of the mesh has a secret in it", not found, found)
    status, _, text = mesh.http("/services")
    report.check("nor does a page", status == 200 and TOKEN not in text and "aBcDeFg" not in text, status)


def main():
    products = os.environ.get("MESH_PRODUCTS") or os.path.join(ROOT, ".build", "release")
    report, port = Report(), free_port(set())
    if not os.access(os.path.join(products, "heartbeat-monitor"), os.X_OK):
        report.skip("the alert desk", f"there is no {products}/heartbeat-monitor: build first, or set MESH_PRODUCTS")
        return report.finish()

    def interrupted(number, _):
        # Ends by the `finally` below, which stops the mesh and is not interrupted again.
        for other in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, interrupted)
    hook = Hook(port)
    mesh = make_mesh(products, port)
    try:
        mesh.begin()
        report.chapter("what people do with alerts", play, report, mesh, hook)
    finally:
        mesh.end(keep="--keep" in sys.argv and report.failed > 0)
    return report.finish()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
