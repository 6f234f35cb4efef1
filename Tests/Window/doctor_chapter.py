"""The doctor and the tool as an operator meets them: a mesh that is well, half of it, none of it, and single terminals."""

import json
import os
import re
import signal
import socket
import time

import tool_chapter
from private_mesh import PrivateMesh

# The doctor looks at everything within this, whatever hangs.
SECONDS = 45


def run(report, world):
    report.chapter("the doctor of a mesh that is well", well, report, world)
    report.chapter("the doctor leaves no trace", traceless, report, world)
    report.chapter("the doctor of one user", users, report, world)
    tool_chapter.run(report, world)
    report.chapter("the doctor while a service stands still", standing, report, world)
    report.chapter("the doctor while Redis hangs", hanging, report, world)
    report.chapter("the doctor of a mesh that does not run", of_none, report, PrivateMesh(world.products))


def looked(mesh, *arguments):
    """(exit code, findings by subject, seconds)"""
    began = time.monotonic()
    code, output = mesh.meshctl("doctor", *arguments, "--json", timeout=SECONDS + 30)
    took = time.monotonic() - began
    try:
        findings = {finding["subject"]: finding for finding in json.loads(output)}
    except ValueError:
        findings = {"not json": {"status": "none", "message": output[-600:]}}
    return code, findings, took


def status(findings, subject):
    return findings.get(subject, {}).get("status")


def well(report, world):
    mesh = world.mesh
    code, findings, took = looked(mesh)
    told = {name: f["message"] for name, f in findings.items() if f["status"] != "good"}
    report.check("it ends good, or with a warning of this machine", code in (0, 1), (code, told))
    report.check("within its time", took < SECONDS, took)
    wanted = [
        "configuration", "symbols", "swift", "libraries", "programs", "build", "open files", "disk", "memory", "clock",
        "token", "ports", "dashboard", "redis", "redis memory", "redis writes", "round trip", "journal",
        "ledger journal", "progress", *mesh.SERVICES,
    ]  # fmt: skip
    report.equal("it looks at everything", sorted(set(wanted) - set(findings)), [])
    good = [name for name in wanted if name not in ("clock", "disk", "memory", "swift", "open files", "redis writes")]
    bad = {name: findings.get(name) for name in good if status(findings, name) != "good"}
    report.check("and finds all of the mesh good", not bad, bad)
    way = findings.get("round trip", {}).get("message", "")
    match = re.search(r"through (\d+) hops and back in (\d+) ms", way)
    report.check("a played terminal goes through six hops and back in under a second",
                 match and int(match[1]) == 6 and int(match[2]) < 1000, way)  # fmt: skip
    print(f"        {way}", flush=True)
    report.check("what is not good says what to do", all(findings[name].get("remedy") for name in told), told)
    code, output = mesh.meshctl("doctor", timeout=SECONDS + 30)
    lines = output.splitlines()
    # Only a path that is itself longer than a line may stick out, since it is never broken.
    report.check("as text no line is longer than 80", all(len(line) <= max(80, len(line.split()[-1])) for line in lines if line),
                 [line for line in lines if len(line) > 80])  # fmt: skip
    told = [line.split()[0] for line in lines[:-1] if line and not line.startswith(" ")]
    good = told.count("good")
    sums = {"critical": "critical", "unknown": "not known", "warning": "to look at"}
    rest = [f"{told.count(word)} {text}" for word, text in sums.items() if told.count(word)]
    report.equal("its last line is the sum of the others", lines[-1],
                 f"{good} good, {', '.join(rest)}" if rest else f"all {good} are good")  # fmt: skip


def counted(mesh):
    return {
        "probe fires": mesh.page("/fires?user=meshctl_doctor_0&limit=1")[1].get("total"),
        "probe positions": mesh.page("/positions?user=meshctl_doctor_0&limit=1")[1].get("total"),
        "probe nodes": mesh.page("/nodes?user=meshctl_doctor_0&limit=1")[1].get("total"),
        "node": mesh.redis("EXISTS", "node:PROBE_meshctl_doctor"),
        "active": mesh.redis("SISMEMBER", "active_nodes", "PROBE_meshctl_doctor"),
        "all": mesh.redis("ZSCORE", "all_nodes", "PROBE_meshctl_doctor") or 0,
        "of user": mesh.redis("EXISTS", "user_node:meshctl_doctor_0", "user:meshctl_doctor_0",
                              "slots:meshctl_doctor_0"),
        "alerts": mesh.page("/alerts?user=meshctl_doctor_0&limit=1")[1].get("total"),
        "symbol": mesh.redis("EXISTS", "levels:MESHDOCTOR", "bars:MESHDOCTOR:open", "stats:symbol:MESHDOCTOR"),
    }  # fmt: skip


def traceless(report, world):
    mesh = world.mesh
    for _ in range(4):
        looked(mesh)
    deadline, seen = time.monotonic() + 10, {}
    while time.monotonic() < deadline:
        seen = {name: count for name, count in counted(mesh).items() if count not in (0, None)}
        if not seen:
            break
        time.sleep(0.2)
    report.equal("after five doctors nothing of the played terminal is there", seen, {})
    history = mesh.redis("XREVRANGE", "events:nodes", "+", "-", "COUNT", "200")
    report.check("nor in the history of terminals", "PROBE_meshctl_doctor" not in json.dumps(history))


