"""How fast it is, and how it ends."""

import json
import os
import signal
import time

import zmq

from confirmation_world import own, rss


def the_end(world):
    """SIGTERM: what was taken is finished, the exit is 0, the next start has nothing to do."""
    report, push = world.report, world.push()
    push.setsockopt(zmq.LINGER, 2000)
    for ticket in range(1, 201):
        push.send(json.dumps(own(ticket, "order_opened", user="outside_end", account="77")).encode())
    world.wait(lambda: world.number("opened", "account:77") >= 1, 5, "the first are booked")
    began = time.monotonic()
    world.process.send_signal(signal.SIGTERM)
    code = world.process.wait(10)
    seconds = time.monotonic() - began
    report.check(f"it ends with 0 within 5 s ({seconds:.2f} s)", code == 0 and seconds < 5, code)
    report.equal("with everything booked", world.number("opened", "account:77"), 200)
    world.start()
    push.close()


def speed(world, count):
    """Confirmations made durable and applied a second, and the round trip on the receipts port."""
    report, pushes = world.report, [world.push() for _ in range(8)]
    messages = [json.dumps(own(t, "order_opened", user=f"outside_speed_{t % 50}", account=str(9000 + t % 50))).encode()
                for t in range(1, count + 1)]
    for push in pushes:
        push.sndhwm = 0
    start = world.number("opened")
    began = time.monotonic()
    for index, message in enumerate(messages):
        pushes[index % 8].send(message)
    sent = time.monotonic() - began
    world.wait(lambda: world.number("opened") - start >= count, 180, "all are booked", pause=0.1)
    seconds = time.monotonic() - began
    print(f"speed   {count} confirmations durable and applied in {seconds:.2f} s: {count / seconds:.0f}/s "
          f"(appendfsync always; sent within {sent:.2f} s); memory {rss(world.process.pid)} MB", flush=True)
    report.check("thousands a second", count / seconds > 1000, count / seconds)
    dealer, times = world.dealer(), []
    for seq in range(1, 2001):
        moment = time.perf_counter()
        answer = world.ask(dealer, own(seq, "order_opened", seq=seq, node="NODE_5_5", user="outside_trip"))
        times.append(time.perf_counter() - moment)
        if not (answer or {}).get("ok"):
            report.check("every one is answered", False, answer)
        time.sleep(max(0, 0.001 - times[-1]))
    times.sort()
    path = os.path.join(world.directory, "raw")
    raw = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(500):
            file.write(b"x" * 500)
            moment = time.perf_counter()
            os.fdatasync(file.fileno())
            raw.append(time.perf_counter() - moment)
    raw.sort()
    print(f"speed   round trip on ea-receipts p50 {times[1000] * 1e6:.0f} us, p99 {times[1980] * 1e6:.0f} us; "
          f"one raw fdatasync p50 {raw[250] * 1e6:.0f} us, p99 {raw[495] * 1e6:.0f} us", flush=True)
    for one in pushes + [dealer]:
        one.close()
