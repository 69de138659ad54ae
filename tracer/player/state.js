/*
 * state.js - the state picture: which arrow is lit.
 *
 * Graphviz drew it when the page was made. It is taken in element by element, and only what a
 * picture needs: no script, no link, no style. Its colours become those of the style sheet, so that
 * they follow light and dark. An arrow of the program's view_state.c has the name edge-FROM-TO-KIND,
 * ...-KIND-CALL for a process's system call, or ...-more where several were merged; 64 stands for
 * actors that were merged.
 */

const picture = (() => {
    const ELEMENTS = ['svg', 'g', 'path', 'polygon', 'polyline', 'ellipse', 'text'];
    const ATTRIBUTES = ['class', 'd', 'points', 'x', 'y', 'cx', 'cy', 'rx', 'ry', 'viewBox', 'transform',
        'stroke-width', 'stroke-dasharray', 'text-anchor', 'font-size', 'font-weight'];
    const OTHERS = 64;
    const box = byId('picture'), now = byId('now');
    const byName = new Map();
    let lit = [];

    const colors = { white: '--paper', black: '--ink', '#000000': '--ink', '#444444': '--line', '#555555': '--dim' };
    data.boxes.forEach(([, , fill, line], i) => {
        colors[fill] = `--box${i}`;
        colors[line] = `--boxline${i}`;
    });
    data.groups.forEach(([color], i) => { if (!colors[color]) colors[color] = `--group${i}`; });

    /* A copy of an element of the drawing, or null. */
    function copy(from) {
        const name = from.localName === 'a' ? 'g' : from.localName;
        if (from.namespaceURI !== SVG || !ELEMENTS.includes(name))
            return null;
        const to = makeSvg(name);
        for (const key of ATTRIBUTES)
            if (from.hasAttribute(key))
                to.setAttribute(key, from.getAttribute(key));
        for (const key of ['fill', 'stroke']) {
            const color = from.getAttribute(key);
            if (color === 'none' || color === 'transparent')
                to.style[key] = 'none';
            else if (colors[color])
                to.style[key] = `var(${colors[color]})`;
        }
        if (from.id)
            byName.set(from.id, to);
        if (from.localName === 'a') { /* its tooltip */
            const title = makeSvg('title');
            title.textContent = from.getAttributeNS('http://www.w3.org/1999/xlink', 'title') || '';
            to.append(title);
        }
        if (name === 'text')
            to.textContent = from.textContent;
        else
            for (const child of from.children)
                to.append(copy(child) || '');
        return to;
    }

    function take() {
        const svg = data.picture &&
            copy(new DOMParser().parseFromString(data.picture, 'image/svg+xml').documentElement);
        if (!svg) {
            const why = data.why || 'there is nothing to draw';
            box.replaceChildren(make('p', { class: 'notice' }, `No state picture: ${why}.`));
            return;
        }
        const [, , width, height] = (svg.getAttribute('viewBox') || '0 0 1 1').split(/\s+/).map(Number);
        svg.style.setProperty('--width', `${width}px`);
        svg.style.aspectRatio = `${width} / ${height}`;
        svg.setAttribute('role', 'img');
        svg.setAttribute('aria-label', 'Who hands control to whom; the arrow of the current transfer is lit');
        for (const [name, node] of byName)
            if (name.startsWith('edge-'))
                node.addEventListener('click', () => nextOn(node));
        box.replaceChildren(svg);
    }

    function actor(number) {
        return byName.get(`actor-${number}`) || byName.get(`actor-${OTHERS}`);
    }

    /* The arrow of an event. A return is the way back on the arrow of its call. */
    function edge(e) {
        const from = events.from[e], to = events.to[e], name = kindOf(e).name;
        const known = (a) => byName.has(`actor-${a}`) ? a : OTHERS;
        const ends = [`${known(from)}-${known(to)}`];
        if (events.kind[e] === RETURN) {
            const call = byName.get(`edge-${known(to)}-${known(from)}-call`);
            if (call)
                return call;
            ends.push(`${known(to)}-${known(from)}`);
        }
        const call = /^\w+(?=\()/.exec(operandsOf(e)); /* "getuid()": an arrow for each call */
        for (const pair of ends) {
            const found = call && byName.get(`edge-${pair}-${name}-${call[0]}`) ||
                byName.get(`edge-${pair}-${name}`) || byName.get(`edge-${pair}-more`);
            if (found)
                return found;
        }
        return null;
    }

    function nextOn(node) {
        for (let i = 1; i <= count; i++) {
            const e = (player.event + i) % count;
            if (edge(e) === node && filter.shows(e))
                return player.go(e);
        }
    }

    /* The arrow's line once more below it, broad: seen from the last row of a lecture hall. */
    function light(e) {
        for (const node of lit) {
            node.classList.remove('lit', 'back');
            for (const halo of node.querySelectorAll('.halo'))
                halo.remove();
        }
        lit = [edge(e), actor(events.to[e])].filter(Boolean);
        for (const node of lit) {
            const line = node.classList.contains('edge') && node.querySelector('path');
            node.classList.add('lit');
            node.classList.toggle('back', events.kind[e] === RETURN);
            if (line) {
                const halo = makeSvg('path', { class: 'halo', d: line.getAttribute('d') });
                line.before(halo);
            }
        }
        now.textContent = sentence(e);
        now.style.setProperty('--color', `var(--group${kindOf(e).group})`);
        follow();
    }

    /* On a narrow screen the picture is wider than its frame. */
    function follow() {
        if (!lit.length || box.scrollWidth <= box.clientWidth)
            return;
        const inner = lit[0].getBoundingClientRect(), outer = box.getBoundingClientRect();
        box.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    }

    function legend() {
        const used = new Set();
        for (let e = 0; e < count; e++)
            if (classOf(e) !== NOTE || events.kind[e] === IRQ)
                used.add(kindOf(e).group);
        const order = data.groups.map((group, i) => i).filter((i) => i && used.has(i));
        if (used.has(0))
            order.push(0);
        byId('legend').replaceChildren(...order.map((i) => {
            const mark = make('span', { class: 'swatch', 'aria-hidden': 'true' });
            mark.style.background = `var(--group${i})`;
            return make('li', {}, mark, data.groups[i][1]);
        }));
    }

    take();
    legend();
    return { light };
})();
