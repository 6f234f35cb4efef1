"""Pictures of every page for people to look at: 1440 and 390 pixels wide, dark and light, taken of a running demo mesh."""

import json
import time

LIVE = "document.querySelector('#pulse')?.textContent === 'live' && document.querySelectorAll('td').length > 8"
# What each page has once it is drawn; it is waited for, so that no picture is of a page that still loads.
DETAIL = "document.querySelector('#detail:not([hidden]) section.card') !== null"


MISSING = ("not-known", "no-such-page")


def sights(world):
    """[(name, path)] of one page of each kind that the demo has by now."""
    mesh = world.mesh
    found = [("overview", "/dashboard"), ("service", "/dashboard/service/position-tracker")]
    symbol = next((one["symbol"] for one in mesh.items("/levels") if one.get("levels")), "EURUSD")
    found.append(("symbol", f"/dashboard/symbol/{symbol}"))
    for name, path, field in (
        ("terminal", "/positions?state=open&limit=1", "node_id"),
        ("user", "/positions?state=open&limit=1", "user_uuid"),
        ("position", "/positions?state=open&limit=1", "position"),
        ("fire", "/fires?state=filled&limit=1", "fire_id"),
        ("alert", "/alerts?limit=1", "alert_id"),
    ):
        items = mesh.items(path)
        if items:
            found.append((name, f"/dashboard/{name}/{items[0][field]}"))
    return found + [("not-known", "/dashboard/terminal/nobody"), ("no-such-page", "/dashboard/nothing")]


def post(world, path, **body):
    with open(f"{world.mesh.directory}/var/demo/token", encoding="ascii") as file:
        headers = {"authorization": f"Bearer {file.read().strip()}"}
    return world.mesh.http(path, json.dumps(body).encode(), headers)[0]


def furnish(report, world):
    """Something in what is mostly empty: a brake, its alert, a silence, a window."""
    given = [
        post(world, "/brake", state="REDUCING", scope="symbol:XAGUSD", reason="a look at the page", by="a test"),
        post(world, "/silence", type="window_test", minutes=9, request_id="picture-silence", reason="a look", by="a test"),
        post(world, "/maintenance", scope="version:0.01", minutes=9, request_id="picture-window", reason="a look", by="a test"),
    ]  # fmt: skip
    report.equal("a brake, a silence and a window are set to look at them", given, [200, 200, 200])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (world.mesh.items("/alerts?state=firing") and world.mesh.items("/silence")):
        time.sleep(0.1)


def clear(world):
    post(world, "/brake", state="ACTIVE", scope="symbol:XAGUSD", reason="the look is over")
    post(world, "/unsilence", silence_id="picture-silence")
    post(world, "/maintenance/end", maintenance_id="picture-window")


def take(report, world):
    furnish(report, world)
    try:
        look_at_all(report, world)
    finally:
        clear(world)


def look_at_all(report, world):
    found = sights(world)
    kinds = {name for name, _ in found}
    report.check("there is a page of every kind to look at",
                 kinds >= {"overview", "service", "symbol", "terminal", "user", "position", "fire"}, sorted(kinds))  # fmt: skip
    for width in (1440, 390):
        for scheme in ("light", "dark"):
            page = world.browser.page(width=width, scheme=scheme, touch=width < 500)
            for name, path in found:
                look(report, world, page, f"{name}-{width}-{scheme}", path)
                if name == "overview" and width < 500:
                    phone(report, world, page, f"{name}-{width}-{scheme}")
                # What is not there is noted by the browser itself, rightly.
                others = [line for line in page.complaints if name not in MISSING or "404" not in line]
                report.equal(f"{name} {width} {scheme}: no complaint in the console", others, [])
                page.complaints.clear()
            page.close()


def look(report, world, page, name, path):
    page.open(world.address(path))
    ready = f"{DETAIL} && document.querySelector('#pulse')?.textContent === 'live'"
    if name.startswith("overview"):
        ready = LIVE
    elif name.startswith("no-such-page"):
        ready = "document.readyState === 'complete' && document.body.innerText.includes('no such page')"
    report.check(f"{name}: drawn", page.until(ready), page.text("body")[:300])
    page.drain(1.2)
    world.picture(page, name)
    width = page.width
    report.equal(f"{name}: nothing sticks out sideways", page.value("document.documentElement.scrollWidth"), width)
    if width < 500:
        wide = page.value(WIDE)
        report.check(f"{name}: no table is wider than the phone", not wide, json.dumps(wide)[:600])
    cut = page.value(CUT)
    report.check(f"{name}: no words are cut off", not cut, json.dumps(cut)[:600])


def phone(report, world, page, name):
    """What is decided by on a phone: whether an alert is active and what to do about it, whose position differs."""
    seen = page.value(f"[...document.querySelectorAll('#alerts .phone, #alerts button')].filter({SEEN}).map((one) => one.innerText)")
    report.check(f"{name}: an alert says that it is active, and can be acknowledged and silenced",
                 all(word in seen for word in ("active", "Acknowledge", "Silence…")), seen)  # fmt: skip
    page.click("#lists [data-key=matched]")
    # Below stand balance steps that nothing explains, where there are any: a table of its own.
    rows = f"[...document.querySelectorAll('#reconciliation tbody tr')].filter((row) => !row.closest('.below')).map((row) => [...row.querySelectorAll('.phone')].filter({SEEN}).map((one) => one.innerText))"
    report.check(f"{name}: what is compared says its list and its account",
                 page.until(f"{rows}.length > 0 && {rows}.every((row) => row[0] === 'Ours and theirs' && /[0-9]/.test(row[1]))"),
                 page.value(rows))  # fmt: skip
    wide = page.value(WIDE)
    report.check(f"{name}: no table is wider than the phone with all that", not wide, json.dumps(wide)[:600])
    page.drain(0.3)
    world.picture(page, f"{name}-compared")


SEEN = "(one) => one.offsetParent !== null"
# Tables that have to be pushed sideways to be read.
WIDE = """[...document.querySelectorAll('.scroll')].filter((one) => one.offsetParent !== null && one.scrollWidth > one.clientWidth + 1)
    .map((one) => `${one.getAttribute('aria-label')}: ${one.scrollWidth} of ${one.clientWidth}`)"""
# Headings, figures, buttons and badges whose words do not fit their box; cells of tables scroll with their table.
CUT = """[...document.querySelectorAll('h1, h2, h3, dt, dd, button, .badge, .line, .question, .chip, .label, p')]
    .filter((one) => one.offsetParent !== null && !one.closest('.unseen') && one.scrollWidth > one.clientWidth + 1
        && getComputedStyle(one).display !== 'inline')
    .map((one) => `${one.tagName} ${one.className}: ${one.innerText.slice(0, 60)}`)"""
