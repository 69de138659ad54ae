/*
 * player.js - where in the recording we are, and all that moves us: buttons, keys, search, filter,
 * the address.
 *
 * player.go(event) is the one way to move. All parts of the page are drawn from it.
 */

/* --- search: the texts are few, the events many ------------------------------------------------- */

const search = (() => {
    let found = new Int32Array(0), inText = null, inPlace, inKind, words = '';

    function matches(e) {
        return inText !== null &&
            (inText[events.text[e]] || inPlace[events.place[e]] || inKind[events.kind[e]]) === 1;
    }

    function run(text) {
        words = text.trim().toLowerCase();
        inText = null;
        found = new Int32Array(0);
        if (words) {
            const has = (s) => Number(s.toLowerCase().includes(words));
            inText = Uint8Array.from(data.texts, has);
            inKind = Uint8Array.from(kinds, (kind) => has(kind.name));
            inPlace = Uint8Array.from([0, ...data.places], (p) => p === 0 ? 0
                : has(p[0]) || inText[p[1]] || inText[p[3]]);
            const list = [];
            for (let e = 0; e < count; e++)
                if (matches(e) && filter.shows(e))
                    list.push(e);
            found = Int32Array.from(list);
        }
        ladder.refresh();
        say();
    }

    /* The nearest match ahead (way 1) or back (-1), round the end. */
    function step(way) {
        if (found.length === 0)
            return say();
        let i = found.findIndex((e) => e >= player.event);
        if (i < 0)
            i = found.length;
        i = way < 0 ? i - 1 : found[i] === player.event ? i + 1 : i;
        player.go(found[(i + found.length) % found.length]);
    }

    function say() {
        const i = found.indexOf(player.event);
        byId('found').textContent = !words ? '' : found.length === 0 ? 'no match'
            : i >= 0 ? `${countText(i + 1)} of ${countText(found.length)}` : `${countText(found.length)} found`;
    }

    return { run, step, say, matches };
})();

/* --- where we are ------------------------------------------------------------------------------- */

