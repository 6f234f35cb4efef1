"""The operator: lifts a brake that came by itself, and answers questions truthfully from what the terminals did."""


def lift_brake(desk):
    """Whether one was in force."""
    answer = desk.ask(type="brake", timeout=1.0)
    brakes = answer.get("items") or answer.get("brakes") or []
    lifted = 0
    for brake in brakes:
        if isinstance(brake, dict) and brake.get("state") not in (None, "ACTIVE"):
            desk.ask(type="brake", state="ACTIVE", scope=brake.get("scope", "all"), reason="chaos: looked at it")
            lifted += 1
    return lifted


def answer_questions(desk, rows):
    """Answers every open question; `rows` is the traders' own report. Returns how many."""
    items = desk.ask(type="questions", state="open").get("items") or []
    for item in items:
        row = rows.get(item.get("user_uuid"), {})
        reply = truth(item, row)
        desk.ask(type="answer", question_id=item.get("question_id"), reason="chaos: the terminal says so", **reply)
    return len(items)


def truth(item, row):
    ticket = int(item["ticket"]) if item.get("ticket") else None
    if item.get("kind") == "unknown_fire":
        opened = row.get("executed", {}).get(item.get("fire_id"))
        return {"answer": "never_executed"} if opened is None else {"answer": "filled", "ticket": opened}
    if item.get("kind") in ("silent_close", "ghost"):
        return {"answer": "open" if ticket in row.get("open", ()) else "closed"}
    return {"answer": "noted"}
