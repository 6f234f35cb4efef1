"""Line 5: a subscriber of the relay reads a tenth of what is published; nobody else may notice."""

import random
import time

from crowd import Remote
from fleet_mesh import wait
from people import Person
from streams import Listener, Stream

TITLE = "a subscriber at a tenth of the relay's speed"
NEEDED = ("rate", "publisher_mb_at_start", "publisher_mb_filled", "publisher_mb_at_end", "lost_by_others",
          "lost_by_slow")
RATE, SENDERS, OTHERS = 20_000, 40, 2
# The relay's high-water mark for each subscriber. libzmq counts what was read in steps of half the mark: a queue that
# is full takes half a mark again whenever its reader took as much, so that it has its full height, the kernel's buffers
# beside it, once half a mark was read, and a moment later. Source: libzmq src/pipe.cpp, compute_lwm, check_hwm.
MARK, FLAT_MB = 100_000, 8.0
REFILL = 1.5 * MARK / 2 / (0.9 * RATE)
# What a message that waits takes: its 260 bytes, libzmq's 64 of its place in the queue, the allocator's.
EACH = 400
# What a queue without a bound would grow by in a second: what is not read, at about 300 bytes a message.
UNBOUNDED_MB = 0.9 * RATE * 300 / 1e6


def play(line, mesh, dose):
    # So long after the slow one's queue is full.
    seconds = dose.of(10.0, 180.0)
    mesh.begin()
    people = [Person(number, f"steady_{number:03d}_x", 5_500_000 + number, "Steady-Trade") for number in range(SENDERS)]
    stream = Remote(Stream, people, mesh.address("ea-telemetry"), random.Random(dose.seed))
    dose.keep(stream)
    relay, mark = mesh.endpoint("market-relay"), b'"user_uuid":"steady_'
    others = [Remote(Listener, relay, mark) for _ in range(OTHERS)]
    slow = Remote(Listener, relay, mark, RATE / 10, 1000)
    for helper in (*others, slow):
        dose.keep(helper)
    stream.call("open")
    wait(lambda: stream.call("ready") == SENDERS, 15, "all are connected")
    mesh.wait_active(SENDERS, 15)
    primed(stream, [*others, slow])
    first = [helper.call("take")[0] for helper in others]
    slow_first, sent_first = slow.call("take")[0], stream.call("run", 0)
    start = kilobytes(mesh)
    began = time.monotonic()
    stream.call("run", RATE)
    filling, filled_after = watched(mesh, lambda: slow.call("take")[0] - slow_first >= MARK / 2, 90.0)
    filling += watched(mesh, lambda: False, REFILL)[0]
    samples, _ = watched(mesh, lambda: False, seconds)
    sent = stream.call("run", 0) - sent_first
    elapsed = time.monotonic() - began
    try:
        wait(lambda: all(helper.call("take")[0] - had >= sent for helper, had in zip(others, first)), 10,
             "all is there")
    except TimeoutError:
        pass
    got = [helper.call("take")[0] - had for helper, had in zip(others, first)]
    slow_got = slow.call("take")[0] - slow_first
    filled_mb, end_mb = max(filling) / 1024, max(samples) / 1024
    line.check(f"the slow one reads {MARK // 2:,} and its queue is full", filled_after is not None)
    line.check(f"sent at {RATE}/s", sent / elapsed > 0.9 * RATE, f"{sent / elapsed:.0f}/s")
    line.equal("lost by other subscribers", [sent - count for count in got], [0] * OTHERS)
    line.check("the slow one reads a tenth, and the rest is dropped for it", slow_got < 0.5 * sent - MARK
               or slow_got < 0.2 * sent, (slow_got, sent))
    line.check(f"the publisher's memory is flat, within {FLAT_MB:.0f} MB, once that queue is full",
               end_mb - filled_mb <= FLAT_MB, f"{filled_mb:.1f} to {end_mb:.1f} MB")
    line.check(f"that queue takes no more than its {MARK:,} messages do", filled_mb - start / 1024 <= MARK * EACH / 1e6,
               f"{filled_mb - start / 1024:.1f} of {MARK * EACH / 1e6:.0f} MB")
    line.note(scale=f"{RATE}/s for {elapsed:.0f} s, {OTHERS} subscribers beside the slow one", sent=sent,
              lost=sum(sent - count for count in got), memory_mb=mesh.memory_in_all(), rate=sent / elapsed,
              publisher_mb_at_start=start / 1024, publisher_mb_filled=filled_mb, publisher_mb_at_end=end_mb,
              full_after_s=filled_after or 0.0, lost_by_others=sum(sent - n for n in got),
              lost_by_slow=sent - slow_got, slow_read=slow_got,
              without_a_bound_mb=filled_mb + seconds * UNBOUNDED_MB)


def watched(mesh, reached, within):
    """Resident kilobytes, twice a second, until something is reached; and after how many seconds it was, or None."""
    sizes, began = [], time.monotonic()
    while time.monotonic() - began < within:
        time.sleep(0.5)
        sizes.append(kilobytes(mesh))
        if reached():
            return sizes, time.monotonic() - began
    return sizes, None


def primed(stream, helpers):
    """Until every subscriber hears what is published: a subscription takes a moment."""
    def heard():
        stream.call("run", 200)
        time.sleep(0.2)
        stream.call("run", 0)
        return all(helper.call("take")[0] > 0 for helper in helpers)
    wait(heard, 15, "every subscriber hears")
    last = None
    while last != (now := [helper.call("take")[0] for helper in helpers]):
        last = now
        time.sleep(0.4)


def kilobytes(mesh):
    with open(f"/proc/{mesh.wait_pid('handshake-processor')}/status", encoding="utf-8") as file:
        return next(int(text.split()[1]) for text in file if text.startswith("VmRSS:"))