const player = (() => {
    const self = { event: 0, go, step, stepExit, playing: false };
    const slider = byId('slider');
    let timer = 0, address = 0;

    function go(e) {
        if (count === 0)
            return;
        self.event = Math.max(0, Math.min(count - 1, e));
        if (filter.folding && !filter.shows(self.event) && filter.chosen.size === 0)
            fold(false); /* it is in a later turn of what repeats */
        const exit = exitOf[self.event];
        picture.light(self.event);
        ladder.show(self.event);
        card.show(self.event);
        source.show(self.event);
        search.say();
        slider.value = Math.max(0, exit);
        slider.setAttribute('aria-valuetext', exit < 0 ? 'before the first exit' : `exit ${exitNumber(exit)}`);
        if (document.activeElement !== byId('number'))
            byId('number').value = exit < 0 ? '' : countText(exitNumber(exit));
        if (!self.playing) {
            byId('live').textContent = sentence(self.event);
            clearTimeout(address);
            address = setTimeout(setAddress, 300);
        }
    }

    /* #exit=12, and the transfer within it: #exit=12&step=3. Not while a key is held down: browsers
     * allow some hundred changes in half a minute. */
    function setAddress() {
        const exit = exitOf[self.event];
        const within = exit < 0 ? self.event : self.event - exitEvent[exit];
        const hash = exit < 0 ? '' : `#exit=${exitNumber(exit)}${within ? `&step=${within}` : ''}`;
        if (location.hash !== hash)
            history.replaceState(null, '', hash || location.pathname + location.search);
    }

    function fromAddress() {
        const match = /^#exit=(\d+)(?:&step=(\d+))?$/.exec(location.hash);
        return match !== null && goTo(Number(match[1]), Number(match[2] || 0));
    }

    /* An exit by its number, and a transfer within it; if it is not on this page, that is said. */
    function goTo(number, within) {
        const exit = number - data.first;
        if (!(exit >= 0 && exit < exitEvent.length)) {
            byId('live').textContent = byId('part').textContent = `This page has no exit ${number}: ${range()}.`;
            byId('part').hidden = false;
            return false;
        }
        const end = exit + 1 < exitEvent.length ? exitEvent[exit + 1] : count;
        go(Math.min(end - 1, exitEvent[exit] + within));
        return true;
    }

    const range = () => exitEvent.length === 0 ? 'it has none'
        : `it has exits ${countText(data.first)} to ${countText(data.last)} of ${countText(data.exits)}`;

    function step(way) {
        const row = filter.rowOf(self.event) + way;
        if (row < 0 || row >= filter.rows())
            return false;
        go(filter.eventAt(row));
        return true;
    }

    /* `by` exits on or back, of those that are shown; back from within an exit: to its beginning. */
    function stepExit(by) {
        const way = Math.sign(by);
        let exit = exitOf[self.event], left = Math.abs(by), at = -1;
        if (way < 0 && exit >= 0 && exitEvent[exit] < self.event)
            exit++;
        for (exit += way; left > 0 && exit >= 0 && exit < exitEvent.length; exit += way)
            if (filter.shows(exitEvent[exit])) {
                at = exit;
                left--;
            }
        if (at >= 0)
            go(exitEvent[at]);
        return at >= 0;
    }

    function edge(way) { /* the first or last exit that is shown */
        const list = way < 0 ? exitEvent : [...exitEvent].reverse();
        const e = list.find((x) => filter.shows(x));
        if (e !== undefined)
            go(e);
    }

    /* --- playing ----------------------------------------------------------------------------- */

    function play(on) {
        self.playing = on;
        clearTimeout(timer);
        byId('play').setAttribute('aria-label', on ? 'Pause' : 'Play');
        byId('play-shape').setAttribute('d', on ? 'M3 2h4v12H3zM9 2h4v12H9z' : 'M4 2l10 6-10 6z');
        document.body.classList.toggle('playing', on);
        if (on)
            tick();
        else
            go(self.event);
    }

    function tick() {
        const speed = Number(byId('speed').value);
        timer = setTimeout(() => {
            if (speed > 0 ? step(1) : stepExit(1))
                tick();
            else
                play(false);
        }, 1000 / Math.abs(speed));
    }

    /* --- the parts of the page that do not change -------------------------------------------- */

    function describe() {
        const name = data.title || (data.guest || 'a guest') + (data.engine ? ` on engine ${data.engine}` : '') +
            (data.strategy ? `, strategy ${data.strategy}` : '');
        const from = count ? events.time[0] : 0, to = count ? events.time[count - 1] : 0;
        byId('title').textContent = name;
        document.title = `${name} - hv`;
        byId('about').textContent = `${countText(exitEvent.length)} exits, ${countText(count)} transfers` +
            (data.times ? ` in ${timeText(to - from)}` : '') + '.';
        byId('command').textContent = `Recorded by: ${data.command}`;
        byId('total').textContent = exitEvent.length ? `of ${countText(data.exits)}` : 'none';
        const notes = [];
        if (exitEvent.length < data.exits)
            notes.push(`This page has exits ${countText(data.first)} to ${countText(data.last)} of ` +
                `${countText(data.exits)}; the rest: hv trace --html OUT --range A:B.`);
        if (data.lost)
            notes.push(`${countText(data.lost)} events at the end are lost: the disk was full.`);
        if (!data.closed)
            notes.push('The recording was not closed: hv was killed, or records still.');
        byId('part').textContent = notes.join(' ');
        byId('part').hidden = notes.length === 0;
    }

    function buildFilter() {
        const many = new Map();
        for (const e of exitEvent)
            many.set(events.kind[e], (many.get(events.kind[e]) || 0) + 1);
        const order = [...many.keys()].sort((a, b) => many.get(b) - many.get(a));
        byId('filter').replaceChildren(make('span', {}, 'Show only'), ...order.map((kind) => {
            const swatch = make('span', { class: 'swatch', 'aria-hidden': 'true' });
            const button = make('button', { type: 'button', 'aria-pressed': 'false', title: kinds[kind].text },
                swatch, kinds[kind].name, make('small', {}, ` ${countText(many.get(kind))}`));
            swatch.style.background = `var(--group${kinds[kind].group})`;
            button.addEventListener('click', () => choose(button, kind));
            return button;
        }), make('button', { type: 'button', id: 'fold', 'aria-pressed': 'false',
            title: 'Show what repeats once, and say how often (r)' }, 'Fold repeats'));
        byId('fold').addEventListener('click', () => fold(!filter.folding));
    }

    function choose(button, kind) {
        const on = !filter.chosen.delete(kind);
        if (on)
            filter.chosen.add(kind);
        button.setAttribute('aria-pressed', on);
        filtered();
    }

    function fold(on) {
        filter.folding = on;
        byId('fold').setAttribute('aria-pressed', on);
        filtered();
    }

    /* Other rows now; we stay, or go to the nearest that is shown. */
    function filtered() {
        filter.choose();
        search.run(byId('query').value);
        ladder.layout();
        const last = filter.rows() - 1, row = Math.min(filter.rowOf(self.event), last);
        go(last < 0 || filter.shows(self.event) || !(filter.folding || filter.chosen.size) ? self.event
            : filter.eventAt(row));
        drawOverview();
    }

    /* The run at a glance: each column of pixels in the colour of its most frequent reason. */
    function drawOverview() {
        const canvas = byId('overview'), probe = byId('title');
        const width = canvas.width = Math.max(1, canvas.clientWidth), height = canvas.height = canvas.clientHeight;
        const pen = canvas.getContext('2d'), n = exitEvent.length, groups = data.groups.length;
        const tally = new Uint32Array(width * groups);
        exitEvent.forEach((e, i) => {
            if (filter.shows(e)) {
                const first = Math.floor(i * width / n), last = Math.max(first + 1, Math.floor((i + 1) * width / n));
                for (let x = first; x < last; x++)
                    tally[x * groups + kindOf(e).group]++;
            }
        });
        const colors = data.groups.map((group, i) => { /* what light-dark() comes to */
            probe.style.color = `var(--group${i})`;
            return getComputedStyle(probe).color;
        });
        probe.style.color = '';
        for (let x = 0; x < width; x++) {
            const part = tally.subarray(x * groups, (x + 1) * groups), all = part.reduce((a, b) => a + b, 0);
            let y = height;
            for (let g = 0; all && g < groups; g++) {
                const h = height * part[g] / all;
                pen.fillStyle = colors[g];
                pen.fillRect(x, y - h, 1, h);
                y -= h;
            }
        }
    }

    return Object.assign(self, { play, edge, goTo, fromAddress, describe, buildFilter, drawOverview });
})();

