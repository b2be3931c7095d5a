// A description of an interface (OpenAPI 3) as groups of calls with examples. Pure; follows references inside the document only.

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options'];

/** `[{name, calls: [{method, path, summary, description, parameters, body, answers}]}]` in the order of the document. */
export function groups(spec) {
  const found = new Map();
  for (const [path, item] of Object.entries(spec.paths ?? {})) {
    for (const method of METHODS.filter((name) => item[name] && name !== 'head')) {
      const name = item[method].tags?.[0] ?? 'other';
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(call(spec, path, method, item));
    }
  }
  return [...found].map(([name, calls]) => ({ name, calls }));
}

function call(spec, path, method, item) {
  const op = item[method];
  const parameters = [...(item.parameters ?? []), ...(op.parameters ?? [])].map((one) => resolved(spec, one));
  const content = resolved(spec, op.requestBody)?.content ?? {};
  const [type, media] = Object.entries(content)[0] ?? [];
  const answers = Object.entries(op.responses ?? {}).map(([status, one]) => {
    const answer = resolved(spec, one);
    const [, shown] = Object.entries(answer?.content ?? {})[0] ?? [];
    return { status, words: answer?.description ?? '', example: shown ? exampleOf(spec, shown) : undefined };
  });
  return { method: method.toUpperCase(), path, summary: op.summary ?? '', description: op.description ?? '', parameters, body: media ? { type, example: exampleOf(spec, media) } : null, answers };
}

/** What a reference points at, at most ten deep. */
export function resolved(spec, node) {
  let here = node;
  for (let i = 0; i < 10 && here?.$ref; i += 1) {
    here = here.$ref.startsWith('#/') ? here.$ref.slice(2).split('/').reduce((at, key) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], spec) : undefined;
  }
  return here;
}

function exampleOf(spec, media) {
  if (media.example !== undefined) return media.example;
  const first = Object.values(media.examples ?? {})[0];
  return first?.value ?? sample(spec, media.schema);
}

/** A value as the schema has it, at most six deep. */
export function sample(spec, node, depth = 0) {
  const schema = resolved(spec, node);
  if (!schema || depth > 6) return null;
  if (schema.example !== undefined) return schema.example;
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choice = (schema.oneOf ?? schema.anyOf)?.find((one) => resolved(spec, one)?.type !== 'null');
  if (choice) return sample(spec, choice, depth + 1);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((one) => sample(spec, one, depth + 1)));
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type ?? (schema.properties ? 'object' : undefined);
  if (type === 'object') return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, sample(spec, one, depth + 1)]));
  if (type === 'array') return [sample(spec, schema.items, depth + 1)];
  return { string: schema.format === 'date-time' ? '2026-01-01T00:00:00Z' : 'text', integer: 0, number: 0.5, boolean: true }[type] ?? null;
}

/** A shell line that makes the call. */
export function curl(origin, one) {
  const query = one.parameters.filter((p) => p.in === 'query' && (p.required || p.example !== undefined)).map((p) => `${p.name}=${encodeURIComponent(p.example ?? p.schema?.example ?? `<${p.name}>`)}`);
  const parts = ['curl -sS', one.method === 'GET' ? '' : `-X ${one.method}`, `'${origin}${one.path}${query.length ? `?${query.join('&')}` : ''}'`];
  if (one.body) parts.push(`-H 'content-type: ${one.body.type}'`, one.body.type.includes('json') ? `-d '${JSON.stringify(one.body.example).replaceAll("'", "'\\''")}'` : '--data-binary @FILE');
  return parts.filter(Boolean).join(' ');
}

/** Calls whose path or words have all of `word`. */
export function sought(list, word) {
  const words = word.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const hit = (one) => words.every((part) => `${one.method} ${one.path} ${one.summary} ${one.description}`.toLowerCase().includes(part));
  return list.map((group) => ({ ...group, calls: group.calls.filter(hit) })).filter((group) => group.calls.length);
}
