// One open dashboard: its document, the data of its panels, kept new by the link. Draws nothing.
import { batch, effect, signal } from './lib.js';
import { ApiError, get } from './api.js';
import { demoData } from './demo.js';
import { watch } from './live.js';
import { mergePanel, otherSteps, stepOf } from './merge.js';
import { duration, moment, stepSeconds } from './range.js';
import { beats, link, live, moving, range, resolve, setDefaultRange, since } from './state.js';

/** A hidden page lets go of the link after this. */
const HIDDEN_MS = 60_000;
/** Every live point of the last minute is kept; older ones are thinned to the step of the history. */
const TAIL_MS = 60_000;
/** Updates that may be missed before the picture counts as stale. */
const MISSED = 3;

/** Whether a panel shows the newest value alone. @param {any} panel */
export function isLatest({ type, options = {} }) {
  if (type === 'gauge' || type === 'pie' || type === 'status_grid') return true;
  if (type === 'bar') return options.by === 'category';
  return type === 'table' && (options.spark === undefined || options.spark === null);
}

/** Until what was changed is painted; `idle`: and nothing else is to be done. A page that is not seen paints nothing. @param {boolean} idle */
const painted = (idle) => new Promise((done) => {
  const after = () => (idle && globalThis.requestIdleCallback ? requestIdleCallback(() => done(), { timeout: 100 }) : setTimeout(done));
  if (document.visibilityState === 'visible') requestAnimationFrame(after);
  else after();
});

/** Bars and cells stand on the grid of the history: no live points between. */
const onGrid = ({ type }) => type === 'bar' || type === 'heatmap';

/** @typedef {{data: import('./merge.js').PanelData|null, span: {start: number, end: number}|null, good: import('./merge.js').PanelData|null}} PanelState */

