"""What meshctl prints: help for everything, lines that fit, JSON, colours only where they are wanted, progress, codes."""

import json
import os
import pty
import re
import subprocess
import time

# Those that only read, and run on a mesh that is well.
READING = (["status"], ["nodes"], ["positions"], ["fires"], ["ports"], ["ledger"], ["alerts"], ["reconciliation"],
           ["questions"], ["brake"], ["user", "find", "demo"], ["ports", "check"], ["journal", "verify"])  # fmt: skip


def run(report, world):
    report.chapter("what the tool prints fits", printed, report, world)
    report.chapter("each command helps", helps, report, world)
    report.chapter("each command speaks JSON", speaks, report, world)
    report.chapter("colours and progress, on a terminal only", shows, report, world)


def printed(report, world):
    mesh = world.mesh
    for command in READING:
        if command == ["journal", "verify"]:
            continue  # its lines begin with a path
        _, output = mesh.meshctl(*command)
        longest = max(output.splitlines(), key=len, default="")
        report.check(f"meshctl {' '.join(command)}: lines of 80 at most", len(longest) <= 80, longest)
        report.check("and no colours where no terminal is", "\x1b" not in output, output[:200])
    _, wide = mesh.meshctl("nodes", "--wide")
    report.check("--wide shows every column", "chart" in wide.splitlines()[0], wide[:300])
    broken = os.path.join(mesh.directory, "broken.yaml")
    with open(broken, "w", encoding="utf-8") as file:
        file.write("nonsense: [\n")
    kept, mesh.config = mesh.config, broken
    try:
        for command, wanted in (("nodes", 78), ("fires", 78), ("positions", 78), ("status", 3), ("doctor", 2)):
            code, output = mesh.meshctl(command)
            report.check(f"meshctl {command} with a broken file is refused with {wanted}",
                         code == wanted and "broken.yaml" in output, (code, output[-300:]))  # fmt: skip
    finally:
        mesh.config = kept
    code, output = mesh.meshctl("token")
    report.check("meshctl token prints a path", code == 0 and os.path.exists(output.strip()), output)
    for command, wanted in ((["explain", "nobody"], 1), (["nodes", "--nonsense"], 64), (["nonsense"], 64),
                            (["doctor", "nobody_at_all"], 2)):  # fmt: skip
        code, output = mesh.meshctl(*command)
        report.check(f"meshctl {' '.join(command)}: {wanted}, and it says why", code == wanted and output, (code, output))


def asked(mesh, *arguments):
    """(code, output) without a configuration: help needs none."""
    done = subprocess.run([os.path.join(mesh.products, "meshctl"), *arguments], env=mesh.environment, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30)  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def commands(mesh, *above):
    """Every command and every one below it, in the words of the help."""
    _, text = asked(mesh, *above, "--help")
    lists = re.findall(r"^[A-Z ]*SUBCOMMANDS:\n((?:  .*\n)+)", text, re.MULTILINE)
    names = [name for part in lists for name in re.findall(r"^  ([a-z-]+)(?: \(default\))?(?:\s|$)", part, re.MULTILINE)]
    for name in names:
        yield [*above, name]
        yield from commands(mesh, *above, name)


def helps(report, world):
    found = list(commands(world.mesh))
    report.check(f"there are {len(found)} commands", len(found) > 35 and ["journal", "verify"] in found, found)
    bad = []
    for command in found:
        code, text = asked(world.mesh, *command, "--help")
        # The one line of the usage is the parser's, and is not broken.
        lines = [line for line in text.splitlines() if not line.startswith("USAGE:") and len(line) > 80]
        if code != 0 or not text.startswith("OVERVIEW:") or "USAGE: meshctl" not in text or lines or "\x1b" in text:
            bad.append((command, code, lines, text[:80]))
    report.equal("each has a help that fits 80 columns", bad, [])
    # What has no commands below it shows how it is used.
    leaves = [command for command in found if not any(other[:-1] == command for other in found)]
    report.equal("and an example, its own or that of the command above it",
                 [one for one in leaves if not any("xample" in asked(world.mesh, *one[:depth], "--help")[1]
                                                   for depth in range(1, len(one) + 1))], [])  # fmt: skip


def speaks(report, world):
    mesh = world.mesh
    fire = mesh.items("/fires?limit=1")[0]["fire_id"]
    node = mesh.items("/nodes?limit=1")[0]["user_uuid"]
    for command in (*READING, ["explain", fire], ["doctor", node], ["live"], ["ping", "--user", node]):
        if command[0] == "ports" and len(command) == 1:
            command = ["ports", "list"]
        _, output = mesh.meshctl(*command, "--json", timeout=90)
        try:
            json.loads(output)
            is_json = "\x1b" not in output
        except ValueError:
            # One object a line serves those who read line by line.
            is_json = all(line.startswith("{") for line in output.splitlines()) and output.strip() != ""
        report.check(f"meshctl {command[0]} {' '.join(command[1:2])}: --json is JSON".replace(" :", ":"), is_json, output[:300])


def on_terminal(mesh, *arguments, **environment):
    """What a person sees: standard output and errors on a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([os.path.join(mesh.products, "meshctl"), *arguments, "--config", mesh.config],
                               env={**mesh.environment, **environment}, stdin=subprocess.DEVNULL, stdout=follower,
                               stderr=follower)  # fmt: skip
    os.close(follower)
    seen, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(leader)
    return process.wait(10), seen.decode("utf-8", "replace")


def shows(report, world):
    mesh = world.mesh
    colour = re.compile(r"\x1b\[[0-9;]*m")
    _, text = on_terminal(mesh, "status")
    report.check("on a terminal there are colours", colour.search(text), text[:300])
    _, text = on_terminal(mesh, "status", NO_COLOR="1")
    report.check("with NO_COLOR there are none", not colour.search(text) and text.strip(), text[:300])
    backup = os.path.join(mesh.directory, "told.tar")
    for command, words in ((["journal", "verify"], "confirmations: reading"), (["backup", backup], "backup: Redis"),
                           (["restore", backup, "--verify"], "checking"),
                           (["journal", "replay", "--check"], "comparing")):  # fmt: skip
        code, text = on_terminal(mesh, *command)
        place = text.find(words)
        report.check(f"meshctl {' '.join(command[:2])} tells how far it is", code == 0 and place >= 0, (code, text[:400]))
        report.check("and takes that away again", "\r\x1b[2K" in text[place:], text[-300:])
    _, text = mesh.meshctl("journal", "verify")
    report.check("without a terminal nothing of that is there", "reading" not in text and "\r" not in text, text[:300])
