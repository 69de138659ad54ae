'use strict';
/*
 * data.js - the recording, unpacked: what player.c wrote, as arrays.
 *
 * An event is a number from 0; all that is known of it stands in columns. An exit is a number from
 * 0, too: exitEvent[] says which event it is, exitOf[] to which exit an event belongs, as in
 * `hv trace`. Everything in here is hostile text: it goes into the page by textContent alone.
 *
 * Next: player.js.
 */

const data = JSON.parse(document.getElementById('data').textContent);

/* enum trace_class and enum picture_box of the program */
const EXIT = 0, ENTRY = 1, CALL = 2, GUEST = 3, NOTE = 4;
const BOX_DEVICE = 2;
/* enum trace_actor */
const DISPATCHER = 2, HOST = 5;

/* --- columns: base64 of seven bits a byte, the lowest first (tracer/json.h) --------------------- */

function numbers(base64, count, Type) {
    const bytes = atob(base64), to = new Type(count);
    let at = 0;
    for (let i = 0; i < count; i++) {
        let number = 0, scale = 1, byte;
        do {
            byte = bytes.charCodeAt(at++);
            number += (byte & 0x7f) * scale;
            scale *= 128;
        } while (byte & 0x80);
        to[i] = number;
    }
    return to;
}

/* Differences, with the sign in bit 0, summed up. */
function sums(base64, count) {
    const to = numbers(base64, count, Float64Array);
    let sum = 0;
    for (let i = 0; i < count; i++) {
        const n = to[i];
        sum += n % 2 ? -(n + 1) / 2 : n / 2;
        to[i] = sum;
    }
    return to;
}

const count = data.events;
const events = {
    time: sums(data.columns.time, count),
    icount: sums(data.columns.icount, count),
    kind: numbers(data.columns.kind, count, Uint8Array),
    from: numbers(data.columns.from, count, Uint8Array),
    to: numbers(data.columns.to, count, Uint8Array),
    vcpu: numbers(data.columns.vcpu, count, Uint8Array),
    place: numbers(data.columns.place, count, Uint32Array),
    text: numbers(data.columns.text, count, Uint32Array),
};

const kinds = data.kinds.map(([name, klass, text, group]) => ({ name, class: klass, text, group }));
const actors = data.actors.map(([name, box, text]) => ({ name, box, text }));
const kindNamed = (name) => kinds.findIndex((kind) => kind.name === name);
const RETURN = kindNamed('return'), CALLS = kindNamed('call'), HLT = kindNamed('hlt'), IRQ = kindNamed('irq');

/* --- exits -------------------------------------------------------------------------------------- */

const exitOf = new Int32Array(count);
const exitEvent = [];
for (let e = 0; e < count; e++) {
    if (kinds[events.kind[e]].class === EXIT)
        exitEvent.push(e);
    exitOf[e] = exitEvent.length - 1; /* -1: before the first */
}
const exitNumber = (exit) => data.first + exit;

const classOf = (e) => kinds[events.kind[e]].class;
const kindOf = (e) => kinds[events.kind[e]];
const operandsOf = (e) => data.texts[events.text[e]];

/* Where the guest was: { rip, symbol, label, code, file, line }, or null. */
function placeOf(e) {
    const row = events.place[e];
    if (row === 0)
        return null;
    const [rip, symbol, label, code, file, line] = data.places[row - 1];
    return {
        rip, symbol: data.texts[symbol], label: data.texts[label], code: data.texts[code],
        file: file < 0 ? null : data.files[file], line,
    };
}

/* --- words -------------------------------------------------------------------------------------- */

const countText = (n) => n.toLocaleString('en-US');

/* Three digits and a unit, as the program says times. */
function timeText(ns) {
    const units = ['ns', 'us', 'ms', 's'];
    let unit = 0;
    while (unit < 3 && ns >= (unit ? 999.5 : 1000)) {
        ns /= 1000;
        unit++;
    }
    return ns.toFixed(unit === 0 || ns >= 99.95 ? 0 : ns >= 9.995 ? 1 : 2) + ' ' + units[unit];
}

/* One transfer as a sentence, for the heading and for those who listen. */
function sentence(e) {
    const kind = kindOf(e), place = placeOf(e), exit = exitOf[e];
    const where = kind.class === EXIT ? `Exit ${countText(exitNumber(exit))}: ` : '';
    const from = actors[events.from[e]].name, to = actors[events.to[e]].name;
    let text = where + (from === to ? `${kind.name} in ${from}` : `${kind.name}, ${from} to ${to}`);
    if (operandsOf(e))
        text += `: ${operandsOf(e)}`;
    if (place && place.symbol)
        text += `, in ${place.symbol}`;
    return text;
}

/* --- elements: text is text, never HTML -------------------------------------------------- */

const byId = (id) => document.getElementById(id);

function make(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const key in attributes)
        node.setAttribute(key, attributes[key]);
    node.append(...children);
    return node;
}

const SVG = 'http://www.w3.org/2000/svg';
function makeSvg(name, attributes) {
    const node = document.createElementNS(SVG, name);
    for (const key in attributes)
        node.setAttribute(key, attributes[key]);
    return node;
}
