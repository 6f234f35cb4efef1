"""The fault drill: whatever breaks, the page, /health and one alert name the cause; at the end a table of all of it.

A mesh without a supervisor, so that what was ended stays away until it is started again, with a crowd of terminals, a
browser that looks at the dashboard all the while, and a listener on the port of alerts. One line a check.
"""

import json
import os
import random
import signal
import time

from browser import Browser
from crowd import Crowd, Remote
from faults_outliving import Outliving
from fleet_mesh import Alerts, wait
from fleet_weekend import ShiftedMesh
from line_main import leave, main
from people import Person
from private_mesh import ROOT

BROKERS, CUT = 6, "Drill-Trade-0"
REDIS, DASHBOARD, MONITOR = "redis", "health-dashboard", "heartbeat-monitor"
# In the order in which they are ended while terminals that were cut are waited for, and afterwards: a restart of one
# who hears terminals gives everybody a minute anew.
MEANWHILE = ["citadel-monitor", DASHBOARD]
AFTERWARDS = ["handshake-processor", REDIS, MONITOR]
# Who stands still without ending: no supervisor sees that.
HANGING = ["node-registry", REDIS]
FULL_HANGING = ["citadel-monitor", "confirmation-logger", "node-registry", "handshake-processor", "position-tracker",
                DASHBOARD, REDIS, MONITOR]
SCALES = ["some services, 18 of 120 terminals", "every service, 400 of 1,000 terminals, to each one's end"]
FULL_AFTERWARDS = ["confirmation-logger", "node-registry", "handshake-processor", "position-tracker", REDIS, MONITOR]


