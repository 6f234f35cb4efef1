"""The health score while heartbeat-monitor is dead: somebody else says so, and counts whom nobody gives up."""

import time

from fleet_mesh import wait

MONITOR = "heartbeat-monitor"
# The kernel says at once that a connection is gone; then a minute of silence, and the page's own second.
WITHIN = 90.0


def lose_unwatched(line, mesh, crowd, numbers, given_up, total):
    """Kills the monitor, then these terminals vanish. Seconds until the score counts them.

    `given_up` were lost before, and count as well; `total` are all, those included.
    """
    child = mesh.children[MONITOR]
    child.kill()
    child.wait(5)
    crowd.call("drop", numbers)
    began, expected = time.monotonic(), len(numbers) + given_up

    def counted():
        page = mesh.page("/health")[1]
        nodes = next((row for row in page.get("health_factors") or [] if row.get("name") == "nodes"), {})
        return page.get("health_score_source"), nodes.get("points"), nodes.get("why")
    wanted = ("health-dashboard", 15 * (total - expected) // total,
              f"{expected} of {total} terminals timed out and are not back")
    try:
        wait(lambda: counted() == wanted, WITHIN, "the lost are counted", pause=0.5)
    except TimeoutError:
        pass
    took = time.monotonic() - began
    seen = counted()
    line.check("without its monitor the score is the dashboard's and counts who vanished", seen == wanted,
               f"{seen}, expected {wanted}")
    return took
