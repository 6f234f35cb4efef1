"""What changes something, done on the page: asked twice, with the token only, and in the audit trail."""

import json
import urllib.parse


def fill(page, values):
    for index, value in values.items():
        page.value(
            f"(() => {{ const n = [...document.querySelectorAll('#dialog input, #dialog select')][{index}]; n.value = {json.dumps(value)}; "
            "n.dispatchEvent(new Event('input', { bubbles: true })); })()"
        )


def press(page, words):
    page.value(
        f"[...document.querySelectorAll('#dialog button')].find(b => b.innerText === {json.dumps(words)}).click()"
    )


def run(report, world, opened, ready):
    with open(f"{world.mesh.directory}/var/demo/token", encoding="ascii") as file:
        token = file.read().strip()
    page = opened(world)
    page.until(ready)
    page.click("#brake-button")
    fill(page, {0: "REDUCING", 1: "symbol:XAGUSD", 2: "a test", 3: "tester", 4: "not the token"})
    press(page, "Go on")
    report.check("it says what will happen", "no new trade" in page.text("#dialog .consequence"), page.text("#dialog"))
    report.check(
        "it can't be done before the word is typed", page.value("document.querySelector('#dialog .primary').disabled")
    )
    fill(page, {0: "REDUCING"})
    press(page, "Yes, do it")
    report.check(
        "a wrong token does nothing and is said",
        page.until("document.querySelector('#dialog').innerText.includes('Not done')"),
        page.text("#dialog"),
    )
    report.equal("no brake was set", world.mesh.page("/health")[1]["brake"]["scopes"], [])
    fill(page, {0: "REDUCING", 1: "symbol:XAGUSD", 2: "a test", 3: "tester", 4: token})
    press(page, "Go on")
    fill(page, {0: "REDUCING"})
    press(page, "Yes, do it")
    report.check(
        "with the token it is done",
        page.until("document.querySelector('#dialog').innerText.includes('Done')"),
        page.text("#dialog"),
    )
    report.check(
        "the page shows the brake",
        page.until("document.querySelector('#brake').innerText.includes('REDUCING symbol:XAGUSD')"),
        page.text("#brake"),
    )
    report.check(
        "the audit trail has it",
        page.until(
            "fetch('/audit').then(r => r.json()).then(a => a.items.some(e => (e.event ?? e.action) === 'brake'))", 10
        ),
        world.mesh.items("/audit?limit=3"),
    )
    world.mesh.http(
        "/brake",
        json.dumps({"state": "ACTIVE", "scope": "symbol:XAGUSD", "reason": "end of the test"}).encode(),
        {"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    # The refused request of the wrong token is in Chromium's console, rightly.
    others = [line for line in page.complaints if "401" not in line]
    report.equal("nothing else was complained of", others, [])
    page.close()
    close(report, world, opened, token)


def close(report, world, opened, token):
    """A position is closed on its page, by somebody whose name is kept."""
    position = world.mesh.items("/positions?state=open&sort=-opened_at&limit=1")[0]
    name, ticket = position["position"], str(position["ticket"])
    page = opened(world, f"/dashboard/position/{urllib.parse.quote(name, safe='')}")
    report.check("a position's page offers to close it",
                 page.until("document.querySelector('#detail button[data-key=close]') !== null"), page.text("#detail")[:300])  # fmt: skip
    page.click("#detail button[data-key=close]")
    fill(page, {0: "no", 1: "page tester", 2: token})
    press(page, "Go on")
    report.check("it says what stands at stake", f"account {position['account']}" in page.text("#dialog .consequence"),
                 page.text("#dialog"))  # fmt: skip
    fill(page, {0: ticket})
    press(page, "Yes, do it")
    report.check("with the token it is done", page.until("document.querySelector('#dialog').innerText.includes('Done')"),
                 page.text("#dialog"))  # fmt: skip
    report.check("the audit trail says who closed it", page.until(
        f"fetch('/audit?limit=100').then(r => r.json()).then(a => a.items.some(e => e.by === 'page tester' && e.ticket === '{ticket}'))",
        20), world.mesh.items("/audit?limit=3"))  # fmt: skip
    report.check("and it is closed", page.until(
        f"fetch('/positions/{urllib.parse.quote(name, safe='')}').then(r => r.json()).then(p => p.state === 'closed')", 40),
        world.mesh.page(f"/positions/{urllib.parse.quote(name, safe='')}")[1].get("state"))  # fmt: skip
    page.close()
