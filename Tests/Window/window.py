"""The window as people and probes see it. One line for each check; the last line counts them."""

import os
import signal
import sys

import access_chapter
import api_chapter
import crowd_chapter
import doctor_chapter
import page_chapter
from browser import Browser
from checks import Report
from crowd import Crowd
from private_mesh import ROOT, PrivateMesh

CHAPTERS = ["page", "crowd", "access", "api", "doctor"]


class World:
    """What the chapters share: a demo mesh, a crowd of terminals, one browser. Each is started when it is first needed."""

    def __init__(self):
        self.products = os.environ.get("MESH_PRODUCTS", os.path.join(ROOT, ".build", "release"))
        self.output = os.environ.get("WINDOW_OUTPUT", os.path.join(ROOT, ".build", "window"))
        self.tools = os.environ.get("WINDOW_TOOLS", os.path.join(ROOT, ".build", "window-tools"))
        os.makedirs(self.output, exist_ok=True)
        self._mesh = self._crowd = self._browser = None

    @property
    def mesh(self):
        if self._mesh is None:
            self._mesh = PrivateMesh(self.products)
            code, text = self._mesh.meshctl("start", "--demo")
            if code != 0:
                raise RuntimeError(f"the demo mesh did not start: {text[-800:]}")
        return self._mesh

    @property
    def crowd(self):
        if self._crowd is None:
            self._crowd = Crowd(self.products)
        return self._crowd

    @property
    def browser(self):
        if self._browser is None:
            self._browser = Browser()
        return self._browser

    def address(self, path="/dashboard"):
        return f"http://127.0.0.1:{self.mesh.ports['health']}{path}"

    def picture(self, page, name):
        page.picture(os.path.join(self.output, f"{name}.png"))

    def close(self):
        for part in (self._browser, self._crowd):
            if part is not None:
                part.close()
        if self._mesh is not None:
            self._mesh.meshctl("stop", "--demo", timeout=30)
            self._mesh.clean_up(keep=False)


def main(arguments):
    unknown = [word for word in arguments if word not in CHAPTERS]
    if unknown:
        print(f"unknown chapter {unknown[0]}; there are: {' '.join(CHAPTERS)}", file=sys.stderr)
        return 64
    wanted = arguments or CHAPTERS
    report, world = Report(), World()

    def leave(*_):
        raise SystemExit(1)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        if "page" in wanted:
            page_chapter.run(report, world)
        if "crowd" in wanted:
            crowd_chapter.run(report, world)
        if "access" in wanted:
            access_chapter.run(report, world)
        if "api" in wanted:
            api_chapter.run(report, world)
        if "doctor" in wanted:
            doctor_chapter.run(report, world)
    finally:
        world.close()
    print(f"pictures and reports: {world.output}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
