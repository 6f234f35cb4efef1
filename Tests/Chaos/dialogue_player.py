"""Plays one dialogue: each step is one method, named `do_<step>`."""

import hashlib
import hmac
import json
import re
import signal
import time

import zmq

from dialogue_looks import Looks, Mismatch
from dialogue_messages import build
from dialogue_terminal import ScriptedTerminal, decoded
from dialogue_text import at, fields_of, missing
from world import World


class Player(Looks):
    def __init__(self, mesh, report, dialogue, place, killer):
        self.mesh, self.dialogue, self.place, self.killer = mesh, dialogue, place, killer
        self.world = World(mesh, report, dialogue.name, ("trade-events",))
        self.terminals = {}
        self.kept = {}
        self.replies = {}
        self.asked = None
        self.count = 0

    def play(self):
        """Nothing, or the first step that did not come out, in words."""
        try:
            self.world.live(0.1)
            for step in self.dialogue.steps:
                try:
                    getattr(self, f"do_{step.kind.replace('-', '_')}")(step)
                except Mismatch as error:
                    return f"line {step.number} ({step.text}): {error}"
                except Exception as error:  # a step that can't be done is a failure of this dialogue only
                    return f"line {step.number} ({step.text}): {type(error).__name__}: {error}"
            return None
        finally:
            if self.dialogue.is_alone:
                self.killer.thaw_all()
            for terminal in self.terminals.values():
                terminal.disconnect()
            self.world.terminals = []
            self.world.close()

    # -- words

    def terminal(self, step):
        if step.who not in self.terminals:
            self.add(step.who, {"wait": "no", "hello": "no"})
        return self.terminals[step.who]

    def substituted(self, text, terminal):
        """`$user`, `$B.user`, `$ms+1500`, `$time-60`, `$epoch`, `$n`, and what `let` kept."""
        def word(match):
            owner = self.terminals.get(match[1][0]) if match[1] else terminal
            name, shift = match[2], int(match[3] or 0)
            if name == "ms":
                return str(int(time.time() * 1000) + shift)
            if name == "epoch":
                return str(int(time.time()) + shift)
            if name == "n":
                return str(self.count)
            if name in self.kept:
                return str(self.kept[name])
            if owner is None:
                raise Mismatch(f"who is {match[0]}?")
            if name == "time":
                return owner.broker_time(shift)
            if name == "broker_epoch":
                return str(int(time.time()) + owner.offset + shift)
            return owner.values().get(name, match[0])
        return re.sub(r"\$([A-Z]\.)?([a-z_]+)([+-]\d+)?", word, text)

    def message(self, step, terminal):
        """The bytes of `> text` or `> @name key=value … | change`."""
        text, *changes = step.rest.split(" | ")
        if text.startswith("@"):
            name, _, fields = text[1:].partition(" ")
            given = {key: self.substituted(value.replace('\\"', '"'), terminal)
                     for key, _, value in fields_of(fields)}
            values = terminal.values() if terminal else {}
            text = self.substituted(build(name, given, values), terminal)
            if name.startswith("inferred_") and "unsigned" not in changes:
                text = self.signed(text)
        else:
            text = self.substituted(text, terminal)
            text = re.sub(r"\\x([0-9a-f]{2})|\\0", lambda m: chr(int(m[1] or "0", 16)), text)
        data = text.encode("cp1252", "surrogateescape") if "cp1252" in changes else text.encode("latin-1", "replace")
        for change in changes:
            word, _, amount = change.partition(" ")
            if word == "cut":
                data = data[:int(amount)]
            elif word == "append":
                data += amount.encode().decode("unicode_escape").encode("latin-1")
            elif word == "prepend":
                data = amount.encode().decode("unicode_escape").encode("latin-1") + data
            elif word == "pad":
                data = data[:-1] + b',"pad":"' + b"x" * int(amount) + b'"}'
            elif word not in ("cp1252", "delimiter", "unsigned"):
                raise Mismatch(f"nobody knows how to '{change}'")
        return data

    def signed(self, text):
        """As position-tracker signs what it found: HMAC-SHA256 over the compact text, with the mesh's own secret."""
        with open(f"{self.mesh.directory}/var/witness.key", encoding="ascii") as file:
            secret = bytes.fromhex(file.read().strip())
        return f'{text[:-1]},"signature":"{hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()}"}}'

    # -- terminals

    def add(self, name, options):
        terminal = ScriptedTerminal(self.world.context, self.mesh, name, self.place, options)
        self.terminals[name] = terminal
        self.world.terminals.append(terminal)
        return terminal

    def do_terminal(self, step):
        options = {key: self.substituted(value, None) for key, _, value in fields_of(step.rest)}
        terminal = self.add(step.who, options)
        if options.get("tier", "COMMANDER") != "none":
            self.world.orders(type="set_user", user_uuid=terminal.user, tier=options.get("tier", "COMMANDER"))
        if options.get("hello") != "no":
            terminal.introduce()
        if options.get("wait") != "no" and terminal.version in ("2.05", "2.06H", "own"):
            self.wait_for_market(step, terminal)

    def wait_for_market(self, step, terminal):
        def judged():
            self.count += 1
            return self.world.fire(f"p-{self.place}-{self.count}", terminal.user, sl=None).get("reason")
        step.within = max(step.within, 15)
        self.until(step, judged, lambda reason: "" if reason == "no_stop" else f"a fire is denied {reason}")

    def do_judged(self, step):
        self.wait_for_market(step, self.terminal(step))

    def do_ticks(self, step):
        self.terminal(step).ticking = step.rest == "on"

    def do_quote(self, step):
        symbol, bid, ask = step.rest.split()
        self.terminal(step).quotes[symbol] = (bid, ask)

    def do_reconnect(self, step):
        self.terminal(step).connect()

    def do_restart_ea(self, step):
        self.terminal(step).renew()
        self.terminal(step).connect()
        self.terminal(step).introduce()

    def do_gone(self, step):
        self.terminal(step).disconnect()

    def do_receipts_by(self, step):
        self.terminal(step).open("ea-receipts", zmq.REQ if step.rest == "REQ" else zmq.DEALER)

    # -- talk

    def do_send(self, step):
        if step.port.startswith("ea-"):
            terminal = self.terminal(step)
            if step.port == "ea-receipts":
                terminal.replies.clear()
            delimiter = [b""] if step.rest.endswith(" | delimiter") else []
            data = self.message(step, terminal)
            terminal.say(step.port, *delimiter, data)
            # A message of several frames is kept in a form of its own: it can't be looked for.
            if step.port in ("ea-confirmations", "ea-receipts") and not delimiter:
                self.mesh.confirmations.append((self.dialogue.name, data))
            return
        self.asked = step
        self.ask()

    def ask(self):
        self.count += 1
        data = self.message(self.asked, self.terminals.get(self.asked.who))
        self.replies[self.asked.port] = self.world.ask(self.asked.port, data, timeout=self.asked.within)

    def expected(self, step):
        text = self.substituted(step.rest, self.terminals.get(step.who))
        return json.loads(text)

    def do_expect(self, step):
        expected = self.expected(step)
        if step.port.startswith("ea-"):
            kept = self.terminal(step).received if step.port == "ea-commands" else self.terminal(step).replies
            self.until(step, lambda: len(kept), lambda count: "" if count else "nothing came")
            frames = kept.pop(0)
            seen = {**decoded(frames), "_frames": len(frames)}
            self.replies[step.port] = seen
            found = missing(expected, seen)
            if found:
                raise Mismatch(f"{'; '.join(found)}; seen {str(seen)[:700]}")
        elif self.asked and self.asked.repeats:
            def again():
                if missing(expected, self.replies[step.port]):
                    self.ask()
                return self.replies[step.port]
            self.until(step, again, lambda seen: "; ".join(missing(expected, seen)))
        else:
            seen = self.replies.get(step.port)
            found = missing(expected, seen)
            if found:
                raise Mismatch(f"{'; '.join(found)}; seen {str(seen)[:700]}")

    def do_nothing(self, step):
        port, milliseconds = step.rest.split()
        kept = self.terminal(step).received if port == "ea-commands" else self.terminal(step).replies
        self.world.live(int(milliseconds) / 1000)
        if kept:
            raise Mismatch(f"{[decoded(frames) for frames in kept]!r} came")

    def do_let(self, step):
        name, _, place = step.rest.partition(" = ")
        port, _, path = place.partition(".")
        value = at(self.replies.get(port), path)
        if value is None:
            raise Mismatch(f"there is no {place} in {self.replies.get(port)!r}")
        self.kept[name] = value

    def do_live(self, step):
        self.world.live(int(step.rest) / 1000)

    # -- faults

    def do_alone(self, step):
        """Only keeps others away."""

    def do_kill(self, step):
        name, _, number = step.rest.partition(" ")
        self.killer.kill(self.world, name, signal.SIGTERM if number == "-15" else signal.SIGKILL)

    def do_freeze(self, step):
        self.killer.freeze(step.rest)

    def do_thaw(self, step):
        self.killer.thaw(step.rest)

    def do_flush(self, step):
        self.mesh.redis("FLUSHALL")

    def do_settings(self, step):
        self.killer.settings({key: value for key, _, value in fields_of(step.rest)})
        self.killer.kill(self.world, "position-tracker", signal.SIGTERM)
