// Reading PromQL just well enough to colour it, to suggest what comes next and to take a comparison
// off its end. Pure text in, plain values out; whether an expression is right is for the daemon to say.

// A function, and what it does in a few words (an English key of the dictionaries).
export const FUNCTIONS = {
  abs: 'absolute value', absent: 'true where nothing is there', absent_over_time: 'true where nothing was there',
  acos: 'arc cosine', acosh: 'hyperbolic arc cosine', asin: 'arc sine', asinh: 'hyperbolic arc sine', atan: 'arc tangent',
  atanh: 'hyperbolic arc tangent', avg_over_time: 'mean over time', ceil: 'rounded up', changes: 'how often a value changed',
  clamp: 'held between two bounds', clamp_max: 'held below a bound', clamp_min: 'held above a bound', cos: 'cosine',
  cosh: 'hyperbolic cosine', count_over_time: 'number of samples over time', day_of_month: 'day of the month',
  day_of_week: 'day of the week', day_of_year: 'day of the year', days_in_month: 'days in the month', deg: 'radians to degrees',
  delta: 'difference of a gauge', deriv: 'slope of a gauge', exp: 'exponential', first_over_time: 'first value over time',
  floor: 'rounded down', histogram_fraction: 'share between two bounds', histogram_quantile: 'quantile of a histogram',
  hour: 'hour of the day', idelta: 'difference of the last two samples', increase: 'how much a counter grew', info: 'labels of an info metric',
  irate: 'rate of the last two samples', label_join: 'labels joined to one', label_replace: 'label made by a pattern',
  last_over_time: 'newest value over time', ln: 'natural logarithm', log10: 'decimal logarithm', log2: 'binary logarithm',
  max_over_time: 'highest over time', min_over_time: 'lowest over time', minute: 'minute of the hour', month: 'month of the year',
  pi: 'the number pi', predict_linear: 'straight-line forecast', present_over_time: 'true where something was there',
  quantile_over_time: 'quantile over time', rad: 'degrees to radians', rate: 'growth a second of a counter', resets: 'how often a counter began anew',
  round: 'rounded', scalar: 'one series as a number', sgn: 'sign', sin: 'sine', sinh: 'hyperbolic sine', sort: 'sorted, smallest first',
  sort_desc: 'sorted, largest first', sqrt: 'square root', stddev_over_time: 'standard deviation over time',
  stdvar_over_time: 'variance over time', sum_over_time: 'sum over time', tan: 'tangent', tanh: 'hyperbolic tangent',
  time: 'the time of evaluation', timestamp: 'time of the sample', vector: 'a number as one series', year: 'year',
};

export const AGGREGATIONS = {
  sum: 'sum over series', avg: 'mean over series', min: 'smallest over series', max: 'largest over series', count: 'number of series',
  topk: 'the largest k series', bottomk: 'the smallest k series', quantile: 'quantile over series', stddev: 'standard deviation over series',
  stdvar: 'variance over series', count_values: 'number of series by value', group: 'one for every group',
};

export const KEYWORDS = {
  by: 'keep these labels', without: 'drop these labels', on: 'match on these labels', ignoring: 'match on all labels but these',
  group_left: 'many on the left', group_right: 'many on the right', bool: 'answer 0 or 1', offset: 'look back by', and: 'where both are',
  or: 'either', unless: 'where the right is not',
};

