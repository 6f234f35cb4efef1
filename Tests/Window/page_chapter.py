"""The page on a running demo mesh: its numbers, its ways, its pictures, and what it does when the server is gone."""

import json
import time
import urllib.parse

import market_picture
import page_actions
import pictures

READY = (
    "document.querySelector('#pulse')?.textContent === 'live' && document.querySelectorAll('#services td').length > 6"
)
DRILLS = [
    ("terminal", "#nodes td a[href^='/dashboard/terminal/']", "Everything known"),
    ("user", "#nodes td a[href^='/dashboard/user/']", "Slots"),
    ("position", "#positions td a[href^='/dashboard/position/']", "Everything known"),
    ("symbol", "#levels td a[href^='/dashboard/symbol/']", "Price, levels and sweeps"),
    ("fire", "#fires td a[href^='/dashboard/fire/']", "Timeline"),
    ("service", "#services td a[href^='/dashboard/service/']", "Counted"),
]


def run(report, world):
    # A sweep is known when its bar of five minutes closes: it is sent beside the other chapters.
    past = market_picture.Past(world.mesh)
    report.chapter("the page loads", loads, report, world)
    report.chapter("its numbers are the API's", numbers, report, world)
    report.chapter("each thing has its own address", drills, report, world)
    report.chapter("by keyboard alone", keyboard, report, world)
    report.chapter("what moves money is asked twice", page_actions.run, report, world, opened, READY)
    report.chapter("a market with a past", market_picture.look, report, world, opened, past)
    report.chapter("pictures for people to look at", pictures.take, report, world)
    report.chapter("the server goes and comes back", restart, report, world)


