"""Redis, asked in its own protocol: one connection, pipelines, nothing of the product. Source: Redis, RESP2."""

import socket


class State:
    def __init__(self, port, timeout=10.0):
        self.port, self.timeout = port, timeout
        self.socket = self.buffer = None

    def _connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        self.buffer = self.socket.makefile("rb", 1 << 20)

    def close(self):
        for part in (self.buffer, self.socket):
            if part is not None:
                part.close()
        self.socket = self.buffer = None

    def ask(self, *words):
        return self.pipeline([words])[0]

    def pipeline(self, commands):
        """Answers in the order of the commands; an error reply is an exception in its place."""
        try:
            if self.socket is None:
                self._connect()
            self.socket.sendall(b"".join(encoded(words) for words in commands))
            return [self._reply() for _ in commands]
        except (OSError, EOFError):
            self.close()
            raise

    def _reply(self):
        line = self.buffer.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self.buffer.read(length + 2)[:-2].decode("utf-8", "replace")
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        if kind == b"*":
            return None if rest == b"-1" else [self._reply() for _ in range(int(rest))]
        return RuntimeError(rest.decode("utf-8", "replace"))

    # -- what the evidence needs

    def answers(self):
        try:
            return self.ask("PING") == "PONG"
        except (OSError, EOFError):
            return False

    def hash(self, key):
        answer = self.ask("HGETALL", key)
        if not isinstance(answer, list):
            return {}
        return dict(zip(answer[::2], answer[1::2]))

    def information(self, section):
        text = self.ask("INFO", section)
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def keys(self, pattern):
        found, cursor = set(), "0"
        while True:
            cursor, keys = self.ask("SCAN", cursor, "MATCH", pattern, "COUNT", "10000")
            found.update(keys)
            if cursor == "0":
                return found

    ROWS = """
        local rows = {}
        for place, key in ipairs(KEYS) do
            local values = redis.call('HMGET', key, unpack(ARGV))
            for index, value in ipairs(values) do values[index] = value or '' end
            rows[place] = table.concat(values, '\\31')
        end
        return rows"""

    def rows(self, keys, fields):
        """(key, values of these fields) of many hashes; an absent field is an empty text."""
        keys = list(keys)
        for start in range(0, len(keys), 2000):
            part = keys[start:start + 2000]
            answer = self.ask("EVAL", State.ROWS, str(len(part)), *part, *fields)
            if isinstance(answer, Exception):
                raise answer
            for key, row in zip(part, answer):
                yield key, row.split("\x1f")

    def stream(self, key):
        """(entry id, fields) of a whole stream, in its order."""
        start = "-"
        while True:
            entries = self.ask("XRANGE", key, start, "+", "COUNT", "5000")
            if not isinstance(entries, list) or not entries:
                return
            for name, flat in entries:
                yield name, dict(zip(flat[::2], flat[1::2]))
            start = "(" + entries[-1][0]


def encoded(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)
