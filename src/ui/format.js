// Numbers, units and times as people read them. Knows nothing of the page: the language is told with `setLocale`.

let locale = 'en';
const numbers = new Map();
const months = new Map();

const NONE = '–';
const SCALES = {
  decimal: [[1e18, 'E'], [1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'], [1, '']],
  seconds: [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's'], [1e-3, 'ms'], [1e-6, 'µs'], [1e-9, 'ns']],
};

// How a unit is written. `scale`: steps go before the symbol; `compact`: they go to the number from a million on; `most`: decimals.
const UNITS = {
  percent: { symbol: '%', most: 2 },
  ratio: { symbol: '%', factor: 100, most: 2 },
  bytes: { symbol: 'B', scale: 'decimal' },
  'bytes/s': { symbol: 'B/s', scale: 'decimal' },
  'bits/s': { symbol: 'bit/s', scale: 'decimal' },
  seconds: { symbol: '', scale: 'seconds' },
  'ops/s': { symbol: 'ops/s', compact: true },
  'requests/s': { symbol: 'req/s', compact: true },
  count: { symbol: '', compact: true },
  celsius: { symbol: '°C' },
  eur: { symbol: '€', money: true, compact: true },
  usd: { symbol: '$', money: true, compact: true },
};

/** Sets the language of figures and months (`en`, `es`, or any BCP 47 tag; an unknown one means English). */
export function setLocale(tag) {
  let next = 'en';
  try {
    next = Intl.getCanonicalLocales(tag)[0] ?? 'en';
  } catch { /* not a language tag */ }
  if (next !== locale) {
    locale = next;
    numbers.clear();
    months.clear();
  }
}

/** What a unit's name means here; a name that is not known is written after the number as it is. */
function unitOf(name) {
  const key = typeof name === 'string' ? name.trim() : '';
  if (key === '' || key === 'none') return UNITS.count;
  return Object.hasOwn(UNITS, key) ? UNITS[key] : { symbol: key, compact: true };
}

/** A number from what the interface sends: a number, `"NaN"`, `"+Inf"`, `"-Inf"`, null. Anything else is NaN. */
export function parseValue(value) {
  if (typeof value === 'number') return value;
  if (value === '+Inf' || value === 'Inf') return Infinity;
  if (value === '-Inf') return -Infinity;
  if (typeof value !== 'string' || value.trim() === '') return NaN;
  return Number(value);
}

/** Decimals that leave three significant digits of `size`; none where the number is whole. */
function decimalsFor(value, size) {
  if (value === 0) return 0;
  if (size >= 100) return 0;
  if (size >= 10) return 1;
  if (size >= 1) return 2;
  return Math.min(6, 2 - Math.floor(Math.log10(size)));
}

/** A number in the reader's language with at most (`steady`: exactly) so many decimals. */
function number(value, decimals, steady) {
  const text = locale === 'en' ? english(value, decimals, steady) : local(value, decimals, steady);
  return text.startsWith('-') ? `−${text.slice(1)}` : text;
}

/** The browser's own way with a language takes its time at first: the first picture is not to wait for it. */
function english(value, decimals, steady) {
  const [whole, part = ''] = value.toFixed(decimals).split('.');
  const rest = steady ? part : part.replace(/0+$/, '');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (rest && `.${rest}`);
}

function local(value, decimals, steady) {
  const key = steady ? decimals : -1 - decimals;
  let found = numbers.get(key);
  if (!found) {
    found = new Intl.NumberFormat(locale, { minimumFractionDigits: steady ? decimals : 0, maximumFractionDigits: decimals, useGrouping: 'always' });
    numbers.set(key, found);
  }
  return found.format(value);
}

/** The step of a scale that `size` belongs to. What rounds up to the next step belongs to that. */
function stepOf(scale, size) {
  const steps = SCALES[scale];
  if (!(size > 0)) return scale === 'seconds' ? [1, 's'] : [1, ''];
  return steps.find(([at]) => size >= at * 0.9995) ?? steps.at(-1);
}

/** Number and step ("1.84", "M") of a value; `decimals` fixes the digits behind the point. */
function scaled(value, size, unit, decimals) {
  const spec = { factor: 1, most: 6, ...unit };
  const real = value * spec.factor;
  const reach = size * spec.factor;
  let step = [1, ''];
  if (spec.scale) step = stepOf(spec.scale, reach);
  else if (spec.compact && reach >= 1e6) step = stepOf('decimal', reach);
  const shown = real / step[0];
  return { shown, step: step[1], decimals: decimals ?? Math.min(spec.most, decimalsFor(shown, Math.abs(shown))) };
}

function tiny(shown, decimals) {
  return shown !== 0 && decimals === undefined && Math.abs(shown) < 1e-6;
}

/**
 * A value as text and, apart, its unit: `{text: "412", unit: "MB"}`. Three significant digits unless `decimals` is given;
 * `steady` keeps zeros at the end, so that a live figure does not change its width. Currencies have their sign in the
 * text. No number is a dash, infinities are `∞`.
 */
export function formatValue(raw, unitName, { decimals, steady = false } = {}) {
  const value = parseValue(raw);
  const unit = unitOf(unitName);
  if (Number.isNaN(value)) return { text: NONE, unit: '' };
  if (!Number.isFinite(value)) return { text: value > 0 ? '∞' : '−∞', unit: unit.scale || unit.money ? '' : unit.symbol };
  const parts = scaled(value, Math.abs(value), unit, decimals);
  if (unit.money) return { text: money(parts, unit, decimals), unit: '' };
  if (unit.most === undefined && tiny(parts.shown, decimals)) return { text: parts.shown.toExponential(1), unit: unit.symbol };
  if (Math.abs(parts.shown) >= 1e6) return { text: parts.shown.toExponential(2), unit: parts.step + unit.symbol };
  const text = number(parts.shown, parts.decimals, steady || decimals !== undefined);
  if (unit.scale === 'seconds') return { text, unit: parts.step };
  if (unit.scale) return { text, unit: parts.step + unit.symbol };
  return { text: text + parts.step, unit: unit.symbol };
}

function money(parts, unit, decimals) {
  const places = decimals ?? (parts.step || Math.abs(parts.shown) < 1000 ? 2 : 0);
  const size = Math.abs(parts.shown);
  const text = (size < 1e6 ? number(size, places, true) : size.toExponential(2)) + parts.step;
  const sign = parts.shown < 0 ? '−' : '';
  return locale.startsWith('en') ? `${sign}${unit.symbol}${text}` : `${sign}${text} ${unit.symbol}`;
}

/** A value with its unit in one text: `12.3%`, `412 MB`, `€37.55`. */
export function formatText(raw, unitName, options) {
  const { text, unit } = formatValue(raw, unitName, options);
  if (!unit) return text;
  return unit === '%' ? `${text}%` : `${text} ${unit}`;
}

/** Labels of an axis: all in one step of the unit, with the digits that tell neighbours apart. */
export function axisFormat(values, unitName) {
  const unit = unitOf(unitName);
  const finite = values.filter(Number.isFinite);
  if (!finite.length) return values.map(() => '');
  const size = Math.max(...finite.map(Math.abs));
  const factor = unit.factor ?? 1;
  const compact = unit.compact && size >= 10_000;
  const step = unit.scale ? stepOf(unit.scale, size * factor) : compact ? stepOf('decimal', size) : [1, ''];
  const shown = finite.map((value) => (value * factor) / step[0]);
  const decimals = decimalsOfSteps(shown);
  return values.map((value) => {
    if (!Number.isFinite(value)) return '';
    const real = (value * factor) / step[0];
    return axisLabel(Math.abs(real) < 1e6 ? number(real, decimals, false) : real.toExponential(1), value, step[1], unit);
  });
}

function axisLabel(text, value, step, unit) {
  if (unit.money) {
    const amount = text.replace('−', '') + step;
    const sign = value < 0 ? '−' : '';
    return locale.startsWith('en') ? sign + unit.symbol + amount : `${sign}${amount} ${unit.symbol}`;
  }
  if (unit.symbol === '%') return `${text}%`;
  if (unit.scale) return value === 0 ? text : `${text} ${step}${unit.symbol}`;
  if (unit.symbol.length && unit.symbol.length <= 2) return `${text}${step} ${unit.symbol}`;
  return text + (value === 0 ? '' : step);
}

/** The fewest decimals with which every value is told apart as it is. */
function decimalsOfSteps(values) {
  const size = Math.max(...values.map(Math.abs), 1e-12);
  for (let places = 0; places < 6; places += 1) {
    const unit = 10 ** places;
    if (values.every((value) => Math.abs(Math.round(value * unit) / unit - value) < size * 1e-6)) return places;
  }
  return 6;
}

const two = (value) => String(value).padStart(2, '0');

function monthName(date) {
  const month = date.getMonth();
  if (!months.has(month)) months.set(month, new Intl.DateTimeFormat(locale, { month: 'short' }).format(date).replace('.', ''));
  return months.get(month);
}

/** Local time of day: `14:05`, or `14:05:30`. */
export function formatClock(ms, { seconds = false } = {}) {
  const date = new Date(ms);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return seconds ? `${clock}:${two(date.getSeconds())}` : clock;
}

/** Local day: `3 Dec`, with the year where it is asked for. */
export function formatDay(ms, { year = false } = {}) {
  const date = new Date(ms);
  const day = `${date.getDate()} ${monthName(date)}`;
  return year ? `${day} ${date.getFullYear()}` : day;
}

/** Local month and year: `Dec 2026`. */
export function formatMonth(ms) {
  const date = new Date(ms);
  return `${monthName(date)} ${date.getFullYear()}`;
}

/** A moment, as exact as a picture that spans `spanMs` lets one see. No time is a dash. */
export function formatTime(ms, spanMs = 0) {
  if (!Number.isFinite(ms)) return NONE;
  if (spanMs <= 3_600_000) return formatClock(ms, { seconds: true });
  if (spanMs <= 129_600_000) return formatClock(ms);
  if (spanMs <= 1_209_600_000) return `${formatDay(ms)} ${formatClock(ms)}`;
  if (spanMs <= 34_560_000_000) return formatDay(ms);
  return formatDay(ms, { year: true });
}

/** A stretch of time in its two largest units: `3 d 4 h`, `6 min 12 s`, `45 s`, `250 ms`. */
export function formatDuration(seconds) {
  if (!Number.isFinite(seconds)) return NONE;
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? '−' : '';
  if (size < 1) return sign + formatText(size, 'seconds');
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  let rest = Math.round(size);
  const first = units.findIndex(([, length]) => rest >= length);
  const parts = [];
  for (const [name, length] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count) parts.push(`${count} ${name}`);
  }
  return sign + parts.join(' ');
}