def wait_for_trades(world):
    """The demo needs some seconds until a trade was closed and a level found."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        health = world.mesh.page("/health")[1]
        if health.get("positions", {}).get("open") and health["positions"]["closed"]:
            return
        time.sleep(0.2)


def opened(world, path="/dashboard", **options):
    page = world.browser.page(**options)
    page.open(world.address(path))
    return page


def complaints(report, page, what):
    page.drain(0.3)
    report.equal(f"{what}: no complaint in the console", page.complaints, [])


def loads(report, world):
    wait_for_trades(world)
    page = opened(world)
    report.check("it is live", page.until(READY), page.text("body")[:400])
    paint = page.value("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    report.check("first paint within a second", paint is not None and paint < 1000, paint)
    home = world.address("/")
    outside = [address for address in page.requests if not address.startswith((home, "data:", "about:"))]
    report.equal("it asks nobody but its server", outside, [])
    order = page.value("[...document.querySelectorAll('#overview h1, #overview h2')].map(h => h.innerText)")
    asked = [line for line in order if line.endswith("?")]
    report.equal(
        "the questions come in their order",
        asked[:5],
        [
            "Is every trade accounted for?",
            "Who is connected?",
            "What is open?",
            "How dangerous is it?",
            "What wants you?",
        ],
    )
    words = {"pass": "Healthy", "warn": "Needs attention", "fail": "Failing"}
    # The verdict may change while it is looked at: the page is given the time of a refresh to follow.
    report.check(
        "the verdict is one word, the API's",
        page.until(
            f"fetch('/health').then(r => r.json()).then(h => ({json.dumps(words)})[h.status] === "
            "document.querySelector('#verdict-word').textContent)"
        ),
        page.text("#verdict-word"),
    )
    complaints(report, page, "the overview")
    page.close()


NUMBERS = """(async () => {
  const [health, exposure, stats] = await Promise.all(['/health', '/exposure', '/stats'].map(p => fetch(p).then(r => r.json())));
  const text = (s) => document.querySelector(s)?.innerText ?? '';
  const figure = (box, name) => [...document.querySelectorAll(box + ' div')].find(d => d.querySelector('dt')?.innerText === name)?.querySelector('dd')?.innerText;
  const seen = {
    score: text('#score'), sent: figure('#ledger', 'Sent'), accounted: figure('#ledger', 'Accounted for'), filled: figure('#ledger-ends', 'Filled'),
    connected: Number(text('#nodes-line').split(' ')[0]), open: Number(text('#positions-line').split(' ')[0]), rows: document.querySelector('#nodes table').getAttribute('aria-rowcount'),
    symbols: [...document.querySelectorAll('#exposure tbody tr')].map(r => r.cells[0].innerText + ' ' + r.cells[1].innerText),
  };
  const told = {
    score: String(health.health_score), sent: String(health.ledger.sent), accounted: String(health.ledger.accounted), filled: String(health.ledger.by_state.filled ?? 0),
    connected: health.nodes.active, open: health.positions.open, rows: String(health.nodes.active + health.nodes.timeout + 1),
    symbols: exposure.items.slice(0, 12).map(e => e.symbol + ' ' + e.positions),
  };
  window.compared = { seen, told };
  return JSON.stringify(seen) === JSON.stringify(told);
})()"""


def numbers(report, world):
    page = opened(world)
    page.until(READY)
    # Trades go on: page and API are compared until both speak of the same moment.
    report.check(
        "score, trades, terminals, positions and exposure are the API's",
        page.until(NUMBERS, 30),
        page.value("JSON.stringify(window.compared)"),
    )
    complaints(report, page, "numbers")
    page.close()


def drills(report, world):
    page = opened(world)
    page.until(READY)
    for kind, link, sight in DRILLS:
        page.until(f"document.querySelector({json.dumps(link)}) !== null", 20)
        # Seen and clicked in one: a new position takes the first row between two questions.
        address = page.value(
            f"(() => {{ const link = document.querySelector({json.dumps(link)}); link?.click();"
            " return link?.pathname ?? ''; })()"
        )
        if not report.check(
            f"{kind}: the overview has a link to it", address.startswith(f"/dashboard/{kind}/"), address
        ):
            continue
        found = page.until(f"document.querySelector('#detail').innerText.includes({json.dumps(sight)})")
        report.check(
            f"{kind}: the link leads there, and the address says so",
            found and page.value("location.pathname") == address,
            page.text("#detail")[:300],
        )
        fresh = opened(world, address)
        report.check(
            f"{kind}: the address works by itself",
            fresh.until(f"document.querySelector('#detail').innerText.includes({json.dumps(sight)})"),
        )
        complaints(report, fresh, kind)
        fresh.close()
        page.value("history.back()")
        report.check(f"{kind}: back is the overview", page.until("!document.querySelector('#overview').hidden"))
    alerts = world.mesh.items("/alerts?limit=1")
    if alerts:
        identifier = urllib.parse.quote(alerts[0]["alert_id"], safe="")
        fresh = opened(world, f"/dashboard/alert/{identifier}")
        report.check(
            "alert: the address works by itself",
            fresh.until("document.querySelector('#detail').innerText.includes('Severity')"),
        )
        fresh.close()
    fresh = opened(world, "/dashboard/terminal/nobody")
    report.check(
        "a stranger is said to be not known",
        fresh.until("document.querySelector('#detail').innerText.includes('not known')"),
    )
    fresh.close()
    complaints(report, page, "drill-downs")
    page.close()


def keyboard(report, world):
    page = opened(world)
    page.until(READY)
    page.value("document.body.focus()")
    reached = set()
    for _ in range(60):
        page.key("Tab", number=9)
        reached.add(
            page.value(
                "document.activeElement?.id || document.activeElement?.dataset?.key || document.activeElement?.innerText?.slice(0, 20)"
            )
        )
    report.check(
        "Tab reaches the brake, the sections and rows",
        "brake-button" in reached and len(reached) > 30,
        sorted(map(str, reached))[:60],
    )
    visible = page.value(
        "(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' && s.outlineWidth !== '0px'; })()"
    )
    report.check("what has the focus is seen to have it", visible)
    page.value("document.querySelector('#nodes th button').focus()")
    before = page.value("document.querySelector('#nodes th').getAttribute('aria-sort')")
    page.key("Enter", number=13)
    report.check(
        "Enter on a heading turns the order round",
        page.until(f"document.querySelector('#nodes th').getAttribute('aria-sort') !== {json.dumps(before)}", 5),
        before,
    )
    page.value("document.querySelector('#fires a').focus()")
    page.key("Enter", number=13)
    report.check(
        "Enter follows a link, and the heading has the focus",
        page.until("!document.querySelector('#detail').hidden && document.activeElement.tagName === 'H1'"),
    )
    complaints(report, page, "keyboard")
    page.close()


def restart(report, world):
    page = opened(world)
    page.until(READY)
    version = page.value("fetch('/overview?parts=health').then(r => r.json()).then(o => o.version)")
    pid = world.mesh.service("health-dashboard")["pid"]
    page.complaints.clear()
    world.mesh.meshctl("stop", "--demo")
    lost = page.until("!document.querySelector('#lost').hidden && document.body.classList.contains('is-lost')", 8)
    report.check(
        "it says at once that the server is lost, and of when its figures are",
        lost and "server is lost" in page.text("#lost") and "UTC" in page.text("#lost"),
        page.text("#lost"),
    )
    report.equal("the verdict is not the old one", page.text("#verdict-word"), "Not known")
    age = "Number(document.querySelector('#lost').innerText.match(/(\\d+) s ago/)?.[1] ?? -1)"
    first = page.value(age)
    report.check("the age grows", page.until(f"{age} > {first}", 5), page.text("#lost"))
    world.picture(page, "server-lost-1440-light")
    code, text = world.mesh.meshctl("start", "--demo")
    report.equal("the mesh is back", code, 0)
    back = page.until(
        "document.querySelector('#lost').hidden && document.querySelector('#pulse').textContent === 'live'", 20
    )
    report.check("the page is live again by itself", back, page.text("#pulse") + text[-200:])
    fresh = world.mesh.page("/overview?parts=health")[1]["version"]
    report.check(
        "versions of the new run are not taken for those of the old",
        fresh.split(".")[0] != version.split(".")[0],
        (version, fresh),
    )
    report.check("it was another process", world.mesh.service("health-dashboard").get("pid") != pid)
    report.check(
        "its numbers are the API's again", page.until(NUMBERS, 40), page.value("JSON.stringify(window.compared)")
    )
    # While the server was away the browser itself notes refused connections; nothing else may be there.
    others = [line for line in page.complaints if "Failed to load resource" not in line and "ERR_" not in line]
    report.equal("no other complaint", others, [])
    page.close()