const SHAPES = [
  ['space', /^\s+/],
  ['comment', /^#[^\n]*/],
  ['string', /^"(?:\\.|[^"\\\n])*"?/],
  ['string', /^'(?:\\.|[^'\\\n])*'?/],
  ['string', /^`[^`]*`?/],
  ['duration', /^(?:\d+(?:ms|[smhdwy]))+(?![\w.])/],
  ['number', /^(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?![\w.])/i],
  ['variable', /^\$__\w+/],
  ['name', /^[a-zA-Z_:][\w:]*/],
  ['op', /^(?:==|!=|<=|>=|=~|!~|[-+*/%^<>=@,(){}[\]:])/],
  ['other', /^[^]/],
];
const CLOSES = { '(': ')', '{': '}', '[': ']' };

// `[{type, text, start, end, depth}]`; the texts joined give `text` again. `depth` counts open brackets, braces alone too.
export function tokens(text) {
  const found = [];
  let at = 0, open = [];
  while (at < text.length) {
    const rest = text.slice(at);
    const [type, match] = SHAPES.map(([name, shape]) => [name, shape.exec(rest)]).find(([, hit]) => hit);
    const token = { type, text: match[0], start: at, end: at + match[0].length };
    if (type === 'op' && CLOSES[open.at(-1)] === token.text) open = open.slice(0, -1);
    token.depth = open.length;
    token.inside = open.at(-1) ?? '';
    if (type === 'op' && CLOSES[token.text]) open = [...open, token.text];
    found.push(token);
    at = token.end;
  }
  return found;
}

// The tokens with a `role` for colours: keyword function metric label string number op comment space.
export function coloured(text) {
  const list = tokens(text);
  const solid = list.filter((token) => token.type !== 'space' && token.type !== 'comment');
  const grouping = groupings(solid);
  return list.map((token) => {
    const next = solid[solid.indexOf(token) + 1]?.text;
    return { ...token, role: roleOf(token, next, grouping) };
  });
}

// The names that stand in `by (…)`, `on (…)` and the like.
function groupings(solid) {
  const names = new Set();
  solid.forEach((token, i) => {
    if (!['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'].includes(token.text) || solid[i + 1]?.text !== '(') return;
    for (let k = i + 2; k < solid.length && solid[k].text !== ')'; k += 1) names.add(solid[k]);
  });
  return names;
}

function roleOf(token, next, grouping) {
  if (token.type === 'duration' || token.type === 'variable') return 'number';
  if (token.type !== 'name') return token.type;
  if (token.inside === '{' || grouping.has(token)) return 'label';
  if (next === '(' && Object.hasOwn(FUNCTIONS, token.text)) return 'function';
  if (Object.hasOwn(KEYWORDS, token.text) || Object.hasOwn(AGGREGATIONS, token.text)) return 'keyword';
  return /^(?:inf|nan)$/i.test(token.text) ? 'number' : 'metric';
}

// What may be written at `caret`: `{kind: 'name'|'label'|'value'|'duration', from, to, prefix, metric?, label?}` or null inside a
// comment. `from`..`to` is what a suggestion replaces.
export function askingAt(text, caret) {
  const list = tokens(text);
  const at = list.findLast((token) => token.start < caret);
  if (at?.type === 'comment') return null;
  const within = at && caret <= at.end && ['name', 'string', 'duration', 'number'].includes(at.type) ? at : null;
  const solid = list.filter((token) => token.type !== 'space' && token.type !== 'comment' && token.end <= (within ? within.start : caret));
  const before = solid.at(-1);
  if (within?.type === 'string') return valueAt(text, within, solid, caret);
  const word = within?.type === 'name' ? within : null;
  const place = { from: word ? word.start : caret, to: word ? word.end : caret, prefix: word ? text.slice(word.start, caret) : '' };
  const inside = insideAt(solid);
  if (within?.type === 'number' && inside !== '[') return null;
  if (inside === '[') return { kind: 'duration', ...place };
  if (inside === '{') return before?.text === '{' || before?.text === ',' ? { kind: 'label', ...place, metric: metricBefore(solid) } : null;
  if (inside === '(' && groupsLabels(solid)) return { kind: 'label', ...place, metric: anyMetric(list) };
  if (before && (before.type !== 'op' || Object.values(CLOSES).includes(before.text))) return { kind: 'name', ...place, after: true };
  return { kind: 'name', ...place };
}

function valueAt(text, token, solid, caret) {
  const [label, op] = solid.slice(-2);
  if (insideAt(solid) !== '{' || op?.type !== 'op' || label?.type !== 'name') return null;
  const closed = token.text.length > 1 && token.text.endsWith(token.text[0]);
  if (closed && caret === token.end) return null;
  return {
    kind: 'value', from: token.start + 1, to: closed ? token.end - 1 : token.end, prefix: text.slice(token.start + 1, caret),
    label: label.text, metric: metricBefore(solid),
  };
}

function insideAt(solid) {
  const last = solid.at(-1);
  return last?.type === 'op' && CLOSES[last.text] ? last.text : last?.inside ?? '';
}

function metricBefore(solid) {
  const brace = solid.findLastIndex((token) => token.text === '{' && token.type === 'op');
  const name = solid[brace - 1];
  return name?.type === 'name' ? name.text : null;
}

function groupsLabels(solid) {
  const open = solid.findLastIndex((token) => token.text === '(');
  return ['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'].includes(solid[open - 1]?.text);
}

function anyMetric(list) {
  return coloured(list.map((token) => token.text).join('')).find((token) => token.role === 'metric')?.text ?? null;
}

// The suggestions for `asked` out of what is known: `[{text, note, insert, move}]`, best first, at most `limit`.
// `known`: `{metrics: [{name, note}], labels: [..], values: [..]}`. `move`: how far the caret goes back after inserting.
export function suggestions(asked, known, limit = 8) {
  if (!asked) return [];
  const pick = (list) => ranked(list, asked.prefix).slice(0, limit);
  if (asked.kind === 'label') return pick(known.labels.map((text) => ({ text, note: 'label', insert: text })));
  if (asked.kind === 'value') return pick(known.values.map((text) => ({ text, note: asked.label, insert: text.replace(/["\\]/g, '\\$&') })));
  if (asked.kind === 'duration') return pick(['1m', '5m', '15m', '1h', '6h', '1d', '$__rate_interval'].map((text) => ({ text, note: 'duration', insert: text })));
  const call = ([text, note]) => ({ text, note, insert: `${text}()`, move: 1 });
  const words = Object.entries(KEYWORDS).map(([text, note]) => ({ text, note, insert: `${text} ` }));
  if (asked.after) return asked.prefix ? pick(words) : [];
  return pick([
    ...words,
    ...Object.entries(FUNCTIONS).map(call),
    ...Object.entries(AGGREGATIONS).map(call),
    ...known.metrics.map(({ name, note }) => ({ text: name, note, insert: name, metric: true })),
  ]);
}

function ranked(list, prefix) {
  const wanted = prefix.toLowerCase();
  if (!wanted) return list;
  const score = ({ text }) => {
    const low = text.toLowerCase();
    return low === wanted ? 0 : low.startsWith(wanted) ? 1 : low.includes(`_${wanted}`) ? 2 : low.includes(wanted) ? 3 : 9;
  };
  return list.map((item) => [score(item), item]).filter(([rank]) => rank < 9)
    .sort(([a, x], [b, y]) => a - b || x.text.length - y.text.length || (x.text < y.text ? -1 : 1)).map(([, item]) => item);
}

// `x > 5` at the top of an expression: `{left, op, threshold}`; null where it ends otherwise (or in `bool`, `and`, `or`, `unless`).
export function comparison(expr) {
  const solid = tokens(expr).filter((token) => token.type !== 'space' && token.type !== 'comment');
  const outer = unwrapped(solid);
  if (!outer.length) return null;
  const depth = Math.min(...outer.map((token) => token.depth));
  if (outer.some((token) => token.depth === depth && ['and', 'or', 'unless'].includes(token.text) && token.type === 'name')) return null;
  const at = outer.findLastIndex((token) => token.depth === depth && token.type === 'op' && ['>', '<', '>=', '<=', '==', '!='].includes(token.text));
  if (at < 1) return null;
  const sign = outer[at + 1]?.text === '-' ? -1 : 1;
  const right = outer.slice(at + (sign < 0 ? 2 : 1));
  const divided = right.length === 3 && ['*', '/'].includes(right[1].text);
  const numbers = right.filter((_, i) => i % 2 === 0).map((token) => numeric(token));
  if (!(right.length === 1 || divided) || numbers.some((n) => n === null)) return null;
  const threshold = sign * (divided ? (right[1].text === '*' ? numbers[0] * numbers[1] : numbers[0] / numbers[1]) : numbers[0]);
  return { left: expr.slice(outer[0].start, outer[at - 1].end).trim(), op: outer[at].text, threshold };
}

function numeric(token) {
  return token.type === 'number' && Number.isFinite(Number(token.text)) ? Number(token.text) : null;
}

// Takes brackets off that stand round everything.
function unwrapped(solid) {
  let list = solid;
  while (list[0]?.text === '(' && list.at(-1)?.text === ')' && list.slice(1, -1).every((token) => token.depth > list[0].depth)) list = list.slice(1, -1);
  return list;
}

// Where a message such as `1:5: parse error: …` points: the offset in `text`, or null.
export function placeOf(message, text) {
  const counted = /at character (\d+)/.exec(message ?? '');
  if (counted && Number(counted[1]) >= 1 && Number(counted[1]) <= text.length + 1) return Number(counted[1]) - 1;
  const hit = /(?:^|\D)(\d+):(\d+)(?:\D|$)/.exec(message ?? '');
  if (!hit) return /unclosed|unterminated/i.test(message ?? '') ? unclosed(text) : null;
  const [line, column] = [Number(hit[1]), Number(hit[2])];
  const lines = text.split('\n');
  if (line < 1 || line > lines.length || column < 1 || column > lines[line - 1].length + 1) return null;
  return lines.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0) + column - 1;
}

// The last bracket that nothing closes, or the string that does not end.
function unclosed(text) {
  const open = [];
  for (const token of tokens(text)) {
    if (token.type === 'string' && (token.text.length < 2 || !token.text.endsWith(token.text[0]))) return token.start;
    if (token.type !== 'op') continue;
    if (CLOSES[token.text]) open.push(token);
    else if (CLOSES[open.at(-1)?.text] === token.text) open.pop();
  }
  return open.at(-1)?.start ?? null;
}
