// Figures, units and times are written as people read them. Guards against a value without its unit, digits nobody
// needs, and a text for what is no number.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { axisFormat, formatDuration, formatText, formatTime, formatValue, parseValue, setLocale } from '../../src/ui/format.js';

process.env.TZ = 'Europe/Madrid';
afterEach(() => setLocale('en'));

test('values come as numbers and as the words for what is no number', () => {
  assert.equal(parseValue(1.5), 1.5);
  assert.equal(parseValue('+Inf'), Infinity);
  assert.equal(parseValue('-Inf'), -Infinity);
  assert.equal(parseValue('2.5'), 2.5);
  for (const none of ['NaN', null, undefined, '', ' ', 'abc', {}, []]) assert.ok(Number.isNaN(parseValue(none)), String(none));
});

test('a value and its unit are apart, with three digits', () => {
  assert.deepEqual(formatValue(412e6, 'bytes'), { text: '412', unit: 'MB' });
  assert.deepEqual(formatValue(9.8e9, 'bytes'), { text: '9.8', unit: 'GB' });
  assert.deepEqual(formatValue(0, 'bytes'), { text: '0', unit: 'B' });
  assert.deepEqual(formatValue(1234, 'bytes/s'), { text: '1.23', unit: 'kB/s' });
  assert.deepEqual(formatValue(64e6, 'bits/s'), { text: '64', unit: 'Mbit/s' });
  assert.deepEqual(formatValue(23.84, 'percent'), { text: '23.8', unit: '%' });
  assert.deepEqual(formatValue(0.4217, 'ratio'), { text: '42.2', unit: '%' });
  assert.deepEqual(formatValue(21.46, 'celsius'), { text: '21.5', unit: '°C' });
  assert.deepEqual(formatValue(38.24, 'requests/s'), { text: '38.2', unit: 'req/s' });
  assert.deepEqual(formatValue(7, 'widgets'), { text: '7', unit: 'widgets' });
});

test('seconds take the unit that fits them', () => {
  const written = [2e-7, 0.0000123, 0.0042, 0.214, 1.5, 90, 5400, 259200].map((value) => formatText(value, 'seconds'));
  assert.deepEqual(written, ['200 ns', '12.3 µs', '4.2 ms', '214 ms', '1.5 s', '1.5 min', '1.5 h', '3 d']);
});

test('a value that rounds up to the next step is written in that step', () => {
  assert.equal(formatText(999.99e3, 'bytes'), '1 MB');
  assert.equal(formatText(59.99, 'seconds'), '1 min');
});

test('shares have two decimals at most', () => {
  assert.equal(formatText(0.0264, 'percent'), '0.03%');
  assert.equal(formatText(0.000001, 'ratio'), '0%');
});

test('counts keep all their digits until they are millions', () => {
  assert.equal(formatText(48210, 'count'), '48,210');
  assert.equal(formatText(1842000, ''), '1.84M');
  assert.equal(formatText(12, undefined), '12');
});

test('money has its sign where the language puts it', () => {
  assert.equal(formatText(48210, 'eur'), '€48,210');
  assert.equal(formatText(37.5, 'usd'), '$37.50');
  assert.equal(formatText(-12, 'eur'), '−€12.00');
  setLocale('es');
  assert.equal(formatText(48210, 'eur'), '48.210 €');
});

test('figures follow the language, and an unknown one is English', () => {
  setLocale('es');
  assert.equal(formatText(1234.5, 'widgets'), '1.235 widgets');
  assert.equal(formatText(2.25, 'percent'), '2,25%');
  setLocale('not a language');
  assert.equal(formatText(2.25, 'percent'), '2.25%');
});

test('what is no number is a dash, and what has no end a sign', () => {
  assert.deepEqual(formatValue('NaN', 'bytes'), { text: '–', unit: '' });
  assert.deepEqual(formatValue(null, 'percent'), { text: '–', unit: '' });
  assert.equal(formatText('+Inf', 'percent'), '∞%');
  assert.equal(formatText('-Inf', 'seconds'), '−∞');
});

test('very large and very small values stay short', () => {
  for (const value of [3e21, 1e300, -4e30, 5e-9, 1e-300, -2e-12]) {
    for (const unit of ['bytes', 'count', 'percent', 'seconds', 'celsius', 'eur', 'other']) {
      assert.ok(formatText(value, unit).length < 20, `${value} ${unit}: ${formatText(value, unit)}`);
    }
  }
});

test('decimals that are asked for are kept, and a steady figure keeps its width', () => {
  assert.equal(formatText(4, 'percent', { decimals: 2 }), '4.00%');
  assert.equal(formatText(12, 'percent', { steady: true }), '12.0%');
  assert.equal(formatText(12, 'percent'), '12%');
});

test('labels of an axis share one step of their unit', () => {
  assert.deepEqual(axisFormat([0, 25, 50], 'percent'), ['0%', '25%', '50%']);
  assert.deepEqual(axisFormat([0, 0.1, 0.2], 'seconds'), ['0', '100 ms', '200 ms']);
  assert.deepEqual(axisFormat([0, 5e8, 1e9], 'bytes'), ['0', '0.5 GB', '1 GB']);
  assert.deepEqual(axisFormat([0, 250, 500, 750, 1000], 'requests/s'), ['0', '250', '500', '750', '1,000']);
  assert.deepEqual(axisFormat([0, 20000, 40000], 'eur'), ['€0k', '€20k', '€40k']);
  assert.deepEqual(axisFormat([0, 0.5, 1], 'ratio'), ['0%', '50%', '100%']);
  assert.deepEqual(axisFormat([], 'bytes'), []);
});

test('a moment is as exact as the picture', () => {
  const moment = Date.UTC(2026, 11, 3, 13, 5, 30);
  assert.equal(formatTime(moment, 600_000), '14:05:30');
  assert.equal(formatTime(moment, 6 * 3600_000), '14:05');
  assert.equal(formatTime(moment, 7 * 86400_000), '3 Dec 14:05');
  assert.equal(formatTime(moment, 60 * 86400_000), '3 Dec');
  assert.equal(formatTime(moment, 3 * 366 * 86400_000), '3 Dec 2026');
  assert.equal(formatTime(NaN), '–');
  setLocale('es');
  assert.equal(formatTime(moment, 60 * 86400_000), '3 dic');
});

test('a stretch of time is told in its two largest units', () => {
  const told = [0.25, 45, 372, 3600, 273600, 86400 * 30, -90].map(formatDuration);
  assert.deepEqual(told, ['250 ms', '45 s', '6 min 12 s', '1 h', '3 d 4 h', '30 d', '−1 min 30 s']);
  assert.equal(formatDuration(NaN), '–');
});

test('labels of a huge axis stay short', () => {
  for (const unit of ['bytes', 'eur', 'percent', 'count']) for (const text of axisFormat([0, 1e300, 2e300], unit)) assert.ok(text.length < 16, text);
});
