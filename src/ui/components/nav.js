// What can be gone to, once: the rail, the sheet of phones, the palette and the keys all read it.
import { boards, firing, may, me, route, stats } from '../state.js';
import { count, t } from '../text.js';

/** The predefined dashboards, so that the rail is whole before the list has come. */
const KNOWN = [
  { id: 'executive', title: 'Executive' },
  { id: 'operations', title: 'Operations' },
  { id: 'development', title: 'Development' },
];

/** Address of a dashboard. @param {string} id */
export const boardPath = (id) => (id === 'operations' ? '/' : `/d/${encodeURIComponent(id)}`);

/** Groups of `{title, items: [{path, title, icon, badge?, key?}]}`. */
export function groups() {
  const known = KNOWN.map((board) => ({ ...board, title: t(board.title), icon: board.id }));
  const own = boards.value.filter((board) => !KNOWN.some(({ id }) => id === board.id)).map((board) => ({ ...board, icon: 'board' }));
  const shown = boards.value.length ? known.filter(({ id }) => boards.value.some((board) => board.id === id)) : known;
  const dashboards = [...shown, ...own].map(({ id, title, icon }) => ({ path: boardPath(id), title, icon }));
  const makes = may('editor') ? [{ path: '/dashboards/new', title: t('New dashboard'), icon: 'plus' }] : [];
  const open = { title: t('Dashboards'), items: [...dashboards, ...makes] };
  // A stranger sees what is public, and the way in.
  if (me.value.accounts && !me.value.role) return [open];
  const calling = firing.value.length;
  const series = stats.value?.series;
  return [
    open,
    {
      title: t('Investigate'),
      items: [
        { path: '/explore', title: t('Explore'), icon: 'explore' },
        { path: '/analysis', title: t('Analysis'), icon: 'analysis' },
        { path: '/alerts', title: t('Alerts'), icon: 'alerts', badge: calling ? { text: String(calling), tone: 'crit', label: t('{n} firing', { n: calling }) } : null },
      ],
    },
    {
      title: t('System'),
      items: [
        { path: '/catalog', title: t('Metrics'), icon: 'catalog', badge: series ? { text: count(series), tone: '', label: t('{n} series', { n: count(series) }) } : null },
        { path: '/sources', title: t('Sources'), icon: 'sources' },
        { path: '/settings', title: t('Settings'), icon: 'settings' },
      ],
    },
  ];
}

/** Whether a path of the list is the one that is open. @param {string} path */
export function isCurrent(path) {
  const here = route.value;
  if (path === '/') return here.path === '/' || here.path === '/d/operations';
  return here.path === path || here.path === `${path}/edit`;
}
