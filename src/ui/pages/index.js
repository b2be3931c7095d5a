// The pages: pattern, title, and where the component is. A page is a file and its line here.

/** @typedef {{pattern: string, name: string, title: string, subtitle?: string, live?: boolean, timed?: boolean, load: () => Promise<{default: Function}>}} Page */

const dashboard = () => import('./dashboard.js');

/** `live`: has a live pill; `timed`: has a time range. @type {Page[]} */
export const PAGES = [
  { pattern: '/', name: 'dashboard', title: 'Operations', live: true, timed: true, load: dashboard },
  { pattern: '/d/:id', name: 'dashboard', title: 'Dashboard', live: true, timed: true, load: dashboard },
  { pattern: '/d/:id/edit', name: 'edit', title: 'Edit dashboard', timed: true, load: () => import('./edit.js') },
  { pattern: '/dashboards', name: 'dashboards', title: 'Dashboards', load: () => import('./dashboards.js') },
  { pattern: '/dashboards/new', name: 'edit', title: 'New dashboard', timed: true, load: () => import('./edit.js') },
  { pattern: '/explore', name: 'explore', title: 'Explore', timed: true, load: () => import('./explore.js') },
  { pattern: '/analysis', name: 'analysis', title: 'Analysis', subtitle: 'trends, forecasts and findings', timed: true, load: () => import('./analysis.js') },
  { pattern: '/alerts', name: 'alerts', title: 'Alerts', timed: true, load: () => import('./alerts.js') },
  { pattern: '/catalog', name: 'catalog', title: 'Metrics', subtitle: 'what is known here', load: () => import('./catalog.js') },
  { pattern: '/sources', name: 'sources', title: 'Sources', subtitle: 'where the values come from', load: () => import('./sources.js') },
  { pattern: '/settings', name: 'settings', title: 'Settings', load: () => import('./settings.js') },
  { pattern: '/reference', name: 'reference', title: 'The API', subtitle: 'every call, from the daemon itself', load: () => import('./reference.js') },
  { pattern: '/sign-in', name: 'sign-in', title: 'Sign in', load: () => import('./sign-in.js') },
];

const UNKNOWN = { pattern: '', name: 'unknown', title: 'Not found', load: () => import('./unknown.js') };

/** The page of a path and what its pattern took. @param {string} path @returns {{page: Page, params: Record<string, string>}} */
export function find(path) {
  for (const page of PAGES) {
    const params = match(page.pattern, path);
    if (params) return { page, params: page.pattern === '/' ? { id: 'operations' } : params };
  }
  return { page: UNKNOWN, params: {} };
}

/** @param {string} pattern @param {string} path @returns {Record<string, string>|null} */
export function match(pattern, path) {
  const wanted = pattern.split('/');
  const given = path.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== given.length) return null;
  const params = {};
  for (const [i, part] of wanted.entries()) {
    if (part.startsWith(':')) {
      const taken = decode(given[i]);
      if (!taken) return null;
      params[part.slice(1)] = taken;
    } else if (part !== given[i]) return null;
  }
  return params;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
