"""A mesh of this story's own: ports, state and logs in a temporary directory, started and stopped by meshctl."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def free_port(taken):
    """A port below 32768 that nobody holds; the kernel takes ports of outgoing connections from above."""
    while True:
        port = random.randrange(10_000, 32_000)
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        taken.add(port)
        return port


class PrivateMesh:
    # What /services calls a service that does its job.
    UP = ("running", "ready")
    SERVICES = ["node-registry", "handshake-processor", "confirmation-logger", "citadel-monitor",
                "position-tracker", "heartbeat-monitor", "health-dashboard"]

    def __init__(self, products):
        self.products = os.path.abspath(products)
        self.directory = tempfile.mkdtemp(prefix="mesh-outside-")
        self.ports = {}
        self.owners = {}
        # What terminals said on the ports of confirmations, by those who count it.
        self.confirmations = []
        lines, taken = [], set()
        with open(os.path.join(ROOT, "ports.yaml"), encoding="utf-8") as file:
            for line in file:
                match = re.search(r"port: +(\d+), name: +([a-z-]+), +service: +([a-z-]+)", line)
                if match and not line.startswith("#"):
                    port = free_port(taken)
                    self.ports[match[2]] = port
                    self.owners[match[2]] = match[3]
                    line = line[:match.start(1)] + str(port) + line[match.end(1):]
                lines.append(line)
        self._write("ports.yaml", "".join(lines))
        self.config = self._write("mesh.yaml", "\n".join([
            "var: var", "logs: logs", "ports: ports.yaml",
            f"symbols: {ROOT}/deploy/config/symbols.yaml", f"tiers: {ROOT}/deploy/config/tiers.yaml",
            f"redis_config: {ROOT}/deploy/config/redis.conf", ""]))
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("MESH_") and name != "REDIS_URL"}
        self.environment["MESH_ROOT"] = ROOT

    def _write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def endpoint(self, name):
        return f"tcp://127.0.0.1:{self.ports[name]}"

    # -- the tool

    def meshctl(self, *arguments, timeout=60):
        # Its output goes to a file: a supervisor that kept a pipe open would hold this story up for ever.
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [os.path.join(self.products, "meshctl"), *arguments, "--config", self.config], cwd=ROOT,
                env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                code = -9
            output.seek(0)
            return code, output.read().decode("utf-8", "replace")

    # -- Redis, through redis-cli

    def redis(self, *arguments, timeout=5):
        done = subprocess.run(
            ["redis-cli", "-p", str(self.ports["state"]), "--json", *arguments], capture_output=True, timeout=timeout,
            env=self.environment, check=False)
        text = done.stdout.decode("utf-8", "replace").strip()
        try:
            return json.loads(text)
        except ValueError:
            return text or done.stderr.decode("utf-8", "replace")

    def hash(self, key):
        answer = self.redis("HGETALL", key)
        return answer if isinstance(answer, dict) else {}

    def redis_pid(self):
        match = re.search(r"process_id:(\d+)", str(self.redis("INFO", "server")))
        return int(match[1]) if match else None

    # -- HTTP

    def http(self, path, data=None, headers=None, timeout=5):
        """(status, headers, text); status 0 when nobody answers."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['health']}{path}", data=data, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode("utf-8", "replace")
        except OSError as error:
            return 0, {}, str(error)

    def page(self, path):
        status, _, text = self.http(path)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, {"not_json": text[:500]}

    def items(self, path):
        return self.page(path)[1].get("items", [])

    def service(self, name):
        return next((item for item in self.items("/services") if item.get("name") == name), {})

    def listens(self, port):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=0.5):
                return True
        except OSError:
            return False

    def bind_fails(self, port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return True
        return False

    # -- the end

    def processes(self):
        """Processes of this mesh: those whose command line, directory or environment names its directory."""
        found = {}
        mark = self.directory.encode()
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            texts = []
            for part in ("cmdline", "environ"):
                try:
                    with open(f"/proc/{name}/{part}", "rb") as file:
                        texts.append(file.read())
                except OSError:
                    texts.append(b"")
            try:
                texts.append(os.readlink(f"/proc/{name}/cwd").encode())
            except OSError:
                pass
            # A process that has ended and waits for its parent has nothing of this any more.
            if any(mark in text for text in texts):
                found[int(name)] = texts[0].replace(b"\0", b" ").decode("utf-8", "replace").strip()
        return found

    def clean_up(self, keep):
        """Ends whatever of this mesh still runs, by pid, and removes its directory."""
        if self.processes():
            self.meshctl("stop", timeout=20)
        for attempt in (signal.SIGTERM, signal.SIGKILL):
            left = self.processes()
            for pid in left:
                for number in (signal.SIGCONT, attempt):
                    try:
                        os.kill(pid, number)
                    except ProcessLookupError:
                        pass
            deadline = time.monotonic() + 3
            while left and self.processes() and time.monotonic() < deadline:
                time.sleep(0.05)
        if keep:
            print(f"logs and state are kept in {self.directory}", flush=True)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)
