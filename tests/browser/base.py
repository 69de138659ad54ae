"""base.py - what the checks of the player share: counting, and asking a page where it is."""
import os
import sys

out = sys.argv[1]  # the folder that run.sh filled
counts = {"passed": 0, "failed": 0}
ROWS = 160  # ladder.js: MOST


def check(what, ok, seen=""):
    counts["passed" if ok else "failed"] += 1
    if not ok:
        print("FAILED: %s%s" % (what, ": " + str(seen)[:300] if seen != "" else ""))


def equal(what, seen, want):
    check(what, seen == want, "%r, not %r" % (seen, want))


def path(name):
    return os.path.join(out, name)


def exit_of(page):
    return page.run("exitNumber(exitOf[player.event])")


def row_count(page):
    return page.run("document.querySelectorAll('.row').length")


def address(page):
    page.run("new Promise((done) => setTimeout(done, 400))")  # player.js waits so long
    return page.run("location.hash")


def opened(page):
    """Milliseconds from the beginning of the navigation until all is drawn and can be used, and until
    something was painted; the browser reports that a little later."""
    paint = page.run("""new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
        .observe({ type: 'paint', buffered: true }))""")
    return int(page.run("document.documentElement.dataset.ready")), paint


def settle(page):
    page.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
