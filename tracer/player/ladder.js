/*
 * ladder.js - the ladder: one transfer below the other, one lane for each who takes part.
 *
 * A recording has up to 400,000 rows; the page has only those that are seen, and some above and
 * below. They are used in turn: row i is always drawn by rows[i % rows.length], so that scrolling by
 * one row draws one row. filter.js says which events are rows.
 */

const ladder = (() => {
    const LANES = 12, SPARE = 8, MOST = 160; /* rows in the page */
    const WIDE_ROW = 28, NARROW_ROW = 46, NUMBER = 62;
    const view = byId('ladder'), inner = byId('rows');
    const paper = byId('paper');
    const lanes = [], laneOf = new Map();
    let merged = 0, rows = [], height = WIDE_ROW, width = 80, narrow = false, current = 0;

    /* --- lanes: guest, VMM, devices, host; the least used share one when there are too many ----- */

    function findLanes() {
        const used = new Map();
        for (let e = 0; e < count; e++)
            for (const a of [events.from[e], events.to[e]])
                used.set(a, (used.get(a) || 0) + 1);
        let list = [...used.keys()];
        if (list.length > LANES) {
            list.sort((a, b) => used.get(b) - used.get(a));
            merged = list.length - (LANES - 1);
            list = list.slice(0, LANES - 1);
        }
        list.sort((a, b) => actors[a].box - actors[b].box || a - b);
        list.forEach((a, i) => laneOf.set(a, i));
        lanes.push(...list.map((a) => ({ name: actors[a].name, box: actors[a].box, text: actors[a].text })));
        if (merged)
            lanes.push({ name: `${merged} more`, box: BOX_DEVICE, text: '' });
    }

    const lane = (a) => laneOf.has(a) ? laneOf.get(a) : lanes.length - 1;
    const middle = (i) => i * width + width / 2;

    /* --- one row ------------------------------------------------------------------------------- */

    function makeRow() {
        const svg = makeSvg('svg', { 'aria-hidden': 'true', class: 'lines' });
        const lines = lanes.map(() => svg.appendChild(makeSvg('line', { class: 'life' })));
        const row = {
            index: -1, lines, svg,
            above: svg.appendChild(makeSvg('line', { class: 'control' })),
            below: svg.appendChild(makeSvg('line', { class: 'control' })),
            arrow: svg.appendChild(makeSvg('line', { class: 'arrow' })),
            head: svg.appendChild(makeSvg('polygon', { class: 'head' })),
            reason: svg.appendChild(makeSvg('text', { class: 'reason', 'text-anchor': 'middle' })),
            number: make('span', { class: 'number' }), text: make('span', { class: 'text' }),
        };
        row.node = make('div', { class: 'row', role: 'option' }, row.number, svg, row.text);
        row.node.addEventListener('click', () => player.go(filter.eventAt(row.index)));
        return row;
    }

    function line(node, x1, y1, x2, y2) {
        node.setAttribute('x1', x1);
        node.setAttribute('y1', y1);
        node.setAttribute('x2', x2);
        node.setAttribute('y2', y2);
    }

    /* Who had control before a note, which moves none. */
    function holder(e) {
        for (let i = e - 1; i >= 0 && i > e - 100; i--)
            if (events.vcpu[i] === events.vcpu[e] && classOf(i) !== NOTE)
                return lane(events.to[i]);
        return null;
    }

    function drawArrow(row, e) {
        const from = lane(events.from[e]), to = lane(events.to[e]), y = height - (narrow ? 24 : 8);
        const x1 = middle(from), x2 = middle(to), way = Math.sign(x2 - x1), note = classOf(e) === NOTE;
        const before = note ? holder(e) : from, after = note ? before : to;
        row.lines.forEach((node, i) => line(node, middle(i), 0, middle(i), height));
        row.above.style.display = row.below.style.display = before === null ? 'none' : '';
        if (before !== null) {
            line(row.above, middle(before), 0, middle(before), y);
            line(row.below, middle(after), y, middle(after), height);
        }
        line(row.arrow, x1 + way * 2, y, x2 - way * 8, y);
        row.arrow.style.display = way ? '' : 'none';
        row.arrow.style.strokeDasharray = events.kind[e] === RETURN || note ? '4 3' : '';
        row.head.setAttribute('points', way
            ? `${x2 - way * 2},${y} ${x2 - way * 10},${y - 4} ${x2 - way * 10},${y + 4}`
            : `${x1 - 5},${y} ${x1},${y - 5} ${x1 + 5},${y} ${x1},${y + 5}`);
        row.svg.style.setProperty('--color', `var(--group${kindOf(e).group})`);
        drawReason(row, e, from, to, y);
    }

    /* Above the arrow, if there is room for it. */
    function drawReason(row, e, from, to, y) {
        const name = kindOf(e).name, span = Math.max(1, Math.abs(to - from)) * width - 9;
        const room = span >= name.length * 5.7, all = lanes.length * width;
        let x = from === to ? middle(from) : (middle(from) + middle(to)) / 2;
        const half = name.length * 3.1 + 2;
        x = Math.min(Math.max(x, half), all - half);
        row.reason.setAttribute('x', x);
        row.reason.setAttribute('y', y - 6);
        row.reason.textContent = room ? name : '';
        return room;
    }

    function draw(row, index) {
        const e = filter.eventAt(index), place = placeOf(e), exit = classOf(e) === EXIT;
        row.index = index;
        row.node.id = `row-${index}`;
        row.node.style.transform = `translateY(${index * height}px)`;
        row.node.setAttribute('aria-posinset', index + 1);
        row.node.setAttribute('aria-setsize', filter.rows());
        row.node.setAttribute('aria-label', sentence(e));
        row.number.textContent = exit ? countText(exitNumber(exitOf[e])) : '';
        drawArrow(row, e);
        row.text.replaceChildren(narrow || !row.reason.textContent ? make('b', {}, kindOf(e).name + ' ') : '',
            operandsOf(e), place && place.symbol ? make('span', { class: 'symbol' }, ` in ${place.symbol}`) : '');
        const fold = filter.foldAt(e);
        if (fold && fold.first === e)
            row.text.prepend(make('span', { class: 'badge' }, foldText(fold)), ' ');
        row.node.classList.toggle('fold', fold !== null);
        row.text.title = row.text.textContent; /* in full, where there is no room for it */
        row.node.classList.toggle('gap', index > 0 && filter.eventAt(index - 1) !== e - 1);
        mark(row);
    }

    const foldText = ({ turns, from, to }) =>
        `\u00d7${countText(turns)} exits ${countText(exitNumber(from))} to ${countText(exitNumber(to))}`;

    function mark(row) {
        const e = filter.eventAt(row.index), now = e === current;
        row.node.setAttribute('aria-selected', now);
        row.node.classList.toggle('now', now);
        row.node.classList.toggle('same', exitOf[e] === exitOf[current]);
        row.node.classList.toggle('match', search.matches(e));
    }

    /* --- the rows that are seen ---------------------------------------------------------------- */

    function render(all) {
        const total = filter.rows();
        const first = Math.max(0, Math.floor(view.scrollTop / height) - SPARE);
        const last = Math.min(total, first + rows.length);
        for (let i = Math.max(0, Math.min(first, total - rows.length)); i < last; i++) {
            const row = rows[i % rows.length];
            if (all || row.index !== i)
                draw(row, i);
        }
        for (const row of rows)
            row.node.hidden = row.index < 0 || row.index >= total;
    }

    function layout() {
        const box = view.clientWidth, old = view.scrollTop / height;
        if (box === 0)
            return; /* on paper */
        narrow = box < 620;
        height = narrow ? NARROW_ROW : WIDE_ROW;
        const room = narrow ? box - NUMBER - 8 : Math.min(box - NUMBER - 230, box * 0.7);
        width = Math.max(narrow ? 22 : 40, Math.min(124, Math.floor(room / lanes.length)));
        document.body.classList.toggle('narrow', narrow);
        view.style.setProperty('--lanes', `${width * lanes.length}px`);
        view.style.setProperty('--row', `${height}px`);
        inner.style.height = `${filter.rows() * height}px`;
        const want = Math.min(MOST, Math.ceil(view.clientHeight / height) + 2 * SPARE);
        if (rows.length !== want) {
            rows = Array.from({ length: want }, makeRow);
            inner.replaceChildren(...rows.map((row) => row.node));
        }
        rows.forEach((row) => { row.index = -1; });
        drawHeads(byId('lanes'));
        view.scrollTop = old * height;
        render(true);
    }

    function drawHeads(heads) {
        const longest = Math.max(...lanes.flatMap(({ name }) => name.split(' ').map((word) => word.length)));
        heads.style.setProperty('--lanes', `${width * lanes.length}px`);
        heads.classList.toggle('upright', width < longest * 5.6 + 4);
        heads.replaceChildren(make('span', { class: 'number' }, 'exit'), ...lanes.map(({ name, box, text }) => {
            const head = make('span', { class: 'lane', title: text }, make('span', {}, name));
            head.style.width = `${width}px`;
            head.style.setProperty('--color', `var(--boxline${box})`);
            head.style.setProperty('--fill', `var(--box${box})`);
            return head;
        }));
    }

    /* The current row, a third of the way down unless it is seen already. */
    function show(e) {
        current = e;
        const index = filter.rowOf(e), top = index * height, seen = view.clientHeight;
        if (top < view.scrollTop + height || top > view.scrollTop + seen - 3 * height)
            view.scrollTop = top - seen / 3;
        render(false);
        rows.forEach((row) => { if (row.index >= 0 && !row.node.hidden) mark(row); });
        view.setAttribute('aria-activedescendant', `row-${index}`);
    }

    /* Paper has no scroll bar: some rows around the current one, each for itself, with lanes that leave
     * room for the text. */
    function print() {
        const AROUND = 20, ROOM = 330, before = { width, height, narrow };
        const at = filter.rowOf(current), total = filter.rows();
        const first = Math.max(0, at - AROUND), last = Math.min(total, first + 2 * AROUND);
        const list = make('div', { class: 'printed' }), heads = make('div', { class: 'heads' });
        width = Math.floor(ROOM / lanes.length);
        height = WIDE_ROW;
        narrow = false;
        list.style.setProperty('--lanes', `${width * lanes.length}px`);
        list.style.setProperty('--row', `${height}px`);
        drawHeads(heads);
        list.append(heads);
        for (let i = first; i < last; i++) {
            const row = makeRow();
            draw(row, i);
            row.node.style.transform = '';
            row.node.removeAttribute('id');
            list.append(row.node);
        }
        ({ width, height, narrow } = before);
        paper.replaceChildren(list, make('p', {},
            `Transfers ${countText(first + 1)} to ${countText(last)} of ${countText(total)}.`));
    }

    findLanes();
    let waiting = false;
    view.addEventListener('scroll', () => {
        if (!waiting)
            requestAnimationFrame(() => { waiting = false; render(false); });
        waiting = true;
    }, { passive: true });
    window.addEventListener('beforeprint', print);
    window.addEventListener('afterprint', () => paper.replaceChildren());
    return { layout, show, refresh: () => render(true), watch: () => new ResizeObserver(layout).observe(view) };
})();
