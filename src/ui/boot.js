// Before the first paint: the theme, so that nothing flashes. And the first questions, so that their answers are there
// when the page's modules are: who is here, then the dashboard, unless nobody is signed in.
// A classic script; the modules come after.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('latido.theme');
  } catch (e) {
    chosen = null;
  }
  var dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';

  var ask = function (path) {
    var answer = fetch(path, { credentials: 'same-origin', headers: { accept: 'application/json' } }).then(whole);
    answer.catch(function () {});
    return answer;
  };
  // The answer with its text read already.
  function whole(answer) {
    return answer.text().then(function (text) {
      return { ok: answer.ok, status: answer.status, text: function () { return text; } };
    });
  }
  var session = ask('/api/v1/monitoring/access/session');
  // The daemon says in the page whether there are accounts: where there are none, nobody is a stranger.
  var open = document.documentElement.dataset.accounts === 'none';
  var stranger = open ? Promise.resolve(false) : session.then(function (answer) { return JSON.parse(answer.text()); }).then(function (who) { return who.accounts && !who.role; });
  window.latidoEarly = { '/api/v1/monitoring/access/session': session };

  var board = location.pathname === '/' ? ['', 'operations'] : /^\/d\/([^/]+)$/.exec(location.pathname);
  if (!board || /[?&]from=/.test(location.search)) return;
  var base = '/api/v1/monitoring/dashboards/' + board[1];
  [base, base + '/data'].forEach(function (path) {
    window.latidoEarly[path] = stranger.then(function (yes) { return yes ? null : ask(path); });
    window.latidoEarly[path].catch(function () {});
  });
})();
