/*
 * filter.js - which events are rows of the ladder: exits for the chosen reasons, and of what repeats
 * only the first turn. What follows an exit is shown or hidden with it.
 *
 * Next: ladder.js draws the rows, player.js moves among them.
 */

const filter = (() => {
    const PERIOD = 16; /* the longest cycle that is found, in exits */
    const self = { chosen: new Set(), folding: false, shows, choose, rowOf, rows, eventAt, foldAt };
    const hidden = new Uint8Array(exitEvent.length); /* exits */
    const folds = new Map(); /* by each exit of a first turn: { turns, first: event, from, to: exits } */
    let list = null; /* events that are shown, in order; null: all */

    const isChosen = (exit) => self.chosen.size === 0 || self.chosen.has(events.kind[exitEvent[exit]]);

    /* --- repeats, as in the program's ladder.c, but of whole exits ------------------------------- */

    /* Equal for exits that look alike: the same transfers, of whatever values. */
    function signatures(exits) {
        const texts = new Map();
        const alike = data.texts.map((text) => {
            const key = text.replace(/ (<-|->|at 0x).*/, '');
            if (!texts.has(key))
                texts.set(key, texts.size);
            return texts.get(key);
        });
        return Int32Array.from(exits, (exit) => {
            const end = exit + 1 < exitEvent.length ? exitEvent[exit + 1] : count;
            let sum = 0;
            for (let e = exitEvent[exit]; e < end; e++)
                for (const n of [events.kind[e] << 16 | events.from[e] << 8 | events.to[e], events.vcpu[e],
                    alike[events.text[e]]]) {
                    sum = Math.imul(sum ^ n, 0x9e3779b1);
                    sum ^= sum >>> 15;
                }
            return sum;
        });
    }

    /* For each period p, where the run of exits that equal the one p later ends: as the search only
     * moves forward, each exit is compared once for each period. */
    function findFolds() {
        const exits = exitEvent.map((e, exit) => exit).filter(isChosen);
        const sign = signatures(exits), ends = new Int32Array(PERIOD + 1), n = exits.length;
        const runEnd = (at, p) => {
            let end = Math.max(ends[p], at);
            while (end + p < n && sign[end] === sign[end + p])
                end++;
            return ends[p] = end;
        };
        for (let at = 0; at < n;) {
            let covered = 0, best = 0;
            for (let p = 1; p <= PERIOD && at + 2 * p <= n; p++) {
                const turns = Math.floor((runEnd(at, p) - at) / p) + 1;
                if (turns >= 2 && (turns - 1) * p >= 2 && turns * p > covered) {
                    covered = turns * p;
                    best = p;
                }
            }
            if (best) {
                const fold = { turns: covered / best, first: exitEvent[exits[at]], from: exits[at],
                    to: exits[at + covered - 1] };
                for (let i = at; i < at + best; i++)
                    folds.set(exits[i], fold);
                for (let i = at + best; i < at + covered; i++)
                    hidden[exits[i]] = 1;
            }
            at += covered || 1;
        }
    }

    /* --- rows ------------------------------------------------------------------------------------ */

    function shows(e) {
        const exit = exitOf[e];
        return exit < 0 ? self.chosen.size === 0 : isChosen(exit) && !hidden[exit];
    }

    /* After `chosen` or `folding` was changed. */
    function choose() {
        hidden.fill(0);
        folds.clear();
        list = null;
        if (self.folding)
            findFolds();
        if (self.chosen.size === 0 && !self.folding)
            return;
        list = new Int32Array(count);
        let n = 0;
        for (let e = 0; e < count; e++)
            if (shows(e))
                list[n++] = e;
        list = list.subarray(0, n);
    }

    /* The first row at or after an event. */
    function rowOf(e) {
        if (!list)
            return e;
        let low = 0, high = list.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (list[middle] < e)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    function rows() { return list ? list.length : count; }
    function eventAt(row) { return list ? list[row] : row; }
    /* What an event's exit stands for, if it is the first of several that are alike; or null. */
    function foldAt(e) { return folds.get(exitOf[e]) || null; }

    return self;
})();
