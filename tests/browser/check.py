"""check.py FOLDER - opens the pages that run.sh made in a browser, and tries all that a reader does.

Times are printed, and bounded only so that work that grows with the recording is noticed: the number
of rows in the page says more. Prints a line for each check that fails; ends with "N passed, N failed".
"""
import os
import re
import sys

from base import ROWS, address, check, counts, equal, exit_of, opened, path, row_count, settle
from cdp import Browser, Failure, Page
from looks import check_access, check_looks, check_phone, check_print


# --- each strategy ----------------------------------------------------------------------------------

def table_of(name):
    """Number, reason and the rest of each exit, as `hv trace` prints it."""
    rows = []
    for line in open(path(name + ".table")):
        match = re.match(r" *(\d+) +(.+?) +-> (.+?)  +(\S+) *(.*)$", line)
        if match:
            rows.append(match.groups())
    return rows


def check_strategy(browser, name):
    page = Page(browser)
    page.open(path(name + ".html"))
    equal(name + ": no complaint on opening", page.complaints(), [])
    ready, paint = opened(page)
    table = table_of(name)
    print("%s: %d exits: ready after %d ms, painted after %d ms, %d rows in the page" %
          (name, len(table), ready, paint, row_count(page)))
    equal(name + ": as many exits as hv trace has", page.run("exitEvent.length"), len(table))
    check(name + ": rows in the page are bounded", 10 < row_count(page) <= ROWS, row_count(page))
    check(name + ": it opens", max(ready, paint) < 30000, (ready, paint))
    exits = page.run("exitEvent.map((e) => [kindOf(e).name, operandsOf(e), (placeOf(e) || {}).rip])")
    wrong = [n for n, ((number, _, _, kind, rest), (k, operands, rip)) in enumerate(zip(table, exits))
             if int(number) != n + 1 or kind != k or not rest.startswith(operands) or rip not in rest]
    equal(name + ": reasons, operands and addresses are those of hv trace", wrong[:5], [])
    dark = page.run("""(() => { const seen = new Map();
        for (let e = 0; e < count; e++) {
            const key = [events.kind[e], events.from[e], events.to[e]].join();
            if (!seen.has(key)) { seen.set(key, e); }
        }
        return [...seen.values()].filter((e) => { picture.light(e);
            return classOf(e) !== NOTE && events.from[e] !== events.to[e] &&
                document.querySelectorAll('#picture .edge.lit').length !== 1; }).map(sentence); })()""")
    equal(name + ": each sort of transfer lights one arrow", dark, [])
    page.close()


def check_calls(browser):
    """A process: each call lights the arrow that has its name, where it has one."""
    if not os.path.exists(path("ski.html")):
        return
    page = Page(browser)
    page.open(path("ski.html"))
    equal("ski: no complaint on opening", page.complaints(), [])
    lit = page.run("""(() => { const seen = {}, words = (n) => [...n.querySelectorAll('text')].map((t) =>
            t.textContent).join(' '), arrows = [...document.querySelectorAll('#picture .edge')].map(words);
        for (let e = 0; e < count; e++) {
            const call = kindOf(e).name === 'syscall' && operandsOf(e).split('(')[0];
            if (call && !(call in seen) && arrows.some((a) => a.startsWith(`syscall ${call} `))) {
                picture.light(e);
                seen[call] = [...document.querySelectorAll('#picture .edge.lit')].map(words).join();
            }
        }
        return seen; })()""")
    check("ski: calls have arrows of their own", len(lit) > 5, lit)
    equal("ski: a call lights its own arrow",
          [call for call in lit if not lit[call].startswith("syscall %s " % call)], [])
    page.close()


# --- moving -----------------------------------------------------------------------------------------

