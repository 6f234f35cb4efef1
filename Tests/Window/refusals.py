"""What is not there, not said in full or over already is refused with a stable code, and told apart."""

import json
import time


def run(report, world):
    mesh = world.mesh
    with open(f"{mesh.directory}/var/demo/token", encoding="ascii") as file:
        headers = {"authorization": f"Bearer {file.read().strip()}"}

    def post(path, body):
        status, _, text = mesh.http(path, data=json.dumps(body).encode(), headers=headers)
        answer = json.loads(text)
        return status, (answer.get("error") or {}).get("code"), answer

    for path, body, status, code in (
        ("/brake", {"state": "HALTED"}, 400, "missing_field"),
        ("/alerts/nobody/acknowledge", {}, 404, "not_found"),
        ("/unsilence", {"silence_id": "nobody"}, 404, "not_found"),
        ("/maintenance/end", {"maintenance_id": "nobody"}, 404, "not_found"),
        ("/silence", {"node_id": "nobody", "minutes": 5}, 404, "not_found"),
        ("/silence", {"server": "Nowhere-1", "minutes": 5}, 404, "not_found"),
        ("/silence", {"minutes": 5}, 400, "missing_field"),
        ("/silence", {"type": "window_test"}, 400, "missing_field"),
        ("/maintenance", {"scope": "service:nobody", "minutes": 5}, 404, "not_found"),
    ):
        seen = post(path, body)
        report.check(f"POST {path} {json.dumps(body)}: {status} {code}", seen[:2] == (status, code), seen)
    report.equal("no brake was set by that", mesh.page("/health")[1]["brake"]["scopes"], [])
    seen = post("/silence", {"type": "window_test", "minutes": 5, "request_id": "window-silence", "reason": "a test"})
    report.check("a silence that is right is taken", seen[0] == 200, seen)
    seen = post("/unsilence", {"silence_id": "window-silence"})
    report.check("and can be ended at once", seen[0] == 200, seen)
    seen = post("/unsilence", {"silence_id": "window-silence"})
    report.check("but not twice: 409 silence_over", seen[:2] == (409, "silence_over"), seen)
    seen = post("/maintenance", {"scope": "version:0.01", "minutes": 5, "request_id": "window-window"})
    report.check("a window that is right is taken", seen[0] == 200, seen)
    ends = [post("/maintenance/end", {"maintenance_id": "window-window"}) for _ in range(2)]
    report.check("and is ended once, then 409 window_over", (ends[0][0], ends[1][:2]) == (200, (409, "window_over")), ends)
    user = mesh.items("/positions?state=open&limit=1")[0]["user_uuid"]
    body = {"user_uuid": user, "ticket": 1, "by": "window test"}
    seen = post("/close", body)
    report.check("closing what is not in the books: 404 unknown_position, with a hint",
                 seen[:2] == (404, "unknown_position") and seen[2].get("known") is False, seen)  # fmt: skip
    seen = post("/close", {**body, "force": True})
    report.check("unless one insists", seen[0] == 200 and seen[2].get("state") != "denied", seen)
    seen = post("/close", {**body, "force": "yes"})
    report.check("which is true or false", seen[:2] == (400, "bad_request"), seen)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        trail = [entry for entry in mesh.items("/audit?limit=50") if entry.get("by") == "window test"]
        if len(trail) >= 2:
            break
        time.sleep(0.1)
    report.check("both are in the audit trail with who asked and whether he insisted",
                 [entry.get("force") for entry in trail] == ["1", "0"], trail)  # fmt: skip
    for path in ("/dashboard/nothing", "/dashboard/terminal", "/dashboard/nothing/1"):
        status, kind, text = mesh.http(path)
        report.check(f"{path}: a page that says so, with 404",
                     status == 404 and kind["content-type"].startswith("text/html") and "no such page" in text,
                     (status, text[:200]))  # fmt: skip
    item = mesh.items("/positions?limit=1")[0]
    name = f"{item['server']}|{item['account']}|{item['ticket']}"
    for path in (name.replace("|", "%7C"), name):
        status, found = mesh.page(f"/positions/{path}")
        report.check(f"/positions/{path}: found", status == 200 and found.get("ticket") == item["ticket"], found)
    for path in ("/nodes", "/positions", "/fires", "/audit"):
        text = mesh.http(f"{path}?format=text&limit=20")[2]
        longest = max(map(len, text.splitlines()))
        report.check(f"{path} as text fits 200 columns ({longest})", longest <= 200, text[:400])
    report.check("the brake is in the metrics", 'mesh_brakes{scope="all",state="HALTED"} 0' in mesh.http("/metrics")[2])
