"""ZMTP 3.1 by hand, for crowds of terminals: one descriptor a connection, thousands in a process, nothing of libzmq.

Source: ZMTP 3.1, https://rfc.zeromq.org/spec/37/ (NULL mechanism).
"""

import errno
import select
import socket
import struct
import time

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(16) + b"\x00" + bytes(31)
MORE, LARGE, COMMAND = 1, 2, 4


def frame(body, flags=0):
    if len(body) < 256:
        return bytes((flags, len(body))) + body
    return bytes((flags | LARGE,)) + struct.pack(">Q", len(body)) + body


def ready(kind, identity):
    body = b"\x05READY"
    for name, value in ((b"Socket-Type", kind), (b"Identity", identity)):
        body += bytes((len(name),)) + name + struct.pack(">I", len(value)) + value
    return frame(body, COMMAND)


class Link:
    """One connection; it comes back by itself, as EAs' do, unless it was closed on purpose.

    `ready_at` is when the other side's READY was read, None while there is none; what is sent meanwhile waits.
    """

    __slots__ = ("loop", "endpoint", "kind", "identity", "source", "heard", "socket", "out", "buffer", "greeted",
                 "is_greeted", "ready_at", "opened", "pongs", "is_wanted", "is_deaf", "frames", "refusals")

    def __init__(self, loop, endpoint, kind, identity=b"", heard=None, source=None):
        self.loop, self.endpoint, self.kind, self.identity = loop, endpoint, kind, identity
        self.heard, self.source = heard, source
        self.socket = self.ready_at = None
        self.out, self.buffer, self.frames = bytearray(), b"", []
        # Whether our greeting is out, and theirs in.
        self.greeted = self.is_greeted = self.is_deaf = False
        self.is_wanted = True
        # How often a connection was opened, PINGs were answered, and the other side ended it before READY.
        self.opened = self.pongs = self.refusals = 0

    def open(self):
        self.is_wanted = True
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.source:
            self.socket.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            self.socket.bind((self.source, 0))
        code = self.socket.connect_ex(self.endpoint)
        if code not in (0, errno.EINPROGRESS):
            return self._lose()
        self.opened += 1
        self.greeted, self.is_greeted, self.buffer, self.frames = False, False, b"", []
        self.loop.add(self)
        return None

    def send(self, body):
        self.send_bytes(frame(body))

    def send_bytes(self, framed):
        """Frames that are framed already: many at once."""
        if self.ready_at is None or self.out:
            self.out += framed
            return
        try:
            count = self.socket.send(framed)
        except BlockingIOError:
            count = 0
        except OSError:
            self.out += framed
            return self._lose()
        if count < len(framed):
            self.out += memoryview(framed)[count:]
            self.loop.watch(self, is_writing=True)
        return None

    def flush(self):
        """One piece at a time: thousands of others wait, too."""
        if self.out:
            try:
                with memoryview(self.out) as view:
                    count = self.socket.send(view[:1 << 16])
            except BlockingIOError:
                count = 0
            except OSError:
                return self._lose()
            del self.out[:count]
        return self.loop.watch(self, is_writing=bool(self.out))

    def close(self, abruptly=False):
        """For good. Abruptly: a machine without power says nothing of FIN (the kernel says RST for it)."""
        self.is_wanted = False
        if self.socket is not None:
            if abruptly:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.loop.forget(self)
            self.socket.close()
        self.socket = self.ready_at = None
        self.out.clear()

    def _lose(self):
        if self.socket is not None:
            self.loop.forget(self)
            self.socket.close()
        self.refusals += self.ready_at is None
        self.socket = self.ready_at = None
        if self.is_wanted:
            self.loop.later(self)

    # -- what the loop sees

    def on_event(self, mask):
        if self.socket is None:
            return
        if not self.greeted and mask & select.EPOLLOUT:
            if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return self._lose()
            self.greeted = True
            try:
                # A fresh connection takes these 100 bytes at once.
                self.socket.send(GREETING + ready(self.kind, self.identity))
            except OSError:
                return self._lose()
            self.loop.watch(self, is_writing=False)
        elif mask & select.EPOLLOUT and self.ready_at is not None:
            self.flush()
        if mask & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and self.socket is not None:
            self._read()

    def _read(self):
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._lose()
        self.buffer += data
        if not self.is_greeted:
            if len(self.buffer) < 64:
                return
            self.buffer, self.is_greeted = self.buffer[64:], True
        self._parse()

    def _parse(self):
        at, data = 0, self.buffer
        while len(data) - at >= 2:
            if data[at] & LARGE:
                if len(data) - at < 9:
                    break
                size, start = struct.unpack_from(">Q", data, at + 1)[0], at + 9
            else:
                size, start = data[at + 1], at + 2
            if len(data) - start < size:
                break
            flags, at = data[at], start + size
            self._take(flags, data[start:at])
        if self.socket is not None:
            self.buffer = data[at:]

    def _take(self, flags, body):
        if flags & COMMAND:
            if body[:6] == b"\x05READY":
                self.ready_at = time.monotonic()
                self.flush()
            elif body[:5] == b"\x04PING" and self.socket is not None:
                self.pongs += 1
                self.send_bytes(frame(b"\x04PONG" + body[7:], COMMAND))
            return
        self.frames.append(body)
        if not flags & MORE:
            frames, self.frames = self.frames, []
            if self.heard and not self.is_deaf:
                self.heard(self, frames)


class Loop:
    """epoll over all links of a process; those that were lost are opened again after a moment."""

    # As libzmq's 100 ms, with what keeps thousands apart.
    PAUSE = 0.25

    def __init__(self, random):
        self.random = random
        self.poll = select.epoll()
        self.links, self.lost = {}, []

    def add(self, link):
        number = link.socket.fileno()
        self.links[number] = link
        self.poll.register(number, select.EPOLLIN | select.EPOLLOUT)

    def watch(self, link, is_writing):
        if link.socket is not None:
            self.poll.modify(link.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if is_writing else 0))

    def forget(self, link):
        number = link.socket.fileno()
        if self.links.pop(number, None) is not None:
            self.poll.unregister(number)

    def later(self, link):
        self.lost.append((time.monotonic() + self.random.uniform(0.5, 2) * Loop.PAUSE, link))

    def turn(self, seconds):
        for number, mask in self.poll.poll(seconds, 2000):
            link = self.links.get(number)
            if link is not None:
                link.on_event(mask)
        if self.lost:
            now = time.monotonic()
            due = [link for moment, link in self.lost if moment <= now]
            self.lost = [entry for entry in self.lost if entry[0] > now]
            for link in due:
                if link.is_wanted and link.socket is None:
                    link.open()