def check_steps(browser):
    page = Page(browser)
    page.open(path("hardware.html"))
    last = page.run("exitEvent.length")
    equal("it opens at the first exit", exit_of(page), 1)
    for key, want in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("PageDown", 12),
                      ("PageUp", 2), ("End", last), ("ArrowRight", last), ("Home", 1), ("ArrowLeft", 1)):
        page.key(key)
        equal("key " + key, exit_of(page), want)
    first = page.run("player.event")
    page.key("ArrowDown")
    equal("key ArrowDown: one transfer on", page.run("player.event"), first + 1)
    equal("... of the same exit", exit_of(page), 1)
    equal("... which the address says", address(page), "#exit=1&step=1")
    page.key("ArrowUp")
    equal("key ArrowUp", page.run("player.event"), first)
    for button, want in (("#next", 2), ("#next", 3), ("#previous", 2), ("#last", last), ("#first", 1)):
        page.click(button)
        equal("button " + button, exit_of(page), want)
    page.key("g")
    page.type("1,079")
    page.key("Enter")
    equal("jump by number", exit_of(page), 1079)
    equal("... and the address", address(page), "#exit=1079")
    equal("... and the heading of the card", page.run("byId('card-title').textContent"), "Exit 1,079: io")
    check("... and what is said to those who listen",
          page.run("byId('live').textContent").startswith("Exit 1,079: io, guest kernel to dispatcher: write port"))
    now = page.run("[...document.querySelectorAll('#ladder .row.now')].filter((n) => !n.hidden).map((n) => "
                   "[n.querySelector('.number').textContent, n.getAttribute('aria-selected')])")
    equal("... and one row of the ladder", now, [["1,079", "true"]])
    equal("... which is the active descendant", page.run(
        "document.getElementById(byId('ladder').getAttribute('aria-activedescendant')).className.includes('now')"),
        True)
    page.run("byId('number').blur()")
    page.run("byId('slider').value = 99, byId('slider').dispatchEvent(new Event('input'))")
    equal("the slider", exit_of(page), 100)
    page.click("#ladder .row:not(.now):not([hidden])")
    settle(page)
    check("a click on a row goes there", page.run("player.event") != page.run("exitEvent[99]"))
    equal("no complaint while moving", page.complaints(), [])
    page.open(path("hardware.html"), "#exit=123")
    equal("deep link", exit_of(page), 123)
    page.open(path("hardware.html"), "#exit=123&step=2")
    equal("deep link to a transfer", page.run("player.event - exitEvent[122]"), 2)
    page.run("location.hash = '#exit=7'")
    settle(page)
    equal("the address is changed by hand", exit_of(page), 7)
    page.run("location.hash = '#exit=99999999'")
    settle(page)
    equal("an exit that is not there: we stay", exit_of(page), 7)
    check("... and are told so", "no exit 99999999" in page.run("byId('part').textContent"))
    page.close()


def check_play(browser):
    page = Page(browser)
    page.open(path("hardware.html"), "#exit=5")
    before = page.run("player.event")
    page.run("byId('speed').value = '20'")
    page.key(" ")
    equal("space plays", page.run("[player.playing, byId('play').getAttribute('aria-label')]"), [True, "Pause"])
    page.run("new Promise((done) => { const look = () => player.event > %d ? done() : setTimeout(look, 20); "
             "look(); })" % (before + 3))
    page.key(" ")
    after = page.run("player.event")
    equal("space pauses", page.run("[player.playing, byId('play').getAttribute('aria-label')]"), [False, "Play"])
    page.run("new Promise((done) => setTimeout(done, 200))")
    equal("... and then nothing moves", page.run("player.event"), after)
    check("... and the address is where we are", address(page).startswith("#exit="))
    page.key("End")
    page.run("byId('speed').value = '-25'")
    page.click("#play")
    page.run("new Promise((done) => { const look = () => player.playing ? setTimeout(look, 20) : done(); look(); })")
    equal("it stops at the end", exit_of(page), page.run("exitEvent.length"))
    equal("no complaint while playing", page.complaints(), [])
    page.close()


# --- finding ----------------------------------------------------------------------------------------

def check_search(browser):
    page = Page(browser)
    page.open(path("hardware.html"))
    page.key("/")
    equal("key / goes to the search", page.run("document.activeElement.id"), "query")
    page.type("CPUID")
    many = page.run("exitEvent.filter((e) => kindOf(e).name === 'cpuid').length")
    equal("search by reason", page.run("byId('found').textContent.replace(/ .*/, '')"), str(many))
    page.key("Enter")
    first = exit_of(page)
    equal("Enter: the first match", page.run("kindOf(player.event).name"), "cpuid")
    page.key("Enter")
    check("Enter again: the next", exit_of(page) > first, exit_of(page))
    page.key("Enter", shift=True)
    equal("Shift+Enter: back", exit_of(page), first)
    page.key("Escape")
    page.key("n")
    check("key n: the next", exit_of(page) > first)
    page.key("N", shift=True)
    equal("key N: back", exit_of(page), first)
    check("matches are marked", page.run("document.querySelectorAll('.row.match').length") > 0)
    for word in ("0x3fd", "priv_irq_ack", "out dx"):
        page.run("byId('query').value = '%s', byId('query').dispatchEvent(new Event('input'))" % word)
        check("search for " + word, re.match(r"[\d,]+ found|[\d,]+ of", page.run("byId('found').textContent")),
              page.run("byId('found').textContent"))
    page.run("byId('query').value = 'xyzzy', byId('query').dispatchEvent(new Event('input'))")
    equal("nothing is found", page.run("byId('found').textContent"), "no match")
    page.close()


