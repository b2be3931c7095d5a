// The list of metrics: found, sorted, and the line that records one. Pure.

/** Those that have all words in name, help or category, and the category where one is chosen. */
export function matching(list, word, category) {
  const words = word.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter((metric) => (!category || metric.category === category)
    && words.every((one) => `${metric.name} ${metric.help ?? ''} ${metric.unit ?? ''}`.toLowerCase().includes(one)));
}

/** The catalogue and the names that the store has, as one list in the order of names. */
export function united(catalogue, metadata, counts) {
  const known = new Map(catalogue.map((metric) => [metric.name, metric]));
  for (const [name, [first]] of Object.entries(metadata)) {
    if (!known.has(name) && first) known.set(name, { name, type: first.type, help: first.help, unit: first.unit, category: 'system', labels: [], series: null, collected: true });
  }
  return [...known.values()].map((metric) => ({ ...metric, series: metric.series || counts[metric.name] || (metric.collected ? null : 0) })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What of a new metric is missing or out of grammar, by field; keys of the dictionaries. */
export function wrong(form) {
  const found = {};
  if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(form.name.trim())) found.name = 'Letters, digits, _ and :, no digit first.';
  if (list(form.labels).some((label) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label))) found.labels = 'Label names: letters, digits and _, no digit first.';
  if (form.type === 'histogram' && list(form.buckets).some((text) => !Number.isFinite(Number(text)))) found.buckets = 'Numbers, smallest first.';
  return found;
}

/** The body of a registration. */
export function registration(form) {
  const body = { name: form.name.trim(), type: form.type };
  for (const name of ['unit', 'help', 'category']) if (form[name].trim()) body[name] = form[name].trim();
  if (list(form.labels).length) body.labels = list(form.labels);
  if (form.type === 'histogram' && list(form.buckets).length) body.buckets = list(form.buckets).map(Number);
  return body;
}

const list = (text) => text.split(/[\s,]+/).filter(Boolean);
