"""A few services without a supervisor, with a ports.yaml of its own for EAs of other families, and those EAs."""

import json
import os
import subprocess
import time

import zmq

from expert_advisor import ExpertAdvisor
from private_mesh import ROOT, PrivateMesh, free_port

SERVICES = ("node-registry", "handshake-processor", "confirmation-logger", "position-tracker")


class FamilyMesh(PrivateMesh):
    """`sockets` changes the words of ports.yaml; `listeners` adds rows: name -> (serves, socket, further fields)."""

    def __init__(self, products, sockets=None, listeners=None, settings=()):
        super().__init__(products)
        path = os.path.join(self.directory, "ports.yaml")
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        for name, word in (sockets or {}).items():
            for number, line in enumerate(lines):
                if f"name: {name}," in line and not line.startswith("#"):
                    head, _, tail = line.partition("socket: ")
                    lines[number] = f"{head}socket: {word},{tail.partition(',')[2]}"
        owners = {"ea-commands": "position-tracker", "ea-telemetry": "handshake-processor",
                  "ea-confirmations": "confirmation-logger"}
        taken = set(self.ports.values())
        for name, (serves, word, more) in (listeners or {}).items():
            self.ports[name] = free_port(taken)
            lines.append(f"  - {{ port: {self.ports[name]}, name: {name}, serves: {serves}, "
                         f"service: {owners[serves]}, socket: {word}{more} }}")
        self._write("ports.yaml", "\n".join(lines) + "\n")
        with open(self.config, "a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in settings))
        self.started = []

    def up(self, report):
        state = os.path.join(self.directory, "redis")
        os.makedirs(state)
        os.makedirs(os.path.join(self.directory, "logs"), exist_ok=True)
        self._run("redis", [os.path.join(ROOT, "deploy/scripts/redis_server.sh"),
                            os.path.join(ROOT, "deploy/config/redis.conf"), "--port", str(self.ports["state"]),
                            "--dir", state, "--bind", "127.0.0.1"])
        self._await(lambda: self.redis("PING") == "PONG")
        for name in SERVICES:
            self._run(name, [os.path.join(self.products, name), "--config", self.config])
        ready = self._await(lambda: all(
            os.path.exists(os.path.join(self.directory, "var", "run", f"{name}.ready")) for name in SERVICES), 20)
        report.check("the services start with this ports.yaml", ready, self.last_words())
        return ready

    def _run(self, name, command):
        log = open(os.path.join(self.directory, "logs", f"{name}.log"), "wb")
        self.started.append(subprocess.Popen(
            command, cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT))

    @staticmethod
    def _await(condition, within=10.0):
        end = time.monotonic() + within
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.02)
        return False

    def last_words(self):
        words = []
        for name in SERVICES:
            with open(os.path.join(self.directory, "logs", f"{name}.log"), encoding="utf-8", errors="replace") as file:
                words += file.read().splitlines()[-2:]
        return words

    def told(self, service, field="counters"):
        text = self.hash(f"service:{service}").get(field) or "{}"
        return json.loads(text)

    def down(self, keep=False):
        for process in reversed(self.started):
            process.terminate()
        for process in self.started:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self.clean_up(keep)


class Puller(ExpertAdvisor):
    """2.02 and 2.01: commands by a PULL, no ids in confirmations, the direction read from the entry."""

    VERSION = "2.02"

    def __init__(self, context, mesh, user, account, port="ea-commands", **more):
        self.port = port
        super().__init__(context, mesh, user, account, **more)

    def _socket(self, context, kind, port, identity=None):
        if kind == zmq.DEALER:
            return super()._socket(context, zmq.PULL, self.port)
        return super()._socket(context, kind, port)

    def start(self):
        self.telemetry.send_string(self.handshake())
        self.last_heartbeat = time.monotonic() - 29

    def handshake(self, ago=0):
        return (f'{{"type":"handshake","deployment_mode":"universal",{self._sender()},"account":{self.account},'
                f'"broker":"{self.company}","server":"{self.server}","chart_symbol":"{self.chart}",'
                f'"monitored_symbols":{len(self.symbols)},"symbol_list":"{",".join(self.symbols)}",'
                f'"balance":{self.balance},"equity":{self.equity},"version":"{self.VERSION}",'
                f'"timestamp":"{self.broker_time(ago)}"}}')

    def pump(self):
        now = time.monotonic()
        if now - self.last_chart >= 0.4:
            self.last_chart = now
            self.quote_chart()

    def _fire(self, command):
        bid, ask = (float(price) for price in self.quotes[command["symbol"]])
        entry = float(command.get("entry", 0))
        is_buy = abs(entry - ask) < abs(entry - bid) or (entry == 0 and self.VERSION == "2.02")
        ticket = self.next_ticket
        self.next_ticket += 1
        self.tickets[ticket] = "BUY" if is_buy else "SELL"
        word = '"command_type":"fire",' if self.VERSION == "2.02" else ""
        symbol = "" if self.VERSION == "2.02" else f'"symbol":"{command["symbol"]}",'
        price = ask if is_buy else bid
        self.confirm(f'{{"type":"confirmation",{word}{self._sender()},{symbol}"status":"success","ticket":{ticket},'
                     f'"price":{price:.5f},"lot":{float(command.get("lot", 0)):.2f},'
                     f'"message":"Trade executed successfully","account":{self.account},"balance":{self.balance},'
                     f'"equity":{self.equity},"free_margin":{self.equity},"margin_level":0.00,'
                     f'"timestamp":"{self.broker_time()}"}}')


class OlderPuller(Puller):
    VERSION = "2.01"


class Subscriber(ExpertAdvisor):
    """An EA of the own making that SUBs to its UUID."""

    def _socket(self, context, kind, port, identity=None):
        if kind != zmq.DEALER:
            return super()._socket(context, kind, port)
        socket = super()._socket(context, zmq.SUB, port)
        socket.subscribe(self.user.encode())
        return socket

    def start(self):
        self.telemetry.send_string(self.handshake())
        self.last_heartbeat = time.monotonic() - 29

    def pump(self):
        now = time.monotonic()
        if now - self.last_chart >= 0.4:
            self.last_chart = now
            self.quote_chart()