def check_fold(page):
    """Two exits print a letter (is the UART ready? write), so lines of text are cycles of two."""
    every = page.run("filter.rows()")
    page.run("player.go(exitEvent[0])")
    page.key("r")
    equal("key r folds repeats", page.run("byId('fold').getAttribute('aria-pressed')"), "true")
    check("... most rows are gone", page.run("filter.rows()") < every / 4, page.run("filter.rows()"))
    covered = page.run("""(() => { let all = 0; const seen = new Set();
        for (let row = 0; row < filter.rows(); row++) {
            const e = filter.eventAt(row), fold = filter.foldAt(e);
            if (classOf(e) !== EXIT) continue;
            if (!fold) all++;
            else if (!seen.has(fold)) { seen.add(fold); all += fold.to - fold.from + 1; } }
        return all; })()""")
    equal("... and stand for all exits", covered, page.run("exitEvent.length"))
    alike = page.run("""exitEvent.every((e, exit) => filter.shows(e) || (() => { let row = filter.rowOf(e) - 1;
        const fold = filter.foldAt(filter.eventAt(row)), turn = (fold.to - fold.from + 1) / fold.turns;
        const like = exitEvent[fold.from + (exit - fold.from) % turn];
        return kindOf(like).name === kindOf(e).name && exit <= fold.to &&
            operandsOf(like).split(' <- ')[0] === operandsOf(e).split(' <- ')[0]; })())""")
    equal("... each hidden exit is like the one that stands for it", alike, True)
    check("... and the ladder says how often", page.run(
        "(() => { player.go(exitEvent.find((e) => filter.foldAt(e))); return "
        "/\u00d7[\\d,]+ exits [\\d,]+ to [\\d,]+/.test(byId('rows').textContent); })()"))
    page.key("ArrowRight")
    page.key("ArrowRight")
    equal("... arrow keys skip what is folded", page.run("filter.shows(player.event)"), True)
    page.run("player.goTo(exitNumber(exitEvent.findIndex((e) => !filter.shows(e))), 0)")
    equal("... who goes there by number unfolds", page.run("filter.folding"), False)
    equal("... and all rows are back", page.run("filter.rows()"), every)


def check_filter(browser):
    page = Page(browser)
    page.open(path("hardware.html"))
    page.key("f")
    equal("key f goes to the reasons", page.run("document.activeElement.parentNode.id"), "filter")
    hlt = "[...document.querySelectorAll('#filter button')].find((b) => b.textContent.startsWith('hlt'))"
    page.run(hlt + ".click()")
    equal("filter hlt: it is pressed", page.run(hlt + ".getAttribute('aria-pressed')"), "true")
    seen = page.run("[...document.querySelectorAll('#ladder .row')].filter((n) => !n.hidden).map((n) => "
                    "kindOf(exitEvent[exitOf[filter.eventAt(Number(n.id.slice(4)))]]).name)")
    equal("... only rows of hlt and what follows them", sorted(set(seen)), ["hlt"])
    visited = []
    page.key("Home")
    for _ in range(5):
        visited.append(page.run("kindOf(player.event).name"))
        page.key("ArrowRight")
    equal("... arrow keys visit only these", visited, ["hlt"] * 5)
    page.run("byId('query').value = 'port', byId('query').dispatchEvent(new Event('input'))")
    equal("... nor does the search find others", page.run(
        "(() => { search.step(1); return kindOf(exitEvent[exitOf[player.event]]).name; })()"), "hlt")
    page.run(hlt + ".click()")
    equal("filter off: all rows are back", page.run("filter.rows()"), page.run("count"))
    check_fold(page)
    equal("no complaint while searching and filtering", page.complaints(), [])
    page.close()


# --- what is shown ----------------------------------------------------------------------------------

def check_card(browser):
    page = Page(browser)
    page.open(path("trap.html"), "#exit=21")
    text = page.run("byId('card').innerText")
    dot = re.sub(r"&#?\w+;", "?", re.sub(r"<[^>]*>", "\n", open(path("card.dot")).read()))
    for label in ("from exit to entry", "guest, before it came out", "VMM: who handles this?",
                  "VMM: back to the guest", "VMM: interpreter", "code at rip (64 bits)", "operands"):
        lines = [s for s in dot.split("\n") if s.strip()]
        want = lines[lines.index(label) + 1].strip() if label in lines else None
        found = re.search(re.escape(label) + r"\s+(.*)", text)
        check("the card's %s is that of hv graph card" % label,
              want and found and found.group(1).strip() == want, (want, found and found.group(1)))
    equal("the source's line is lit", page.run("document.querySelectorAll('#source tr.now').length"), 1)
    title = page.run("byId('source-title').textContent")
    name, line = title.rsplit(":", 1)
    want = open(name).read().split("\n")[int(line) - 1].expandtabs(8)
    equal("... and is that of the file", page.run("document.querySelector('#source tr.now .code').textContent"), want)
    page.close()


