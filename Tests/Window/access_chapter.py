"""Accessibility by axe-core, on the overview and the drill-downs, in both themes and on a phone."""

import glob
import json
import os

import page_chapter

# Findings of these impacts fail; lesser ones are told.
FAILING = ("serious", "critical")
RUN = "axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })"


def run(report, world):
    files = glob.glob(os.path.join(world.tools, "**", "axe.min.js"), recursive=True)
    if not files:
        report.skip("accessibility by axe-core", f"its file is not in {world.tools}: Tests/Window/tools.sh brings it")
        return
    with open(files[0], encoding="utf-8") as file:
        script = file.read()
    report.chapter("accessibility", look, report, world, script)


def look(report, world, script):
    mesh = world.mesh
    page_chapter.wait_for_trades(world)
    sights = {"overview": "/dashboard", "services": "/dashboard/service/position-tracker"}
    for name, path, field in (
        ("terminal", "/nodes?limit=1", "node_id"),
        ("fire", "/fires?limit=1", "fire_id"),
        ("symbol", "/levels?limit=1", "symbol"),
    ):
        items = mesh.items(path)
        if items:
            sights[name] = f"/dashboard/{name}/{items[0][field]}"
    found = {}
    for name, path in sights.items():
        for width, scheme in ((1440, "light"), (1440, "dark"), (390, "light")):
            page = world.browser.page(width=width, scheme=scheme, touch=width < 500)
            page.open(world.address(path))
            page.until(
                "document.querySelector('#pulse')?.textContent === 'live' && document.querySelectorAll('td').length > 8"
            )
            # Evaluated by the debugger, past the policy of the page, which is left as it is.
            page.value(script + "; true", 30)
            result = page.value(
                f"{RUN}.then(r => r.violations.map(v => ({{ id: v.id, impact: v.impact, help: v.help, "
                "nodes: v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + ' | ' + (n.any[0]?.message ?? '')) })))",
                60,
            )
            found[f"{name} {width} {scheme}"] = result
            bad = [v for v in result if v["impact"] in FAILING]
            report.check(f"{name} at {width} {scheme}: nothing serious", not bad, json.dumps(bad)[:1400])
            if name == "overview" and width == 1440:
                page.click("#brake-button")
                dialog = page.value(
                    "axe.run(document.querySelector('#dialog')).then(r => r.violations.map(v => v.id + ' ' + v.impact))",
                    30,
                )
                report.check(
                    f"the dialog, {scheme}: nothing serious", not [v for v in dialog if v.endswith(FAILING)], dialog
                )
            page.close()
    with open(os.path.join(world.output, "axe.json"), "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    lesser = sorted({f"{v['id']} ({v['impact']})" for violations in found.values() for v in violations})
    print(f"        all findings: {', '.join(lesser) or 'none'}", flush=True)