/* --- light and dark ----------------------------------------------------------------------------- */

const theme = (() => {
    const order = ['auto', 'light', 'dark'];
    let name = 'auto';

    function set(next) {
        name = order.includes(next) ? next : 'auto';
        document.documentElement.dataset.theme = name;
        byId('theme').textContent = `Theme: ${name}`;
        player.drawOverview();
        try { localStorage.setItem('hv-theme', name); } catch { /* not from a file, in some browsers */ }
    }

    function start() {
        let saved = 'auto';
        try { saved = localStorage.getItem('hv-theme'); } catch { /* the same */ }
        set(saved);
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', player.drawOverview);
    }

    return { start, next: () => set(order[(order.indexOf(name) + 1) % order.length]) };
})();

/* --- keys and buttons --------------------------------------------------------------------------- */

const keys = {
    ArrowRight: () => player.stepExit(1),
    ArrowLeft: () => player.stepExit(-1),
    ArrowDown: () => player.step(1),
    ArrowUp: () => player.step(-1),
    PageDown: () => player.stepExit(10),
    PageUp: () => player.stepExit(-10),
    Home: () => player.edge(-1),
    End: () => player.edge(1),
    ' ': () => player.play(!player.playing),
    '/': () => byId('query').select(),
    n: () => search.step(1),
    N: () => search.step(-1),
    g: () => byId('number').select(),
    r: () => byId('fold').click(),
    f: () => { const first = byId('filter').querySelector('button'); if (first) first.focus(); },
    t: () => theme.next(),
    '?': () => byId('help').showModal(),
};

/* A field keeps its keys, a button the space, what scrolls by itself the arrows. */
function onKey(event) {
    const target = event.target, name = target.localName;
    if (event.ctrlKey || event.altKey || event.metaKey || byId('help').open || !Object.hasOwn(keys, event.key))
        return;
    if (name === 'select' || (name === 'input' && target.type !== 'range'))
        return;
    if (event.key === ' ' && (name === 'button' || name === 'summary'))
        return;
    event.preventDefault();
    keys[event.key]();
}

function listen() {
    const click = (id, action) => byId(id).addEventListener('click', action);
    click('first', keys.Home);
    click('previous', keys.ArrowLeft);
    click('play', keys[' ']);
    click('next', keys.ArrowRight);
    click('last', keys.End);
    click('found-previous', keys.N);
    click('theme', keys.t);
    click('help-open', keys['?']);
    byId('jump').addEventListener('submit', (event) => {
        event.preventDefault();
        const text = byId('number').value.replaceAll(',', '').trim();
        if (/^\d+$/.test(text))
            player.goTo(Number(text), 0);
        byId('number').select();
    });
    byId('search').addEventListener('submit', (event) => { event.preventDefault(); search.step(1); });
    byId('query').addEventListener('input', () => search.run(byId('query').value));
    byId('query').addEventListener('keydown', (event) => {
        if (event.key === 'Enter' && event.shiftKey) {
            event.preventDefault();
            search.step(-1);
        } else if (event.key === 'Escape') {
            byId('ladder').focus();
        }
    });
    byId('slider').addEventListener('input', () => player.go(exitEvent[Number(byId('slider').value)] || 0));
    document.addEventListener('keydown', onKey);
    window.addEventListener('hashchange', player.fromAddress);
    window.addEventListener('resize', player.drawOverview);
}

byId('slider').max = Math.max(0, exitEvent.length - 1);
player.describe();
player.buildFilter();
ladder.layout();
listen();
theme.start();
if (!player.fromAddress())
    player.go(exitEvent.length ? exitEvent[0] : 0);
ladder.watch();
document.documentElement.dataset.ready = String(Math.round(performance.now())); /* ms; for the tests */
