"""Who fires: requests on the port `orders`, and the processes of traders that answer the fires."""

import json
import multiprocessing
import time

import zmq

import traders
from broken_mesh import wait

FORK = multiprocessing.get_context("fork")


class Desk:
    """One client of `orders`; a request without an answer gives an empty object."""

    def __init__(self, mesh):
        self.endpoint = mesh.endpoint("orders")
        self.context = zmq.Context()
        self.socket = None

    def ask(self, timeout=5.0, **request):
        if self.socket is None:
            self.socket = self.context.socket(zmq.REQ)
            self.socket.linger = 0
            self.socket.connect(self.endpoint)
        self.socket.send(json.dumps(request).encode())
        if self.socket.poll(timeout * 1000):
            return json.loads(self.socket.recv())
        self.socket.close()
        self.socket = None
        return {}

    def fire(self, fire_id, user, lifetime=5.0, **more):
        return self.ask(type="fire", fire_id=fire_id, user_uuid=user, symbol="EURUSD", direction="BUY", sl=1.08,
                        lot=0.01, expires_at_ms=int((time.time() + lifetime) * 1000), **more)

    def close(self):
        self.context.destroy(linger=0)


class Traders:
    """Processes of traders with these numbers; every second one speaks 2.06H and is a witness.

    `faulty` names whose terminals swallow a fire or lose an answer now and then: "nobody", "witnesses", "everybody".
    """

    def __init__(self, mesh, numbers, heartbeat, processes=1, faulty="nobody"):
        numbers = list(numbers)
        endpoints = {name: mesh.endpoint(name) for name in ("ea-telemetry", "ea-commands", "ea-confirmations")}
        self.users = [traders.trader(number) for number in numbers]
        self.workers = []
        for place in range(processes):
            part = numbers[place::processes]
            ours, theirs = FORK.Pipe()
            witnesses = {number for number in part if number // processes % 2 == 0}
            chosen = {"nobody": set(), "witnesses": witnesses, "everybody": set(part)}[faulty]
            worker = FORK.Process(target=traders.run, daemon=True,
                                  args=(theirs, endpoints, part, witnesses, heartbeat, chosen))
            worker.start()
            theirs.close()
            self.workers.append((worker, ours))

    def tell(self, *order):
        for _, pipe in self.workers:
            pipe.send(order)
        answers = []
        for _, pipe in self.workers:
            if not pipe.poll(60):
                raise TimeoutError("the traders do not answer")
            answers.append(pipe.recv())
        return answers

    def report(self):
        """What each did, by user."""
        return {user: row for part in self.tell("report") for user, row in part.items()}

    def kill(self):
        for worker, _ in self.workers:
            if worker.is_alive():
                worker.kill()
                worker.join(5)


def ready(desk, users, tier="LIEUTENANT", within=60.0):
    """Gives every user his tier and waits until a fire at him would only lack its stop."""
    for user in users:
        answer = desk.ask(type="set_user", user_uuid=user, tier=tier)
        if not answer.get("ok"):
            raise RuntimeError(f"set_user of {user}: {answer}")
    waiting = list(users)
    probes = 0

    def all_ready():
        nonlocal waiting, probes
        reasons = {}
        for user in waiting:
            probes += 1
            reasons[user] = desk.ask(type="fire", fire_id=f"probe-{probes}", user_uuid=user, symbol="EURUSD",
                                     direction="BUY", lot=0.01).get("reason")
        waiting = [user for user in waiting if reasons[user] != "no_stop"]
        return not waiting
    wait(all_ready, within, "all traders may be fired at", pause=0.3)
