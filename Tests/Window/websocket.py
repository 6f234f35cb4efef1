"""A small WebSocket client: text frames over one TCP connection, as Chromium's DevTools speak. Source: RFC 6455."""

import base64
import os
import socket
import struct


class WebSocketClosed(Exception):
    """The other side is gone."""


class WebSocket:
    def __init__(self, host, port, path, timeout=10):
        self.socket = socket.create_connection((host, port), timeout)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            (
                f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise WebSocketClosed(head.decode("latin-1"))

    def _more(self):
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise WebSocketClosed("the connection ended")
        self.buffer += piece

    def send(self, text, opcode=1):
        """A client's frames are masked."""
        data = text.encode() if isinstance(text, str) else text
        mask = os.urandom(4)
        size = len(data)
        if size < 126:
            head = struct.pack(">BB", 0x80 | opcode, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | opcode, 0x80 | 127, size)
        stretched = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")
        self.socket.sendall(head + mask + masked)

    def _frame(self):
        """The first frame in the buffer as (first byte, data), taken out; None while it is not whole."""
        data = self.buffer
        if len(data) < 2:
            return None
        size, start = data[1] & 127, 2
        if size == 126:
            start = 4
        elif size == 127:
            start = 10
        if len(data) < start:
            return None
        if start > 2:
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        self.buffer = data[start + size :]
        return data[0], data[start : start + size]

    def receive(self, timeout):
        """The next text; socket.timeout where none comes in time."""
        self.socket.settimeout(max(0.001, timeout))
        whole = b""
        while True:
            frame = self._frame()
            if frame is None:
                self._more()
                continue
            first, data = frame
            opcode = first & 15
            if opcode == 8:
                raise WebSocketClosed("closed")
            if opcode == 9:
                self.send(data, 10)
                continue
            whole += data
            if first & 128:
                return whole.decode("utf-8", "replace")

    def close(self):
        try:
            self.send(b"", 8)
        except OSError:
            pass
        self.socket.close()