export class Board {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.doc = signal(null);
    this.failure = signal(null);
    this.demo = signal(false);
    /** Whether no panel has any data. */
    this.bare = signal(false);
    this.panels = new Map();
    this.close = () => null;
    this.kept = new Map();
    this.drawnAt = new Map();
    this.unseen = new Set();
    /** The panel that has the whole window, seen or not. */
    this.full = null;
    this.asking = null;
    this.slices = 0;
    this.early = { doc: this.askDocument(), data: this.askData() };
    this.early.doc.catch(() => null);
    this.early.data.catch(() => null);
  }

  /** The state of a panel. @param {string} id @returns {import('./lib.js').Signal} */
  panel(id) {
    if (!this.panels.has(id)) this.panels.set(id, signal({ data: null, span: null, good: null }));
    return this.panels.get(id);
  }

  /** Begins to ask and to listen. */
  start() {
    this.stopped = false;
    const ends = [
      effect(() => this.follow(range.value)),
      effect(() => this.redraw(since.value)),
      effect(() => this.listen(live.value && moving.value && !this.demo.value)),
    ];
    const seen = () => this.seen(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', seen);
    const timer = setInterval(() => this.judge(), 1000);
    this.close = () => {
      this.stopped = true;
      for (const end of ends) end();
      document.removeEventListener('visibilitychange', seen);
      clearInterval(timer);
      clearTimeout(this.retry);
      clearTimeout(this.letGo);
      this.slices += 1;
      this.asking?.abort();
      this.hangUp();
      link.value = { state: 'idle' };
    };
  }

  askDocument() {
    return get(`dashboards/${encodeURIComponent(this.id)}`);
  }

  askData(options) {
    const chosen = range.peek();
    const path = `dashboards/${encodeURIComponent(this.id)}/data`;
    if (chosen.auto) return get(path, {}, options);
    const span = resolve(chosen);
    return get(path, { start: Math.round(span.start), end: Math.round(span.end), step: `${stepSeconds(span)}s` }, options);
  }

  /** A time was chosen: the old picture stays until the new one is there. */
  follow(chosen) {
    const key = chosen.auto ? 'auto' : `${chosen.from}|${chosen.to}`;
    if (key === this.key) return;
    this.key = key;
    this.load();
  }

  /** Asks for everything. */
  async load() {
    this.asking?.abort();
    const mine = (this.asking = new AbortController());
    const { early } = this;
    this.early = null;
    clearTimeout(this.retry);
    try {
      const asked = early?.data ?? this.askData({ signal: mine.signal });
      asked.catch(() => null);
      const doc = this.doc.peek() ?? (await (early?.doc ?? this.askDocument()));
      // The frames of the panels stand while their data is on its way.
      if (!this.stopped) this.begin(doc);
      const answer = await asked;
      if (mine.signal.aborted || this.stopped) return;
      batch(() => this.take(doc, answer, this.key));
    } catch (error) {
      if (mine.signal.aborted || this.stopped) return;
      this.failed(error);
    }
  }

  failed(error) {
    const passing = !(error instanceof ApiError) || error.status === 0 || error.status >= 500;
    const doc = this.doc.peek();
    if (!doc) this.failure.value = error;
    for (const panel of doc?.panels ?? []) {
      const shown = this.panel(panel.id);
      if (!shown.peek().data) shown.value = { ...shown.peek(), data: { state: 'error', status: error.status, code: error.code, message: error.message } };
    }
    if (!passing) {
      this.hangUp();
      link.value = { state: 'idle' };
    }
    if (passing) this.retry = setTimeout(() => this.load(), 5000);
  }

  /** The document is here. */
  begin(doc) {
    if (this.doc.peek()) return;
    batch(() => {
      setDefaultRange(doc.range ?? '1h');
      this.failure.value = null;
      this.doc.value = doc;
    });
  }

  take(doc, answer, key) {
    this.failure.value = null;
    const same = key === this.takenKey;
    this.takenKey = key;
    const now = moving.peek() ? (answer.t ?? Date.now()) : Date.now();
    this.askedAt = now;
    const first = this.kept.size === 0;
    for (const panel of doc.panels) {
      const fresh = answer.panels?.[panel.id] ?? { state: 'error', message: 'The daemon sent nothing for this panel.' };
      const old = this.kept.get(panel.id);
      // What came over the link while the answer was on its way is newer than it.
      const data = same && old && old.state === 'ok' && fresh.state === 'ok' ? mergePanel(fresh, old, this.frameOf(panel, fresh, now)) : fresh;
      this.kept.set(panel.id, data);
      if (!first) this.draw(panel, data, now, true);
    }
    if (first) this.unfold(doc.panels, now);
    this.weigh();
  }

  /** The first picture of all panels, in slices between which the browser paints: the top row, what else is in view, the rest. */
  async unfold(panels, now) {
    const mine = ++this.slices;
    const top = Math.min(...panels.map((panel) => panel.y));
    const slices = [(panel) => panel.y === top, (panel) => !this.unseen.has(panel.id), () => true];
    for (const [place, isIn] of slices.entries()) {
      if (place > 0) await painted(place === slices.length - 1);
      if (mine !== this.slices || this.demo.peek()) return;
      batch(() => {
        for (const panel of panels.filter(isIn)) {
          if (!this.panel(panel.id).peek().data) this.draw(panel, this.kept.get(panel.id), this.lastFrame?.t ?? now, true);
        }
      });
    }
  }

  frameOf(panel, data, now) {
    const span = resolve(range.peek(), now);
    return { start: span.start, step: stepOf(data, stepSeconds(span) * 1e3), tail: onGrid(panel) ? -Infinity : TAIL_MS, latest: isLatest(panel) };
  }

  /** Opens or closes the link. @param {boolean} wanted */
  listen(wanted) {
    if (!wanted) {
      this.hangUp();
      link.value = { state: this.demo.peek() ? 'demo' : 'idle' };
      return;
    }
    if (this.end) return;
    if (this.paused) this.load();
    this.paused = false;
    link.value = { state: 'connecting' };
    this.end = watch(this.id, { onFrame: (frame) => this.apply(frame), onState: (state, reason) => this.linked(state, reason) });
  }

  hangUp() {
    if (this.end) this.paused = true;
    this.end?.();
    this.end = null;
    this.lastFrame = null;
  }

  linked(state, reason) {
    if (state === 'open') {
      if (this.lost) this.load();
      this.lost = false;
      link.value = { state: 'live' };
    } else {
      this.lost = true;
      link.value = { state: 'reconnecting', reason, since: link.peek().since ?? Date.now() };
    }
  }

  /** Joins a frame to what is kept and draws what changed. @param {{type: string, t: number, panels: Record<string, any>}} frame */
  apply(frame) {
    if (frame.type !== 'snapshot' && frame.type !== 'update') return;
    const at = performance.now();
    if (this.lastFrame && frame.t > this.lastFrame.t) this.interval = frame.t - this.lastFrame.t;
    this.lastFrame = { t: frame.t, at };
    if (link.peek().state !== 'live') link.value = { state: 'live' };
    const doc = this.doc.peek();
    if (!doc || document.visibilityState !== 'visible') {
      this.skipped = true;
      return;
    }
    batch(() => {
      for (const panel of doc.panels) {
        const update = frame.panels?.[panel.id];
        const base = this.kept.get(panel.id);
        if (!update || !base) continue;
        const data = mergePanel(base, update, this.frameOf(panel, base, frame.t));
        if (data === base && isLatest(panel)) continue;
        this.kept.set(panel.id, data);
        this.draw(panel, data, frame.t, false);
      }
      this.weigh();
      beats.value += 1;
    });
    this.regrid(doc, frame);
  }

  /** Asks for all again where the steps of a range that nobody chose have become longer. */
  async regrid(doc, frame) {
    if (this.regridding || !range.peek().auto) return;
    if (!doc.panels.some((panel) => otherSteps(this.kept.get(panel.id), frame.panels?.[panel.id]))) return;
    this.regridding = true;
    await this.load();
    this.regridding = false;
  }

  /** A panel came into view or left it: what is not seen is not drawn. @param {string} id @param {boolean} visible */
  look(id, visible) {
    if (!visible) {
      this.unseen.add(id);
      return;
    }
    if (!this.unseen.delete(id) || this.demo.peek()) return;
    const panel = this.doc.peek()?.panels.find((one) => one.id === id);
    const data = this.kept.get(id);
    if (panel && data) this.draw(panel, data, this.lastFrame?.t ?? Date.now(), true);
  }

  /** Shows a panel's data, no more often than its picture can tell. */
  draw(panel, data, now, atOnce) {
    const span = resolve(range.peek(), now);
    const pause = isLatest(panel) ? 0 : Math.min(15_000, (span.end - span.start) / 3600);
    if (!atOnce && this.unseen.has(panel.id) && panel.id !== this.full) return;
    if (!atOnce && now - (this.drawnAt.get(panel.id) ?? 0) < pause - 50) return;
    this.drawnAt.set(panel.id, now);
    const shown = this.panel(panel.id);
    const good = data.state === 'error' ? (data.series?.length ? data : shown.peek().good) : data;
    shown.value = { data, span, good };
  }

  /** Draws all again: it became known where the data begins. @param {number|null} begin */
  redraw(begin) {
    const doc = this.doc.peek();
    if (begin === null || !doc || this.demo.peek() || !range.peek().auto) return;
    const now = this.lastFrame?.t ?? this.askedAt ?? Date.now();
    // The data reach as far back as what is shown: nothing moves.
    if (begin <= moment(range.peek().from, now)) return;
    batch(() => doc.panels.forEach((panel) => this.kept.has(panel.id) && this.draw(panel, this.kept.get(panel.id), now, true)));
  }

  weigh() {
    if (!this.demo.peek()) this.bare.value = this.kept.size > 0 && [...this.kept.values()].every((data) => data.state === 'empty');
  }

  /** How far behind the picture is. */
  judge() {
    if (!this.end || !this.lastFrame || document.visibilityState !== 'visible') return;
    const behind = performance.now() - this.lastFrame.at;
    const interval = this.interval ?? duration(this.doc.peek()?.refresh ?? '') ?? 5000;
    if (behind <= MISSED * interval + 500) return;
    const { state, reason } = link.peek();
    link.value = { state: state === 'reconnecting' ? state : 'stale', behind, reason };
  }

  seen(visible) {
    clearTimeout(this.letGo);
    if (!visible) {
      this.letGo = setTimeout(() => this.hangUp(), HIDDEN_MS);
      return;
    }
    const wanted = live.peek() && moving.peek() && !this.demo.peek();
    if (wanted && this.skipped) this.load();
    this.skipped = false;
    if (wanted && !this.end) this.listen(true);
  }

  /** Made-up data of this page alone, or the real again. @param {boolean} on */
  showDemo(on) {
    this.demo.value = on;
    const doc = this.doc.peek();
    if (!on) {
      this.load();
      return;
    }
    const now = Date.now();
    const span = resolve({ ...range.peek(), auto: false }, now);
    batch(() => {
      this.bare.value = false;
      for (const panel of doc.panels) {
        const data = demoData(panel, span);
        this.panel(panel.id).value = { data, span, good: data };
      }
    });
  }
}