def check_parts(browser):
    page = Page(browser)
    page.open(path("range.html"))
    equal("--range: numbers are those of the recording", exit_of(page), 1001)
    check("... and the page says what it has", "exits 1,001 to 2,000 of 10," in page.run("byId('part').textContent"),
          page.run("byId('part').textContent"))
    page.open(path("range.html"), "#exit=1500")
    equal("... deep link", exit_of(page), 1500)
    page.open(path("nosource.html"), "#exit=21")
    check("no source: it says so", "was not found" in page.run("byId('source').innerText"))
    page.open(path("nodot.html"))
    check("no dot: it names the package", "graphviz" in page.run("byId('picture').innerText"))
    page.key("ArrowRight")
    equal("... and the rest works", exit_of(page), 2)
    equal("... without complaint", page.complaints(), [])
    size = os.path.getsize(path("long.html"))
    page.open(path("long.html"))
    print("long: 1,000,000 events, a page of %.1f MB: ready after %d ms, painted after %d ms" %
          (size / 1e6, *opened(page)))
    check("1,000,000 events: the page is below 20 MB", size < 20 << 20, size)
    check("... and says which exits it has", re.search(r"exits 1 to [\d,]+ of [\d,]+; the rest: hv trace",
                                                       page.run("byId('part').textContent")))
    check("... rows in the page are bounded", row_count(page) <= ROWS)
    page.key("End")
    settle(page)
    seen = page.run("(() => { const n = document.querySelector('#ladder .row.now').getBoundingClientRect(), "
                    "l = byId('ladder').getBoundingClientRect(); return n.top >= l.top && n.bottom <= l.bottom; })()")
    equal("... its last exit is scrolled to", seen, True)
    took = page.run("""(async () => { const ladder_ = byId('ladder'), from = performance.now();
        for (let i = 0; i < 60; i++) { ladder_.scrollTop = i * 997 * 28;
            await new Promise((done) => requestAnimationFrame(done)); }
        return (performance.now() - from) / 60; })()""")
    print("long: %.1f ms from one screenful to a far one" % took)
    equal("... without complaint", page.complaints(), [])
    page.close()


def check_hostile(browser):
    html = open(path("hostile.html"), encoding="utf-8", errors="strict").read()
    body = html.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    check("hostile: no '<' in the data", "<" not in body)
    page = Page(browser)
    page.open(path("hostile.html"))
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "PageDown", "End", "Home"):
        page.key(key)
    page.run("(() => { for (let e = 0; e < count; e += 97) player.go(e); })()")
    page.run("byId('query').value = '<img', byId('query').dispatchEvent(new Event('input'))")
    equal("hostile: no complaint: nothing ran, nothing was asked for", page.complaints(), [])
    equal("hostile: no element came from a name",
          page.run("document.querySelectorAll('img, b[onmouseover], svg[onload], #picture script, #picture a').length"),
          0)
    check("hostile: names are there as text", "</script><img onerror=x" in page.run("byId('lanes').textContent"))
    check("hostile: the function's name is text", page.run("data.texts.some((t) => t.includes('onerror=alert(6)'))"))
    equal("hostile: the heading is text", page.run("byId('title').textContent"), "</title><script>alert(7)</script>")
    check("hostile: a process' path is text in the operands",
          "<img src=x onerror=alert(8)>" in page.run("(player.go(2), byId('now').textContent)"))
    card = page.run("byId('card').innerText")
    check("the card says that the host's kernel had the time of a process' call",
          "host kernel, until the guest runs again" in card and "VMM, until" not in card, card)
    check("hostile: no escapes", page.run("!/[\\x00-\\x1f\\x7f-\\x9f]/.test(byId('about').textContent)"))
    # The policy itself: what the scripts would let through, the browser refuses.
    page.run("document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror=\"window.hit = 1\">')")
    page.run("new Promise((done) => setTimeout(done, 100))")
    equal("hostile: the policy stops a handler", page.run("window.hit === undefined"), True)
    page.close()


def main():
    browser = Browser()
    try:
        for name in ("hardware", "trap", "paravirt"):
            check_strategy(browser, name)
        check_calls(browser)
        for group in (check_steps, check_play, check_search, check_filter, check_card, check_parts, check_hostile,
                      check_looks, check_phone, check_print, check_access):
            try:
                group(browser)
            except Failure as failure:
                check(group.__name__, False, failure)
    finally:
        browser.close()
    print("%(passed)d passed, %(failed)d failed" % counts)
    return counts["failed"] != 0


sys.exit(main())
