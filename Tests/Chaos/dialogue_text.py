"""Reads a dialogue's file, and says whether what was seen has what was expected."""

import json
import re
from decimal import Decimal, InvalidOperation

LINE = re.compile(r"^(?:(?P<who>[A-Z]) )?(?P<port>[a-z]+(?:-[a-z]+)*)(?P<arrow>[<>])(?: (?P<rest>.*))?$")
# Steps that touch everybody: a dialogue with one of them is run when no other runs.
ALONE = ("kill", "freeze", "thaw", "settings", "flush", "alone")


class Step:
    def __init__(self, number, text):
        self.number, self.text = number, text
        self.within = 8.0
        match = re.match(r"within ([0-9.]+) (.*)$", text)
        if match:
            self.within, text = float(match[1]), match[2]
        self.repeats = text.startswith("repeat ")
        text = text.removeprefix("repeat ")
        match = LINE.match(text)
        if match:
            self.kind = "send" if match["arrow"] == ">" else "expect"
            self.who, self.port, self.rest = match["who"] or "A", match["port"], match["rest"] or ""
        else:
            match = re.match(r"^(?:([A-Z]) )?(\S+)(?: (.*))?$", text)
            self.who, self.kind, self.rest = match[1] or "A", match[2], match[3] or ""
            self.port = None


class Dialogue:
    """One file: its first comment is the title, every other line that isn't a comment is a step."""

    def __init__(self, name, text):
        self.name = name
        self.title = ""
        self.steps = []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if line.startswith("#"):
                self.title = self.title or line.lstrip("# ")
            elif line:
                self.steps.append(Step(number, line))
        self.is_alone = any(step.kind in ALONE for step in self.steps)
        self.changes_settings = any(step.kind == "settings" for step in self.steps)


def fields_of(rest):
    """`a=1 b~text c!=2 d=` as [(name, sign, value)]; a value with blanks stands in quotes."""
    found = []
    for match in re.finditer(r'([\w.:-]+)(!=|>=|<=|=|~|>|<)("(?:[^"\\]|\\.)*"|\S*)', rest):
        value = match[3][1:-1] if match[3].startswith('"') else match[3]
        found.append((match[1], match[2], value))
    return found


def number(value):
    if isinstance(value, bool) or value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def same(seen, expected):
    """Equal as what they mean: 1.0 is 1, true is 1, nothing is nothing however it is written."""
    if expected in (None, ""):
        return seen in (None, "", "null")
    if expected == "*":
        return seen not in (None, "")
    flags = {"true": True, "1": True, "false": False, "0": False}
    if isinstance(expected, bool) or isinstance(seen, bool):
        return flags.get(str(seen).lower()) is not None and flags.get(str(seen).lower()) == flags.get(
            str(expected).lower())
    left, right = number(seen), number(expected)
    if left is not None and right is not None:
        return left == right
    return str(seen) == str(expected)


def missing(expected, seen, path=""):
    """What of `expected` is not in `seen`, in words; empty when all is there."""
    if isinstance(expected, dict):
        if not isinstance(seen, dict):
            return [f"{path or 'it'} is {seen!r}"]
        return [text for key, value in expected.items()
                for text in missing(value, seen.get(key), f"{path}.{key}".lstrip("."))]
    if isinstance(expected, list):
        if not isinstance(seen, list) or len(seen) != len(expected):
            return [f"{path} is {seen!r}, expected {expected!r}"]
        return [text for index, value in enumerate(expected) for text in missing(value, seen[index], f"{path}.{index}")]
    if isinstance(expected, str) and expected.startswith("~"):
        return [] if expected[1:] in str(seen) else [f"{path} is {seen!r}, expected to contain {expected[1:]!r}"]
    return [] if same(seen, expected) else [f"{path} is {seen!r}, expected {expected!r}"]


def at(document, path):
    """`ledger.unknown`, `items.0.state`, `timeline` of a document; None where there is nothing."""
    for part in path.split("."):
        if isinstance(document, list):
            document = document[int(part)] if part.isdigit() and int(part) < len(document) else None
        elif isinstance(document, dict):
            document = document.get(part)
        else:
            return None
    return document


def unmet(conditions, document):
    """Which of the conditions a document doesn't meet, in words."""
    found = []
    for path, sign, value in conditions:
        seen = at(document, path)
        if sign in ("=", "!="):
            good = same(seen, value) == (sign == "=")
        elif sign == "~":
            text = seen if isinstance(seen, str) else json.dumps(seen, ensure_ascii=False)
            good = value in text
        else:
            left, right = number(seen), number(value)
            good = left is not None and {">": left > right, "<": left < right, ">=": left >= right,
                                         "<=": left <= right}[sign]
        if not good:
            found.append(f"{path} is {seen!r}, expected {sign}{value}")
    return found