def first(mesh, user):
    code, output = mesh.meshctl("doctor", user, "--json")
    findings = json.loads(output)
    return code, findings[0]


def until(mesh, user, subject, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        code, finding = first(mesh, user)
        if finding["subject"] == subject or time.monotonic() > deadline:
            return code, finding
        time.sleep(0.2)


def users(report, world):
    mesh = world.mesh
    nodes = mesh.items("/nodes?limit=20&sort=user_uuid&status=active")
    names = [node["user_uuid"] for node in nodes]
    code, finding = first(mesh, names[0])
    report.check("a terminal that is well is good", code == 0 and finding["subject"] == "terminal", (code, finding))
    mesh.meshctl("user", "add", "window_nobody_0")
    mesh.meshctl("user", "suspend", names[1])
    mesh.meshctl("user", "set", names[2], "--account", "999999")
    mesh.meshctl("user", "set", names[3], "--address", "203.0.113.5")
    for title, user, subject, wanted in (
        ("a registered user nobody came for", "window_nobody_0", "never connected", 2),
        ("a name nobody knows", "window_nobodx_0", "unknown user", 2),
        ("a suspended user", names[1], "suspended", 1),
        ("a terminal in another account", names[2], "wrong account", 2),
        ("a terminal at another address", names[3], "address fenced", 2),
    ):
        code, finding = until(mesh, user, subject)
        report.check(f"{title}: {subject}, with what to do",
                     code == wanted and finding["subject"] == subject and finding["remedy"], (code, finding))  # fmt: skip
    code, finding = first(mesh, "window_nobodx_0")
    report.check("and the name that was meant", "window_nobody_0" in finding["message"], finding)
    mesh.meshctl("user", "set", names[1], "--state", "active")
    mesh.meshctl("user", "set", names[2], "--account", nodes[2]["account"])
    mesh.meshctl("user", "set", names[3], "--address", "learned")
    # A terminal of its own that goes in good order: node-registry is told as position-tracker would.
    with_registry(mesh, "register", "NODE_4711_1", "window_nobody_0")
    with_registry(mesh, "disconnect", "NODE_4711_1", "window_nobody_0")
    code, finding = until(mesh, "window_nobody_0", "disconnected")
    report.check("a terminal that said goodbye", code == 2 and finding["subject"] == "disconnected", (code, finding))


def with_registry(mesh, kind, node, user):
    import zmq  # Debian's python3-zmq

    with zmq.Context() as context, context.socket(zmq.REQ) as port:
        port.linger = 0
        port.connect(mesh.endpoint("registry"))
        port.send_json({"type": kind, "node_id": node, "user_uuid": user, "account": "4711", "server": "Window-1",
                        "reason": "DISCONNECT", "version": "2.05"})  # fmt: skip
        return port.recv_json() if port.poll(5000) else None


def standing(report, world):
    mesh = world.mesh
    pid = int(mesh.service("heartbeat-monitor")["pid"])
    os.kill(pid, signal.SIGSTOP)
    try:
        code, findings, took = looked(mesh)
    finally:
        os.kill(pid, signal.SIGCONT)
    report.check("it ends critical, in time", code == 2 and took < SECONDS, (code, took))
    report.check("and names the service whose report stands still",
                 status(findings, "progress") == "critical" and "heartbeat-monitor" in findings["progress"]["message"]
                 and "meshctl restart heartbeat-monitor" in findings["progress"]["remedy"],
                 findings.get("progress"))  # fmt: skip
    report.equal("the way of a terminal is good all the same", status(findings, "round trip"), "good")


def hanging(report, world):
    mesh = world.mesh
    pid = mesh.redis_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        code, findings, took = looked(mesh)
        user, of_user, _ = looked(mesh, "demo_user_00001x")
    finally:
        os.kill(pid, signal.SIGCONT)
    report.check("it ends critical, in time", code == 2 and took < SECONDS, (code, took, findings))
    report.equal("it names Redis", status(findings, "redis"), "critical")
    report.check("the doctor of a user says that nothing is known", user == 3, (user, of_user))
    deadline = time.monotonic() + 30
    while mesh.http("/readyz")[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.2)


def of_none(report, mesh):
    """A mesh that never ran: nothing hangs, and a port in the way is named with its holder."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", mesh.ports["signals"]))
        other.listen()
        code, findings, took = looked(mesh)
    report.check("it ends critical, in time", code == 2 and took < SECONDS, (code, took))
    report.check("it says who is in the way", "python3" in findings.get("ports", {}).get("message", ""),
                 findings.get("ports"))  # fmt: skip
    code, findings, _ = looked(mesh)
    report.check("without that it is a warning that none runs",
                 code == 1 and status(findings, "mesh") == "warning" and status(findings, "ports") == "good",
                 (code, findings))  # fmt: skip
