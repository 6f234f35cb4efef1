"""What must hold when Redis loses what it had, when it is somebody else's, and when the disk is full."""

import json
import os
import resource

from confirmation_world import own


def rebuild(world):
    """An emptied Redis is made again from the journal, also what was joined with fires that are gone."""
    report = world.report
    before, ids, joined = world.statistics(), world.stream_ids(), "trade:COMMANDER_DEV_001|843859|21604324|closed|0.1"
    trade = world.mesh.hash(joined)
    live = world.subscribe()

    def told(title, extra):
        """What is published when one more event comes behind the rebuild: that one, and nothing that was before."""
        push = world.push()
        push.send(json.dumps(own(extra, "order_opened", user="outside_rebuild", account="66")).encode())
        seen = []
        while not seen or seen[-1].get("user_uuid") != "outside_rebuild":
            event = world.event(live)
            if event is None:
                break
            seen.append(event)
        report.equal(f"{title}: nothing is published a second time", [e.get("ticket") for e in seen], [extra])
        ids.append(f"outside_rebuild|66|{extra}|opened")
        world.wait(lambda: len(world.stream_ids()) >= len(ids), 5, "it is handed over")
        before.update(world.statistics())
        push.close()

    def compare(title):
        world.wait(lambda: len(world.stream_ids()) >= len(ids), 60, "it is booked again to the last")
        after = world.statistics()
        scopes = before.keys() | after.keys()
        other = [(s, before.get(s), after.get(s)) for s in scopes if before.get(s) != after.get(s)]
        report.check(f"{title}: {len(after)} scopes of statistics are as before", not other, other[:2])
        seen = world.stream_ids()
        other = next(((place, pair) for place, pair in enumerate(zip(seen, ids)) if pair[0] != pair[1]), None)
        report.check(f"{title}: the events are the same in the same order", seen == ids,
                     (len(seen), len(ids), "first difference", other))
        report.equal(f"{title}: joined as they were", world.mesh.hash(joined), trade)

    world.redis("FLUSHALL")
    compare("emptied beside an idle logger")
    told("emptied beside an idle logger", 1)
    world.kill()
    world.redis("FLUSHALL")
    live.close()
    world.start()
    live = world.subscribe()
    compare("emptied while it was down")
    told("emptied while it was down", 2)
    live.close()


def foreign_redis(world):
    """A Redis with its default for torn files is asked to write its file anew, once a run; the mesh's own never is."""
    report = world.report
    report.equal("the mesh's own Redis is not asked", world.redis("HGET", "journal:state", "redis_run_id"), None)

    def run_id():
        return world.redis("INFO", "server").split("run_id:")[1].split()[0]

    def rewrites():
        return world.service().get("counters", {}).get("append_only_rewrites", 0)

    def restart_redis(*options):
        world.redis_server.kill()
        world.redis_server.wait(5)
        world.start_redis(*options)

    for turn in (1, 2):
        restart_redis("--aof-load-truncated", "yes")
        world.wait(lambda: world.redis("HGET", "journal:state", "redis_run_id") == run_id(), 15, "the run is kept")
        world.wait(lambda: rewrites() == turn, 15, "it is counted")
    report.check("with aof-load-truncated yes each new run writes its file anew", True)
    world.wait(lambda: "aof_rewrite_in_progress:0" in world.redis("INFO", "persistence"), 15, "it is done")
    report.check("and it did", "aof_last_bgrewrite_status:ok" in world.redis("INFO", "persistence"))
    world.kill()
    world.start()
    push = world.push()
    push.send(json.dumps(own(3, "order_opened", user="outside_rebuild", account="66")).encode())
    world.wait(lambda: world.number("opened", "account:66") == 3, 5, "it is booked")
    report.equal("a new logger on the same run asks for nothing", rewrites(), 0)
    report.check("the reason is in the log", "aof-load-truncated" in world.log())
    push.close()
    restart_redis()


def full_disk(world):
    """A disk that takes nothing more: no acknowledgement, said at once, nothing lost, well again by itself."""
    report, dealer = world.report, world.dealer()
    pid = world.process.pid
    segment = max(f for f in os.listdir(os.path.join(world.directory, "var/journal")) if f.endswith(".log"))
    size = os.path.getsize(os.path.join(world.directory, "var/journal", segment))
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 300, hard))
    for seq in range(1, 21):
        dealer.send(json.dumps(own(800 + seq, "order_opened", seq=seq, node="NODE_8_8", user="outside_full")).encode())
    world.wait(lambda: "journal_disk" in world.service().get("problems", {}), 5, "it is said")
    report.check("a full disk is said in the service's report", True)
    # The first may have fitted; behind it nothing is acknowledged.
    early = 0
    while dealer.poll(300):
        dealer.recv_multipart()
        early += 1
    report.check("what is not on disk is not acknowledged", early < 20, early)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    answers = []
    while len(answers) + early < 20 and dealer.poll(5000):
        answers.append(json.loads(dealer.recv_multipart()[-1]))
    report.equal("when there is room again everything is, and nothing was lost", early + len(answers), 20)
    world.wait(lambda: world.redis("EXISTS", "trade:outside_full|1|820|opened"), 5, "it is booked")
    world.wait(lambda: "journal_disk" not in world.service().get("problems", {}), 5, "the problem is over")
    dealer.close()
