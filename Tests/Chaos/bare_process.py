"""What a kill costs any process: a bare C one with as many connections, sent to at the same rate, killed the same way in the
same run. What was sent into its sockets and it never read is lost, whatever it would have done with it."""

import mmap
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

MESSAGE = b"x" * 400
TURN = 0.01
FOLDER = os.path.dirname(os.path.abspath(__file__))


def play(line, dose, connections, rate):
    """Notes how many messages each of some kills lost; does nothing where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        line.note(bare_process="not measured: there is no cc")
        return
    with tempfile.TemporaryDirectory(prefix="bare-") as folder:
        program = os.path.join(folder, "receiver")
        subprocess.run([compiler, "-O2", "-o", program, os.path.join(FOLDER, "bare_receiver.c")], check=True)
        kills = [kill(program, os.path.join(folder, f"taken-{number}"), connections, rate, dose.random)
                 for number in range(dose.of(3, 10))]
    lost = sorted(count for count, _ in kills)
    line.note(bare_process_lost_a_kill=str(lost), bare_process_lost_mean=sum(lost) / len(lost),
              bare_process_teardown_ms=max(last for _, last in kills))


def kill(program, path, connections, rate, dice):
    """(how many were lost, ms from the kill to the last one that a socket still took)."""
    with subprocess.Popen([program, path, str(connections)], stdout=subprocess.PIPE, text=True) as process:
        sockets = []
        try:
            port = int(process.stdout.readline())
            for number in range(connections):
                one = socket.create_connection(("127.0.0.1", port))
                one.sendall(struct.pack("<I", number))
                one.setblocking(False)
                sockets.append(one)
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the bare process does not take its connections")
            sent, moment, last = send(process, sockets, rate, dice)
        finally:
            for one in sockets:
                one.close()
            if process.poll() is None:
                process.kill()
            process.wait(10)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as taken:
        heard = sum(count[0] // len(MESSAGE) for count in struct.iter_unpack("<Q", taken[:]))
    return sent - heard, max(0.0, last - moment) * 1000


def send(process, sockets, rate, dice):
    """Half a second before and half a second after the kill, each socket in its turn; (sent, kill, last success)."""
    order = list(sockets)
    dice.shuffle(order)
    began = time.monotonic()
    strike = began + 0.5 + dice.uniform(0, TURN)
    sent = tries = 0
    moment = last = None
    while True:
        now = time.monotonic()
        if moment is None and now >= strike:
            moment = now
            os.kill(process.pid, signal.SIGKILL)
        if now - began > 1.0:
            return sent, moment, last
        while tries < int((now - began) * rate):
            one = order[tries % len(order)]
            tries += 1
            if is_open(one):
                sent += one.send(MESSAGE) == len(MESSAGE)
                last = time.monotonic()
        time.sleep(0.001 if moment is None and strike - now < TURN else TURN / 5)


def is_open(one):
    """Whether its other end was there a moment ago: libzmq too sees an end that was closed and sends nothing there."""
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
