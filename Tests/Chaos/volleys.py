"""Real fires in line 2: volleys whose answers arrive about the moment in which the logger is killed, nothing stopped or
held back. The logger's connections outlive it, so nothing has to fall in: how many did is stated. An answer that fell in
must be found: its fire is listed as unknown, or resolved, within 90 s. `lost_answers` is where answers do fall in."""

import json
import threading
import time

import zmq

from broken_mesh import wait
from firing import Desk, Traders, ready
from journal_reader import JournalReader
from operator_desk import lift_brake

LISTED_WITHIN = 90.0
PREFIX = "volley-"
# The requests of a volley are spread over this, and the kill falls into their middle: an answer takes 5 to 60 ms.
SPREAD, LEAD = 0.12, 0.08
OVER = ("filled", "rejected", "never_executed", "expired", "denied")


class Volleys:
    def __init__(self, mesh, dose):
        self.mesh, self.dose = mesh, dose
        self.size = dose.of(24, 30)
        self.group = Traders(mesh, range(5000, 5000 + dose.of(24, 180)), heartbeat=dose.of(2.0, 10.0))
        dose.keep(self.group)
        self.desk = Desk(mesh)
        self.lifetime = dose.of(6.0, 30.0)
        self.fires, self.threads, self.kills = {}, [], []
        self.next_user = 0

    def begin(self):
        ready(self.desk, self.group.users)
        return self

    def volley(self):
        """Begins to fire; comes back when the kill is due."""
        try:
            lift_brake(self.desk)
        except zmq.ZMQError:
            pass
        users = self.group.users
        chosen = [users[(self.next_user + step) % len(users)] for step in range(self.size)]
        self.next_user += self.size
        fires = {f"{PREFIX}{len(self.kills)}-{place}": user for place, user in enumerate(chosen)}
        self.fires.update(fires)
        thread = threading.Thread(target=self._fire, args=(fires,), daemon=True)
        self.threads.append(thread)
        thread.start()
        time.sleep(LEAD)
        self.kills.append(time.time())

    def _fire(self, fires):
        context = zmq.Context()
        socket = context.socket(zmq.DEALER)
        socket.linger = 500
        socket.connect(self.mesh.endpoint("orders"))
        for fire_id, user in fires.items():
            socket.send(json.dumps({
                "type": "fire", "fire_id": fire_id, "user_uuid": user, "symbol": "EURUSD", "direction": "BUY",
                "sl": 1.08, "lot": 0.01, "expires_at_ms": int((time.time() + self.lifetime) * 1000)}).encode())
            time.sleep(SPREAD / len(fires))
        answers = 0
        while answers < len(fires) and socket.poll(3000):
            socket.recv_multipart()
            answers += 1
        context.destroy(linger=500)

    def finish(self, line):
        """Waits until every fire is over, or unknown for good, and judges those whose answer was lost."""
        for thread in self.threads:
            thread.join(30)
        rows = self.group.report()
        witnesses = {user for user, row in rows.items() if row["witness"]}
        executed = {fire_id for row in rows.values() for fire_id in row["executed"] if fire_id.startswith(PREFIX)}
        within = self.dose.of(90.0, 180.0)
        seen = self._follow(witnesses, within)
        told = self._told()
        lost = sorted(executed - told)
        line.check("real fires were executed about the kills of the logger", len(executed) >= len(self.fires) // 2 > 0,
                   (len(executed), len(self.fires)))
        print(f"line {line.number}: of {len(executed)} answers of real fires {len(lost)} were lost in {len(self.kills)} "
              "kills of the logger", flush=True)
        line.none("fires whose answer fell into a kill, neither listed as unknown nor resolved within 90 s",
                  [(fire_id, seen[fire_id]) for fire_id in lost if self._listed_after(seen[fire_id]) > LISTED_WITHIN])
        line.none("of those with a witness not resolved",
                  [(fire_id, seen[fire_id].get("state")) for fire_id in lost
                   if self.fires[fire_id] in witnesses and seen[fire_id].get("state") != "filled"])
        unknown = {fire_id for fire_id in self.fires if seen[fire_id].get("state") == "unknown"}
        line.none("of those without a witness neither unknown nor filled",
                  [(fire_id, seen[fire_id].get("state")) for fire_id in lost
                   if fire_id not in unknown and seen[fire_id].get("state") != "filled"])
        self._judge_lists(line, unknown)
        self.desk.close()
        self.group.kill()
        line.note(fires=len(self.fires), fires_executed=len(executed), answers_lost=len(lost),
                  answers_lost_with_witness=sum(self.fires[one] in witnesses for one in lost),
                  answers_lost_resolved=sum(seen[one].get("state") == "filled" for one in lost),
                  fires_still_unknown=len(unknown),
                  fires_listed_after_s=max((self._listed_after(seen[one]) for one in lost), default=0.0))

    def _judge_lists(self, line, unknown):
        """What an operator reads: the ledger's counts and `/fires`."""
        ledger = self.desk.ask(type="ledger")
        open_rows = [fire_id for fire_id in self.fires if self._state(fire_id).get("state") in
                     ("unknown", "sent", "acknowledged", "sending")]
        line.check("the ledger counts every fire that is unaccounted", ledger.get("unaccounted") == len(open_rows),
                   (ledger.get("unaccounted"), len(open_rows)))
        line.check("the ledger counts every unknown fire", ledger.get("unknown") == len(unknown),
                   (ledger.get("unknown"), len(unknown)))

        def all_shown():
            shown = {item.get("fire_id") for item in self.mesh.items("/fires?state=unknown&limit=1000")}
            return unknown <= shown
        try:
            wait(all_shown, 30, "/fires lists every unknown fire", pause=0.2)
            missing = []
        except TimeoutError as error:
            missing = [str(error)]
        line.none("unknown fires that /fires does not list", missing)

    def _state(self, fire_id):
        return self.mesh.state.hash(f"fire:{fire_id}")

    def _follow(self, witnesses, within):
        """Each fire's row once it is over, or unknown without a witness; {} for one that was never taken."""
        seen = {}

        def settled():
            for fire_id, user in self.fires.items():
                row = self._state(fire_id)
                seen[fire_id] = row
                if row and row.get("state") not in OVER and not (
                        row.get("state") == "unknown" and user not in witnesses):
                    return False
            return True
        try:
            wait(settled, within, "every fire is over or unknown", pause=0.5)
        except TimeoutError:
            pass
        for fire_id in self.fires:
            seen[fire_id] = self._state(fire_id)
        return seen

    def _listed_after(self, row):
        """Seconds from its volley's kill until the ledger said that its outcome is unknown, or knew it."""
        if row.get("state") not in (*OVER, "unknown"):
            return float("inf")
        kill = self.kills[int(row["fire_id"][len(PREFIX):].split("-")[0])]
        moments = [int(entry["at"]) for entry in json.loads(row.get("timeline") or "[]")
                   if entry["state"] in ("unknown", *OVER)]
        return min(moments, default=float("inf")) / 1000 - kill

    def _told(self):
        """Fires whose answer is in the journal as their terminal sent it."""
        found = set()
        for _, _, _, frame in JournalReader(self.mesh.journal).frames():
            if b'"fire_id":"' + PREFIX.encode() in frame and b'"source"' not in frame:
                found.add(frame.split(b'"fire_id":"', 1)[1].split(b'"', 1)[0].decode())
        return found
