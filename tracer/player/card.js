/*
 * card.js - one exit in full: where, why, who handled it, what it cost; and the guest's source.
 *
 * The same rules as in the program's view_card.c: to an exit belong the events of its virtual CPU
 * until the guest is entered for the last time before its next exit.
 */

const card = (() => {
    const HANDLED_MAX = 40; /* transfers that are listed one by one */
    const root = byId('card');
    const elapsed = (from, to) => Math.max(0, events.time[to] - events.time[from]);
    let shown = -1, steps = new Map();

    function row(label, value, code) {
        const cell = make('td', code ? { class: 'code' } : {}, value);
        return make('tr', {}, make('th', { scope: 'row' }, label), cell);
    }

    function section(title, rows) {
        return rows.length === 0 ? [] : [make('h3', {}, title), make('table', {}, make('tbody', {}, ...rows))];
    }

    function where(e) {
        const place = placeOf(e);
        const rows = [row('control', `from ${actors[events.from[e]].name} to ${actors[events.to[e]].name}`)];
        if (place) {
            rows.push(row('rip', place.rip, true));
            if (place.symbol)
                rows.push(row('in', place.symbol, true));
            if (place.code)
                rows.push(row(place.label, place.code, true));
        }
        if (events.icount[e])
            rows.push(row("guest's clock", `${countText(events.icount[e])} instructions`));
        if (events.vcpu[e])
            rows.push(row(data.engine === 'host' ? 'process' : 'virtual CPU', String(events.vcpu[e])));
        if (data.times)
            rows.push(row('time', `${timeText(events.time[e])} after the start`));
        return rows;
    }

    function why(e) {
        const kind = kindOf(e), rows = [row('reason', kind.name)];
        if (operandsOf(e))
            rows.push(row('operands', operandsOf(e), true));
        rows.push(row('that is', kind.text));
        return rows;
    }

    /* Does the guest run now? Within a system call an entry goes back to the host's kernel. */
    const enters = (e) => classOf(e) === ENTRY && events.to[e] !== HOST;

    /* The events of the exit, from itself to its last entry. */
    function belonging(e) {
        const list = [e];
        let entered = false;
        for (let i = e + 1; i < count; i++) {
            const klass = classOf(i);
            if (events.vcpu[i] !== events.vcpu[e] || klass === NOTE)
                continue;
            if (klass === EXIT || klass === GUEST || (entered && klass !== ENTRY))
                break;
            entered = entered || enters(i);
            list.push(i);
        }
        return list;
    }

    function stepLabel(e) {
        if (events.kind[e] === CALLS)
            return `asked: ${actors[events.to[e]].name}`;
        if (events.kind[e] === RETURN)
            return `answer of ${actors[events.from[e]].name}`;
        return kindOf(e).name;
    }

    function handled(list) {
        steps = new Map();
        const rows = list.slice(1, HANDLED_MAX + 1).map((e) => {
            const text = operandsOf(e), runs = classOf(e) === ENTRY;
            const value = runs ? `${actors[events.to[e]].name} runs${text ? ': ' + text : ''}` : text;
            const node = row(stepLabel(e), value, !runs);
            node.addEventListener('click', () => player.go(e));
            steps.set(e, node);
            return node;
        });
        if (list.length > HANDLED_MAX + 1)
            rows.push(row('', `and ${countText(list.length - HANDLED_MAX - 1)} more transfers`));
        return rows;
    }

    /* Where the time went: [label, ns], and the sum. Control is where the last transfer went. */
    function costs(list) {
        let before = 0, between = 0, after = 0, asked = false, entered = false, last = list[0];
        const parts = new Map();
        for (const e of list.slice(1)) {
            const ns = elapsed(last, e), at = events.to[last];
            if (entered) /* an injection, and now the entry itself */
                after += ns;
            else if (at !== DISPATCHER)
                parts.set(at, (parts.get(at) || 0) + ns);
            else if (!asked)
                before += ns;
            else if (classOf(e) === ENTRY)
                after += ns;
            else
                between += ns;
            asked = asked || events.kind[e] === CALLS;
            entered = entered || enters(e);
            last = e;
        }
        const all = entered ? elapsed(list[0], last) : null;
        const host = parts.get(HOST) || 0;
        if (!asked && !entered)
            return [[], all];
        if (!asked && host) /* the guest is a process of it */
            return [[...(before ? [['VMM', before + after]] : []),
                ['host kernel, until the guest runs again', host]], all];
        if (!asked)
            return [[[events.kind[list[0]] === HLT ? 'VMM, and waiting for an interrupt'
                : 'VMM, until the guest runs again', before + after]], all];
        const rows = [['VMM: who handles this?', before]];
        for (const [a, ns] of parts)
            rows.push([`${actors[a].box === BOX_DEVICE ? 'device' : 'VMM'}: ${actors[a].name}`, ns]);
        if (between)
            rows.push(['VMM: between these', between]);
        if (entered)
            rows.push(['VMM: back to the guest', after]);
        return [rows, all];
    }

    /* How long the guest had run: since the last entry of this virtual CPU. */
    function guestRan(e) {
        for (let i = e - 1; i >= 0; i--) {
            if (events.vcpu[i] !== events.vcpu[e])
                continue;
            if (classOf(i) === EXIT)
                return null;
            if (classOf(i) === ENTRY)
                return elapsed(i, e);
        }
        return null;
    }

    function cost(list) {
        if (!data.times)
            return [];
        const rows = [], guest = guestRan(list[0]);
        const [parts, all] = costs(list);
        const most = Math.max(1, ...parts.map(([, ns]) => ns));
        if (guest !== null)
            rows.push(row('guest, before it came out', timeText(guest)));
        for (const [label, ns] of parts) {
            const bar = make('span', { class: 'bar', 'aria-hidden': 'true' });
            bar.style.width = `${Math.max(1, 60 * ns / most)}%`;
            const node = row(label, '');
            node.lastChild.append(make('span', { class: 'ns' }, timeText(ns)), bar);
            node.lastChild.classList.add('cost');
            rows.push(node);
        }
        if (all !== null && parts.length > 1)
            rows.push(row('from exit to entry', timeText(all)));
        return rows;
    }

    function show(e) {
        const exit = exitOf[e], title = byId('card-title');
        if (exit !== shown || root.childElementCount === 0) {
            shown = exit;
            if (exit < 0) {
                title.textContent = 'Before the first exit';
                title.style.removeProperty('--color');
                root.replaceChildren(make('p', {}, 'The VMM enters the guest for the first time.'));
            } else {
                const first = exitEvent[exit], list = belonging(first);
                title.textContent = `Exit ${countText(exitNumber(exit))}: ${kindOf(first).name}`;
                title.style.setProperty('--color', `var(--group${kindOf(first).group})`);
                root.replaceChildren(...section('Where the guest was', where(first)),
                    ...section('Why it came out', why(first)),
                    ...section('Who handled it', handled(list)), ...section('What it cost', cost(list)));
            }
        }
        for (const [step, node] of steps)
            node.classList.toggle('now', step === e);
    }

    return { show };
})();

