// Before the first paint: the theme, so that nothing flashes. And the first questions, so that their answers are there
// when the page's modules are. A classic script; the modules come after.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('latido.theme');
  } catch (e) {
    chosen = null;
  }
  var dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';

  var board = location.pathname === '/' ? ['', 'operations'] : /^\/d\/([^/]+)$/.exec(location.pathname);
  if (!board || /[?&]from=/.test(location.search)) return;
  var base = '/api/v1/monitoring/dashboards/' + board[1];
  var early = {};
  [base, base + '/data'].forEach(function (path) {
    early[path] = fetch(path, { credentials: 'same-origin', headers: { accept: 'application/json' } }).then(whole);
    early[path].catch(function () {});
  });
  window.latidoEarly = early;

  // The answer with its text read already.
  function whole(answer) {
    return answer.text().then(function (text) {
      return { ok: answer.ok, status: answer.status, text: function () { return text; } };
    });
  }
})();
