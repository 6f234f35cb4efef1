"""Users from a file, and finding them by whatever is known of them."""

import json
import os

from expert_advisor import ExpertAdvisor

SERVER, BROKER = "Outside-Import", "Importing Brokers Ltd"
HEAD = "user_uuid,tier,account,server,risk,address"
GOOD = (
    f"outside_import_ax,SERGEANT,790001,{SERVER},1.5,",
    f'"outside_import_bx",COMMANDER,790002,"{SERVER}",,127.0.0.1',
    f",LIEUTENANT,790003,{SERVER},1,")
# What is wrong with a line, and a word that the complaint has to say.
BAD = (
    (f"outside_import_cx,GENERALISSIMO,790004,{SERVER},1,", "tier"),
    (f"outside_import_dx,SERGEANT,790005,{SERVER},250,", "risk"),
    (f"outside_import_ex,SERGEANT,790006,{SERVER},1,nowhere in particular", "address"),
    (f"outside_import_ay,SERGEANT,790007,{SERVER},1,", "last character"),
    (f"outside_import_bx,SERGEANT,790008,{SERVER},1,", "line 3"))
NAMED = ["outside_import_ax", "outside_import_bx"]


def users(world):
    mesh, report = world.mesh, world.report
    path = os.path.join(mesh.directory, "users.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\r\n".join((HEAD, *GOOD, *(line for line, _ in BAD))) + "\r\n")
    refused(world, path)
    issued = taken(world, path)
    terminal = ExpertAdvisor(world.context, mesh, "outside_import_ax", 790001, server=SERVER, company=BROKER)
    world.terminals.append(terminal)
    terminal.start()
    row = world.until("the imported user's terminal is active", lambda: mesh.hash(f"node:{terminal.node}"),
                      lambda seen: seen.get("status") == "active" and seen.get("session_id"))
    for what, text in (("a part of his UUID", "IMPORT_A"), ("login", "790001"), ("broker", BROKER), ("server", SERVER),
                       ("session", row.get("session_id", "none")), ("node", terminal.node),
                       ("address", row.get("peer_address") or "no address")):
        report.check(f"meshctl user find finds him by {what}", "outside_import_ax" in found(world, text),
                     found(world, text))
        # What the window shows of a node is up to a second old.
        world.until(f"meshctl nodes --find finds his terminal by {what}",
                    lambda text=text: mesh.meshctl("nodes", "--find", text, "--limit", "1000", "--json"),
                    lambda seen: seen[0] == 0 and terminal.node in seen[1], 10)
    report.equal("by his session nobody else is found", found(world, row.get("session_id", "none")),
                 ["outside_import_ax"])
    code, output = mesh.meshctl("user", "find", "nobody_of_that_name")
    report.check("nobody found is exit code 1 and said", code == 1 and "nobody_of_that_name" in output, (code, output))
    suspended(world, terminal)
    removed(world, issued)


def found(world, text):
    code, output = world.mesh.meshctl("user", "find", text, "--limit", "1000", "--json")
    try:
        return sorted(item["user_uuid"] for item in json.loads(output)["items"])
    except (ValueError, KeyError):
        return [f"exit {code}: {output}"]


def refused(world, path):
    """One wrong line, and nobody is registered; each is named with its place and what is wrong there."""
    mesh, report = world.mesh, world.report
    for words in ((), ("--dry-run",), ("--dry-run", "--skip-bad-lines")):
        code, output = mesh.meshctl("user", "import", path, *words)
        title = " ".join(("meshctl user import", *words))
        report.check(f"{title} of a file with wrong lines is no success", code in (1, 64), (code, output))
        for number, (_, word) in enumerate(BAD, len(GOOD) + 2):
            line = next((one for one in output.splitlines() if one.startswith(f"{path}:{number}: ")), "")
            report.check(f"{title} says what is wrong in line {number}", word in line, output)
        complaints = [one for one in output.splitlines() if one.startswith(f"{path}:")]
        report.equal(f"{title} complains of no other line", len(complaints), len(BAD))
    report.equal("and registers nobody", found(world, "outside_import"), [])


def taken(world, path):
    """With --skip-bad-lines the good ones are registered, as they stand in the file; the UUID that was issued."""
    mesh, report = world.mesh, world.report
    code, output = mesh.meshctl("user", "import", path, "--skip-bad-lines", "--json")
    report.check("with --skip-bad-lines it says that some were left out", code == 1, (code, output))
    rows = json.loads(output.splitlines()[-1])["items"]
    report.equal("the good lines are registered", [(row["line"], row["registered"]) for row in rows],
                 [(2, True), (3, True), (4, True)])
    issued = [row["user_uuid"] for row in rows if row["issued"]]
    report.check("a UUID is issued where there is none", len(issued) == 1 and len(issued[0]) > 8, rows)
    report.equal("and they are found", found(world, "outside_import"), NAMED)
    row = mesh.hash("user:outside_import_ax")
    report.check("with what the file says of them",
                 (row.get("tier"), row.get("account"), row.get("server"), row.get("registered"))
                 == ("SERGEANT", "790001", SERVER, "1") and float(row.get("risk_pct", 0)) == 1.5, row)
    row = mesh.hash("user:outside_import_bx")
    report.check("addresses too", row.get("addresses") == "127.0.0.1", row)
    report.check("whose UUID was issued is found by it",
                 bool(issued) and found(world, issued[0]) == issued, issued)
    code, output = mesh.meshctl("user", "import", path, "--dry-run", "--skip-bad-lines", "--json")
    report.check("the same file again is taken as the same users", code == 1 and len(json.loads(
        output.splitlines()[-1])["items"]) == len(GOOD), output)
    return issued[0] if issued else ""


def suspended(world, terminal):
    """His terminal is seen, and never fired at."""
    mesh, report = world.mesh, world.report
    code, output = mesh.meshctl("user", "suspend", terminal.user)
    report.check("meshctl user suspend is carried out", code == 0, (code, output))
    answer = world.fire("import-suspended", terminal.user, symbol="EURUSD")
    report.check("a suspended user is not fired at", answer.get("reason") == "user_suspended", answer)
    report.check("and his terminal is seen", mesh.hash(f"node:{terminal.node}").get("status") == "active")
    report.equal("nor was it sent anything", [c for c in terminal.commands if c.get("type") == "fire"], [])


def removed(world, issued):
    mesh, report = world.mesh, world.report
    code, output = mesh.meshctl("user", "remove", issued)
    report.check("meshctl user remove is carried out", code == 0, (code, output))
    report.equal("and who was removed is not found", found(world, issued), [])