const source = (() => {
    const root = byId('source'), title = byId('source-title');
    let shown = null;

    const say = (text) => root.replaceChildren(make('p', { class: 'none' }, text));

    /* The part of the file that holds a line: [first line, texts], or undefined. */
    function partOf(file, line) {
        return file[1].find(([first, lines]) => line >= first && line < first + lines.length);
    }

    /* The last place that is known: of the transfer itself, or of the exit that it belongs to. */
    function show(e) {
        const place = placeOf(e) || (exitOf[e] >= 0 ? placeOf(exitEvent[exitOf[e]]) : null);
        const key = place ? `${place.rip} ${place.line}` : '';
        if (key === shown)
            return;
        shown = key;
        title.textContent = place && place.file ? `${place.file[0]}:${place.line}` : "The guest's source";
        if (!place)
            return say('The guest has not run yet.');
        if (!place.file)
            return say(`No line of source is known for ${place.rip}. Programs of the guest are files of their own; ` +
                'hv trace --symbols FILE takes lines from FILE.');
        const part = place.file[1] && partOf(place.file, place.line);
        if (!part)
            return say(`The file ${place.file[0]} was not found when this page was made: ` +
                'hv trace --directory FOLDER says where it lies.');
        const body = make('tbody');
        part[1].forEach((text, i) => {
            const line = part[0] + i;
            const node = make('tr', line === place.line ? { class: 'now', 'aria-current': 'true' } : {},
                make('td', { class: 'line' }, String(line)), make('td', { class: 'code' }, text || ' '));
            body.append(node);
        });
        root.replaceChildren(make('table', {}, body));
        const now = root.querySelector('.now');
        root.scrollTop = now.offsetTop - root.clientHeight / 2 + now.offsetHeight / 2;
        root.scrollLeft = 0;
    }

    return { show };
})();
