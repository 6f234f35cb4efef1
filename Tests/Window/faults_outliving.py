"""Alerts that outlive what they are about: a terminal that is restarted, and the monitor itself."""

import time

from faults_watch import Watch, wait_for
from fleet_mesh import wait
from registry_words import Registry

MONITOR = "heartbeat-monitor"


class Outliving(Watch):
    """Whoever inherits from it has `people`, `crowd` and `command(name)`, which starts a service."""

    def identity(self):
        """A doubt about a user follows him to his new node, and ends once: the EA is restarted meanwhile."""
        name, person = "two claim one identity", self.people[-1]
        words = f"{person.user}: "
        self.mark()
        registry = Registry(self.mesh)
        answer = registry.ask(type="conflict", node_id=person.node, user_uuid=person.user, conflict="taken_over",
                              text="drill", action="nothing, this is a drill")
        self.report.check("the registry takes the doubt", answer.get("ok"), answer)
        wait_for(lambda: self.new(self.before), 20)
        self.crowd.call("drop", [person.number])
        first = person.node
        person.restarted()
        self.crowd.call("restart", [person.number])
        self.crowd.call("live", heartbeat=8.0, hurry=True)
        wait_for(lambda: self.mesh.state.hash(f"node:{person.node}").get("status") == "active", 20)
        kept = [one for one in self.new(self.before) if self.alerts.resolved(one["alert_id"])]
        self.report.check(f"{name}: a restart of the EA does not end it", not kept, kept)
        answer = registry.ask(type="conflict_cleared", user_uuid=person.user, conflict="taken_over", by="drill",
                              reason="it is over")
        self.report.check("the registry takes the end of it", answer.get("ok"), answer)
        registry.close()
        self.rows.append({"fault": f"{name}, EA restarted ({first != person.node})", "health": "", "page": "",
                          "alert": "; ".join(str(one.get("message")) for one in self.new(self.before)), "after": 0.0})
        self.over(name, words, 1)

    def restarts(self):
        """Our processor dies and comes back, and then the monitor itself: the alert of the restart still ends."""
        name = "processor, then monitor restarted"
        self.mark()
        for service in ("handshake-processor", MONITOR):
            child = self.mesh.children[service]
            child.kill()
            child.wait(10)
            self.mesh._run(service, self.command(service))
            wait(lambda one=service: self.mesh.pid(one), 60, f"{service} is ready")
            if service != MONITOR:
                began = time.monotonic()
                wait_for(lambda: any(row.get("type") == "service_restarted" for row in self.rows_of_port()), 20)
                self.report.check(f"{name}: it is told", any(
                    row.get("type") == "service_restarted" for row in self.rows_of_port()), self.rows_of_port())
                self.rows.append({"fault": name, "health": "", "page": "", "after": time.monotonic() - began,
                                  "alert": "; ".join(str(row.get("message")) for row in self.rows_of_port())})
        names = [row["alert_id"] for row in self.rows_of_port()]
        wait_for(lambda: all(self.alerts.resolved(one) for one in names), 150)
        ends = [len(self.alerts.resolved(one)) for one in names]
        self.report.check(f"{name}: one alert, resolved once", ends == [1], (names, ends, self.rows_of_port()))
        self.rows[-1].update(alerts=len(names), resolved=sum(ends), all=time.monotonic() - self.began)

    def rows_of_port(self):
        """All that began since the mark, plain information too: an orderly restart is no more than that."""
        return [row for name, row in self.alerts.ids().items() if name not in self.before]
