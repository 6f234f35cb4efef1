"""/metrics held against Debian's promtool, and scraped by its Prometheus."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request

from private_mesh import free_port


def found(world, name):
    """The program installed here, or the one that tools.sh unpacked."""
    return shutil.which(name) or shutil.which(name, path=os.path.join(world.tools, "debian", "usr", "bin"))


def run(report, world):
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
    checker, program = found(world, "promtool"), found(world, "prometheus")
    if not checker or not program:
        report.skip("promtool and prometheus", f"not installed, nor in {world.tools}: Tests/Window/tools.sh brings them")
        return
    done = subprocess.run(
        [checker, "check", "metrics"], input=text.encode(), capture_output=True, timeout=30, check=False
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
                program,
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