class Drill(Outliving):
    def __init__(self, report, mesh, arguments):
        super().__init__(report, mesh)
        self.full = arguments.full
        self.random = random.Random(arguments.seed)
        self.crowd = self.browser = None
        self.people = []

    def begin(self):
        self.mesh.begin()
        self.alerts = Alerts(self.mesh)
        count = 1000 if self.full else 120
        for number in range(count):
            server = number % BROKERS if not self.full else (0 if number < 450 else 1 + number % (BROKERS - 1))
            self.people.append(Person(number, f"drill_{number:05d}_x", 6_100_000 + number, f"Drill-Trade-{server}",
                                      f"Drill Broker {server} Ltd"))
        self.crowd = Remote(Crowd, self.people, self.mesh.addresses(), 1)
        self.crowd.call("open", None, 5.0 if self.full else 1.0)
        self.crowd.call("live", rate=200.0, heartbeat=8.0, hurry=True)
        self.mesh.wait_active(count, 60)
        self.browser = Browser()
        self.page = self.browser.page()
        self.page.open(f"http://127.0.0.1:{self.mesh.ports['health']}/dashboard")
        self.report.check("the page is live", self.page.until(
            "document.querySelector('#pulse')?.textContent === 'live'", 30), self.page.text("body")[:300])

    def end(self, keep):
        for part in (self.browser, self.alerts):
            if part is not None:
                part.close()
        if self.crowd is not None:
            self.crowd.kill()
        self.mesh.end(keep=keep)

    # -- what breaks

    def service(self, name):
        """A service is killed and stays away for a while."""
        self.mark()
        child = self.mesh.children[name]
        child.kill()
        child.wait(10)
        fault = f"{name} killed"
        words, count = self.named(fault, name)
        self.mesh._run(name, self.command(name))
        wait(lambda: self.mesh.pid(name), 60, f"{name} is ready")
        self.over(fault, words, count)

    def hang(self, name):
        """A service stands still and goes on as if nothing had been."""
        self.mark()
        pid = self.mesh.children[name].pid
        os.kill(pid, signal.SIGSTOP)
        try:
            fault = f"{name} stands still"
            words, count = self.named(fault, name)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.over(fault, words, count)

    def named(self, fault, name):
        """Page, /health and alert name the service; returns what is to be gone afterwards, and how many alerts."""
        if name == REDIS:
            words, count = "Redis (does not answer|has not answered|is away)", 1
        elif name == DASHBOARD:
            # The one that shows it is the one that is gone: the page says so, the alert names it.
            words, count = "The server is lost|health-dashboard has not reported", 1
        elif name == MONITOR:
            # Who tells of others is gone: the dashboard says so, and nobody can raise an alert.
            words, count = "heartbeat-monitor (is not|has not)", 0
        else:
            words, count = f"{name} (is not running|has not reported)", 1
        self.look(fault, words, told=count > 0, health=name != DASHBOARD)
        return ("health-dashboard has not reported" if name == DASHBOARD else words), count

    def command(self, name):
        if name != REDIS:
            return [os.path.join(self.mesh.products, name), "--config", self.mesh.config]
        return [os.path.join(ROOT, "deploy/scripts/redis_server.sh"), os.path.join(ROOT, "deploy/config/redis.conf"),
                "--port", str(self.mesh.ports["state"]), "--dir", os.path.join(self.mesh.directory, "redis"),
                "--bind", "127.0.0.1"]

    def clock(self):
        """This machine's clock is set an hour forward: nobody is called dead for it."""
        name, words = "our clock set by an hour", "clock was set forward by (3599|3600|3601) s"
        if not self.mesh.is_shifted:
            return self.report.skip(name, "there is no C compiler (cc) for the library that shifts the mesh's clock")
        self.looked()
        before = self.looked()
        self.mark()
        self.mesh.shift(3600.0)
        row = self.look(name, words, told=True)
        mine = self.new(self.before)
        self.report.check(f"{name}: alerts: 1", len(mine) == 1,
                          [(one.get("type"), one.get("message")) for one in mine])
        # What was silent for an hour by the wall clock would be dead by the next look.
        self.report.check(f"{name}: the monitor goes on looking", self.looked() > before)
        active = self.mesh.active()
        self.report.check(f"{name}: nobody is lost for it", active == len(self.people), active)
        row.update(alerts=len(mine), resolved=0)
        return None

    def looked(self):
        """When the monitor finished its next look, by the mesh's clock."""
        wait(self.mesh.state.answers, 30, "Redis answers")
        first = self.mesh.state.hash("health").get("computed_at")
        wait(lambda: self.mesh.state.hash("health").get("computed_at") != first, 30, "the monitor looks")
        return int(self.mesh.state.hash("health")["computed_at"])

    def brake(self):
        name, words = "brake HALTED by hand", "the brake is HALTED for all"
        self.mark()
        code, text = self.mesh.meshctl("brake", "HALTED", "--reason", "fault drill")
        self.report.check("the brake can be set", code == 0, text)
        self.look(name, words, told=True)
        code, text = self.mesh.meshctl("brake", "ACTIVE", "--reason", "fault drill is over")
        self.report.check("the brake can be lifted", code == 0, text)
        self.over(name, words, 1)

    def cut(self):
        """Terminals of one broker lose their connections at once."""
        mine = [one.number for one in self.people if one.server == CUT]
        lost = self.random.sample(mine, 400) if self.full else mine[:-2]
        self.mark()
        self.crowd.call("drop", lost)
        return lost

    def cut_told(self, lost, mark):
        self.before, self.began = mark
        words = f"{len(lost)} of \\d+ terminals were lost: broker server {CUT}"
        name = f"{len(lost)} terminals of one broker cut"
        self.look(name, words, told=True, within=130)
        self.crowd.call("open", lost, 2.0)
        self.crowd.call("live", heartbeat=8.0, hurry=True)
        alone = [one for one in self.alerts.ids("node_timeout").values()]
        self.report.check(f"{name}: none is told by itself", not alone, alone)
        self.beside = {"service_down", "brake_on", "identity_conflict"}
        self.over(name, words, 1)
        self.beside = set()

    # -- the story

    def play(self):
        self.begin()
        # Everybody has been heard and is known by his connections before anybody goes.
        time.sleep(9)
        quiet = self.new(set())
        self.report.check("no alert while nothing happens", not quiet, quiet)
        lost = self.cut()
        mark = self.before, self.began
        self.beside = {"nodes_lost", "node_timeout"}
        for name in MEANWHILE:
            self.service(name)
        self.brake()
        self.identity()
        self.beside = set()
        self.cut_told(lost, mark)
        for name in FULL_AFTERWARDS if self.full else AFTERWARDS:
            self.service(name)
        for name in FULL_HANGING if self.full else HANGING:
            self.hang(name)
        self.clock()
        if self.full:
            self.restarts()



def play_all(arguments, report, products):
    drill, began = Drill(report, ShiftedMesh(products), arguments), time.monotonic()
    try:
        report.chapter("the fault drill", drill.play)
    finally:
        drill.end(keep=arguments.keep and report.failed > 0)
    output = os.environ.get("WINDOW_OUTPUT", os.path.join(ROOT, ".build", "window"))
    os.makedirs(output, exist_ok=True)
    with open(os.path.join(output, "faults.txt"), "w", encoding="utf-8") as file:
        file.write(drill.table() + "\n")
    with open(os.path.join(output, "faults.json"), "w", encoding="utf-8") as file:
        json.dump(drill.rows, file, indent=1)
    return [drill.table(), "", f"{time.monotonic() - began:.0f} s"]


if __name__ == "__main__":
    leave(main("Tests/Window/run_faults.sh", "the fault drill", __doc__, [], SCALES, play_all))
