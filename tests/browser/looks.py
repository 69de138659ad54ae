"""looks.py - how the player looks: light and dark, contrast, on a phone, on paper, to those who listen."""
import base64
import re

from base import ROWS, check, equal, exit_of, path, row_count, settle
from cdp import Page

CONTRAST = r"""(() => {
    const parse = (c) => (c.match(/[\d.]+/g) || []).map(Number);
    const channel = (v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
    const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
    const ground = (n) => { for (; n; n = n.parentElement) {
        const c = parse(getComputedStyle(n).backgroundColor); if (c.length < 4 || c[3] > 0) return c; }
        return [255, 255, 255]; };
    const bad = [];
    for (const n of document.body.querySelectorAll('*')) {
        const text = [...n.childNodes].some((c) => c.nodeType === 3 && c.data.trim());
        if (!text || !n.getClientRects().length || n.closest('svg, dialog, .quiet')) continue;
        const r = ratio(parse(getComputedStyle(n).color), ground(n));
        if (r < 4.5) bad.push([n.tagName, n.id || n.className, n.textContent.slice(0, 20), r.toFixed(2)]);
    }
    const probe = document.createElement('p');
    document.body.append(probe);
    const value = (name) => { probe.style.color = `var(${name})`; return parse(getComputedStyle(probe).color); };
    for (let g = 0; g < data.groups.length; g++)
        for (const paper of ['--paper', '--box0', '--box1', '--box2', '--box3', '--same', '--now']) {
            const r = ratio(value(`--group${g}`), value(paper));
            if (r < (paper === '--now' ? 3 : 4.5)) bad.push([`group${g} on ${paper}`, r.toFixed(2)]);
        }
    probe.remove();
    return bad;
})()"""


def check_looks(browser):
    grounds = {}
    for dark in (False, True):
        name = "dark" if dark else "light"
        for page_name, fragment in (("hardware", "#exit=1079"), ("trap", "#exit=21&step=2"), ("paravirt", "#exit=12")):
            page = Page(browser, dark=dark)
            page.open(path(page_name + ".html"), fragment)
            equal("%s, %s: contrast is AA" % (page_name, name), page.run(CONTRAST), [])
            settle(page)
            size = page.screenshot(path("%s-%s.png" % (page_name, name)))
            check("%s, %s: a picture, not an empty page" % (page_name, name), size > 30000, size)
            grounds[name] = page.run("getComputedStyle(document.body).backgroundColor")
            page.close()
    check("light and dark differ", grounds["light"] != grounds["dark"], grounds)
    page = Page(browser)
    page.open(path("hardware.html"))
    page.click("#theme")
    page.click("#theme")
    equal("the switch to dark", page.run("getComputedStyle(document.body).backgroundColor"), grounds["dark"])
    equal("... says so", page.run("byId('theme').textContent"), "Theme: dark")
    page.key("t")
    page.key("?")
    equal("key ? opens the help", page.run("byId('help').open"), True)
    page.screenshot(path("help.png"))
    page.key("Escape")
    equal("... Escape closes it", page.run("byId('help').open"), False)
    equal("no complaint about the theme", page.complaints(), [])
    page.close()


def check_phone(browser):
    page = Page(browser, width=390, height=844)
    page.size(390, 844, mobile=True)
    page.open(path("trap.html"), "#exit=1079&step=2")
    settle(page)
    equal("narrow: the page is no wider than the screen", page.run("document.documentElement.scrollWidth"), 390)
    page.screenshot(path("phone.png"))
    page.run("byId('ladder').scrollIntoView()")
    settle(page)
    page.screenshot(path("phone-ladder.png"))
    check("narrow: rows are bounded", row_count(page) <= ROWS)
    sizes = page.run("[...document.querySelectorAll('#transport button')].map((b) => Math.min(b.offsetWidth, "
                     "b.offsetHeight))")
    check("narrow: buttons are as large as a thumb", min(sizes) >= 44, sizes)
    page.click("#next")
    equal("narrow: the button", exit_of(page), 1080)
    page.close()


def check_print(browser):
    page = Page(browser)
    page.open(path("trap.html"), "#exit=1079")
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    equal("print: rows around the current one", page.run("document.querySelectorAll('#paper .row').length"), 40)
    page.media("print")
    equal("print: ladder, not the controls", page.run(
        "['bar', 'ladder', 'paper', 'tools'].map((id) => getComputedStyle(byId(id)).display)"),
        ["none", "none", "block", "none"])
    equal("print: on white", page.run("getComputedStyle(byId('state')).backgroundColor"), "rgb(255, 255, 255)")
    page.size(718, 1900)
    page.screenshot(path("print.png"))
    page.media()
    page.run("window.dispatchEvent(new Event('afterprint'))")
    pdf = base64.b64decode(page.send("Page.printToPDF", printBackground=False)["data"])
    open(path("print.pdf"), "wb").write(pdf)
    sheets = len(re.findall(rb"/Type\s*/Page\b", pdf))
    check("print: some sheets", 1 <= sheets <= 6, sheets)
    equal("no complaint while printing", page.complaints(), [])
    page.close()


def check_access(browser):
    page = Page(browser, reduced=True)
    page.open(path("hardware.html"))
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    value = lambda node, key: node.get(key, {}).get("value", "")
    roles = {value(n, "role") for n in nodes if not n.get("ignored")}
    for role in ("heading", "button", "slider", "searchbox", "listbox", "option", "status", "main"):
        check("access: there is a " + role, role in roles, sorted(roles))
    nameless = [value(n, "role") for n in nodes if not n.get("ignored") and not value(n, "name") and
                value(n, "role") in ("button", "slider", "searchbox", "textbox", "combobox", "listbox", "option", "img")]
    equal("access: everything has a name", nameless, [])
    order = []
    for _ in range(40):
        page.key("Tab")
        order.append(page.run("document.activeElement.id"))
        if order[-1] == "source":
            break
    wanted = ["theme", "help-open", "first", "previous", "play", "next", "last", "number", "speed", "query",
              "found-previous", "found-next", "slider", "picture", "ladder", "source"]
    equal("access: Tab goes from top to bottom", [i for i in order if i in wanted], wanted)
    page.run("byId('next').focus()")
    page.key(" ", text=" ")
    equal("access: space on a button presses it", [exit_of(page), page.run("player.playing")], [2, False])
    equal("access: reduced motion has no transitions", page.run(
        "[...document.querySelectorAll('#picture *')].every((n) => getComputedStyle(n).transitionDuration === '0s')"),
        True)
    page.close()
