"""The journal, read by its documented format alone: segments, records, checksums, chain; plain and gzip.

A segment is a header of 80 bytes (magic 8, journal id 16, first sequence u64, created i64 ms, chain before it 32,
CRC-32 u32, zero u32), then records: length u32, CRC-32 u32, chain 32, payload. A payload is version u8, source u8,
flags u16, sequence u64, received i64 ms, frame. The CRC covers journal id, chain and payload; the chain is SHA-256 of
the chain before and the payload. All integers are little endian.
"""

import gzip
import hashlib
import os
import re
import struct
import zlib

NAME = re.compile(r"journal-(\d+)\.log(\.gz)?$")
HEADER = struct.Struct("<8s16sQq32sII")
RECORD = struct.Struct("<II32s")
PAYLOAD = struct.Struct("<BBHQq")
CONFIRMATIONS, RECEIPTS, DECISION = 1, 2, 3
# What a frame was understood as: `{"of":<sequence>,"events":[…]}`.
DECIDED = re.compile(rb'\{"of":(\d+),')


def segments(directory):
    """Paths by first sequence; where both forms stand (it is being compressed just now), the plain one."""
    found = {}
    for name in sorted(os.listdir(directory), reverse=True):
        match = NAME.match(name)
        if match:
            found[int(match[1])] = os.path.join(directory, name)
    return [found[first] for first in sorted(found)]


def archived_through(directory):
    """The last record of the compressed segments that stand before any other one."""
    paths = segments(directory)
    firsts = [int(NAME.match(os.path.basename(path))[1]) for path in paths]
    plain = next((place for place, path in enumerate(paths) if not path.endswith(".gz")), len(paths) - 1)
    return firsts[plain] - 1 if plain > 0 else 0


def content(path):
    with open(path, "rb") as file:
        data = file.read()
    return gzip.decompress(data) if path.endswith(".gz") else data


class JournalReader:
    """Walks all records and checks each; what is wrong is listed in `damages`."""

    def __init__(self, directory):
        self.directory = directory
        self.damages = []
        self.records = 0
        self.bytes = 0
        self.compressed = 0
        self.identifier = None
        # The record of each frame's decision, by the frame's sequence.
        self.decided = {}
        self._chain = None
        self._next = None

    def frames(self):
        """(sequence, received_at ms, source, bytes) of every frame of a terminal, in order."""
        for path in segments(self.directory):
            self.bytes += os.path.getsize(path)
            self.compressed += path.endswith(".gz")
            yield from self._segment(os.path.basename(path), content(path))

    def _segment(self, name, data):
        offset = self._open(name, data)
        if offset is None:
            return
        while offset < len(data):
            if offset + RECORD.size > len(data):
                return self._damage(name, offset, "a torn header")
            length, crc, chain = RECORD.unpack_from(data, offset)
            start = offset + RECORD.size
            payload = data[start:start + length]
            if length < PAYLOAD.size or len(payload) != length:
                return self._damage(name, offset, "a length that leads nowhere")
            if zlib.crc32(payload, zlib.crc32(chain, zlib.crc32(self.identifier))) != crc:
                self._damage(name, offset, "a wrong checksum")
            if hashlib.sha256(self._chain + payload).digest() != chain:
                self._damage(name, offset, "a broken chain")
            _, source, _, sequence, received = PAYLOAD.unpack_from(payload)
            if sequence != self._next:
                self._damage(name, offset, f"sequence {sequence} where {self._next} is due")
            self._chain, self._next = chain, sequence + 1
            self.records += 1
            if source in (CONFIRMATIONS, RECEIPTS):
                yield sequence, received, source, payload[PAYLOAD.size:]
            elif source == DECISION:
                self.decided[int(DECIDED.match(payload, PAYLOAD.size)[1])] = sequence
            offset = start + length

    def _open(self, name, data):
        if len(data) < HEADER.size:
            return self._damage(name, 0, "no header")
        magic, identifier, first, _, before, crc, _ = HEADER.unpack_from(data)
        if magic != b"MESHJRN1" or zlib.crc32(data[:72]) != crc:
            return self._damage(name, 0, "no intact header")
        if self.identifier is None:
            self.identifier, self._chain, self._next = identifier, before, first
            if first == 1 and before != hashlib.sha256(identifier).digest():
                self._damage(name, 0, "a chain that does not begin at the journal's id")
        elif (identifier, before, first) != (self.identifier, self._chain, self._next):
            self._damage(name, 0, "a segment that does not continue the one before")
            self._chain, self._next = before, first
        return HEADER.size

    def _damage(self, name, offset, what):
        self.damages.append(f"{name} at {offset}: {what}")


class JournalTail:
    """Follows the last segment and knows the newest frame's sequence; the writer's half record is none yet."""

    def __init__(self, directory):
        self.directory = directory
        self.last_frame = 0
        self._path, self._offset = None, 0

    def look(self):
        for path in segments(self.directory):
            if path.endswith(".gz") or (self._path and path < self._path):
                continue
            if path != self._path:
                self._path, self._offset = path, HEADER.size
            self._read()
        return self.last_frame

    def _read(self):
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:  # compressed and removed meanwhile: what it held is below the next one's
            return
        place = 0
        while place + RECORD.size + PAYLOAD.size <= len(data):
            length, _, _ = RECORD.unpack_from(data, place)
            end = place + RECORD.size + length
            if length < PAYLOAD.size or end > len(data):
                break
            _, source, _, sequence, _ = PAYLOAD.unpack_from(data, place + RECORD.size)
            if source in (CONFIRMATIONS, RECEIPTS):
                self.last_frame = sequence
            place = end
        self._offset += place
