"""A headless Chromium, driven over its DevTools protocol: pages, what they ask for, and what they complain of.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from websocket import WebSocket

DEADLINE = 15


class BrowserError(Exception):
    """The browser did not do what it was asked."""


class Browser:
    """One Chromium process with a profile of its own."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="mesh-window-")
        self.log = open(os.path.join(self.profile, "chromium.log"), "wb")
        self.process = subprocess.Popen(
            [
                "chromium",
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--mute-audio",
                "--hide-scrollbars",
                "--remote-debugging-port=0",
                f"--user-data-dir={self.profile}",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.port = self._port()
        self._channel, self._number = None, 0

    def _port(self):
        path = os.path.join(self.profile, "DevToolsActivePort")
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            try:
                with open(path, encoding="ascii") as file:
                    return int(file.readline())
            except (OSError, ValueError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            raise BrowserError("Chromium did not start: " + file.read()[-500:])

    def page(self, width=1440, height=900, scheme="light", touch=False, alone=False):
        """A new tab. `alone`: as another person's browser, which shares neither connections nor cache with the others."""
        if alone:
            channel = self._browser_channel()
            context = channel("Target.createBrowserContext")["browserContextId"]
            identifier = channel("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
            path = f"/devtools/page/{identifier}"
        else:
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                target = json.load(answer)
            identifier = target["id"]
            path = re.sub(r"^ws://[^/]+", "", target["webSocketDebuggerUrl"])
        return Page(WebSocket("127.0.0.1", self.port, path), identifier, self.port, width, height, scheme, touch)

    def _browser_channel(self):
        """Calls to the browser itself, one connection kept for all."""
        if self._channel is None:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/version", timeout=DEADLINE) as answer:
                address = json.load(answer)["webSocketDebuggerUrl"]
            self._channel = WebSocket("127.0.0.1", self.port, re.sub(r"^ws://[^/]+", "", address))

        def call(method, **parameters):
            self._number += 1
            self._channel.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
            while True:
                message = json.loads(self._channel.receive(DEADLINE))
                if message.get("id") == self._number:
                    return message["result"]

        return call

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(DEADLINE)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(DEADLINE)
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    """One tab. Every request it makes and every complaint it has is kept."""

    def __init__(self, channel, identifier, port, width, height, scheme, touch):
        self.channel, self.identifier, self.port = channel, identifier, port
        self.number = 0
        self.requests = []
        self.complaints = []
        self.events = []
        for domain in ("Page", "Runtime", "Network", "Log", "Audits"):
            self.call(f"{domain}.enable")
        # A tab behind another would rest, and nothing in it would be as a person sees it.
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.size(width, height, touch)
        self.scheme(scheme)

    def call(self, method, _timeout=DEADLINE, **parameters):
        self.number += 1
        number = self.number
        self.channel.send(json.dumps({"id": number, "method": method, "params": parameters}))
        deadline = time.monotonic() + _timeout
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise BrowserError(f"no answer to {method}")
            try:
                message = json.loads(self.channel.receive(remaining))
            except socket.timeout:
                continue
            if message.get("id") == number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error']}")
                return message.get("result", {})
            self._note(message)

    def drain(self, seconds=0.05):
        """Takes the events that came meanwhile."""
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                self._note(json.loads(self.channel.receive(remaining)))
            except socket.timeout:
                return

    def _note(self, message):
        method, given = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            detail = given["exceptionDetails"]
            self.complaints.append(detail.get("exception", {}).get("description") or detail.get("text", ""))
        elif method == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(a.get("value", a.get("description"))) for a in given["args"]))
        elif method == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{given['entry']['text']} {given['entry'].get('url', '')}")
        elif method == "Audits.issueAdded" and "ContentSecurityPolicy" in given["issue"]["code"]:
            self.complaints.append(f"policy: {json.dumps(given['issue']['details'])[:300]}")
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {given['message']}")

    def size(self, width, height, touch=False):
        self.width = width
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)

    def scheme(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, address):
        self.call("Page.navigate", url=address)

    def value(self, expression, timeout=DEADLINE):
        """What an expression comes to, promises waited for."""
        result = self.call("Runtime.evaluate", timeout, expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            detail = result["exceptionDetails"]
            raise BrowserError(detail.get("exception", {}).get("description") or detail.get("text"))
        return result["result"].get("value")

    def until(self, expression, seconds=DEADLINE):
        """Waits until an expression is true; says whether it became so."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.value(expression):
                    return True
            except BrowserError:
                pass
            self.drain(0.05)
        return False

    def text(self, selector):
        return self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def click(self, selector):
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def type(self, selector, text):
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)

    def key(self, key, code=None, number=0):
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=code or key,
                windowsVirtualKeyCode=number,
                nativeVirtualKeyCode=number,
                **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}),
            )

    def picture(self, path, whole=True):
        options = {"format": "png"}
        if whole:
            height = self.value("Math.ceil(document.documentElement.scrollHeight)")
            options.update(
                captureBeyondViewport=True,
                clip={"x": 0, "y": 0, "width": self.width, "height": min(height, 9000), "scale": 1},
            )
        data = self.call("Page.captureScreenshot", 40, **options)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        self.channel.close()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/close/{self.identifier}", timeout=5).close()
        except OSError:
            pass
