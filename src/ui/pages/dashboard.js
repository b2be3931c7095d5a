// A dashboard: its panels on the grid, its notes above them.
import { html, useLayoutEffect, useMemo, useSignalEffect } from '../lib.js';
import { Board } from '../board.js';
import { boardTheme, go, heading, may, route } from '../state.js';
import { t } from '../text.js';
import { Grid } from '../components/grid.js';
import { FullPanel, Panel } from '../components/panel.js';
import { Failed, FirstRun } from '../components/states.js';

/** Whether a panel shows something by which its height may go. */
const filled = (panel, board) => (board.panel(panel.id).value.data?.series?.length ?? 0) > 0;

/** @param {{params: {id: string}}} props */
export default function Dashboard({ params }) {
  const board = useMemo(() => new Board(params.id), [params.id]);
  useLayoutEffect(() => {
    board.start();
    return () => {
      board.close();
      boardTheme.value = 'auto';
    };
  }, [board]);
  useSignalEffect(() => {
    const doc = board.doc.value;
    if (!doc) return;
    heading.value = { title: doc.predefined ? t(doc.title) : doc.title, subtitle: doc.subtitle ? (doc.predefined ? t(doc.subtitle) : doc.subtitle) : '' };
    boardTheme.value = doc.theme ?? 'auto';
  });
  const doc = board.doc.value;
  const failure = board.failure.value;
  if (failure && !doc) return html`<div class="page-state"><${Failed} error=${failure} again=${() => board.load()} /></div>`;
  if (!doc) return null;
  if (!doc.panels.length) return html`<${NoPanels} id=${doc.id} />`;
  const full = doc.panels.find((panel) => panel.id === route.value.query.panel);
  return html`<${Demo} board=${board} />
    <${Grid} panels=${doc.panels} grown=${(panel) => filled(panel, board)}>${(panel) => html`<${Panel} board=${board} panel=${panel} />`}<//>
    ${full ? html`<${FullPanel} board=${board} panel=${full} />` : null}`;
}

function Demo({ board }) {
  if (board.demo.value) {
    return html`<div class="strip-note warn" role="status"><span>${t('Demo data')}</span><span class="rest">${t('Made up in this browser, stored nowhere.')}</span>
      <button type="button" class="pill small" onClick=${() => board.showDemo(false)}>${t('Remove')}</button></div>`;
  }
  if (!board.bare.value) return null;
  return html`<div class="strip-note"><span>${t('Nothing has been sent for this dashboard yet.')}</span><span class="rest">${t('Each panel says which metric feeds it.')}</span>
    <button type="button" class="pill small" onClick=${() => board.showDemo(true)}>${t('Show with demo data')}</button></div>`;
}

function NoPanels({ id }) {
  return html`<div class="page-state"><${FirstRun} title=${t('No panels yet')}><p>${t('Pick a metric and a form to show it in.')}</p>
    ${may('editor') ? html`<button type="button" class="pill primary" onClick=${() => go(`/d/${encodeURIComponent(id)}/edit`)}>${t('Add a panel')}</button>` : null}<//></div>`;
}
