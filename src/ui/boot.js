// Before the first paint: the theme, so that nothing flashes. A classic script; the page's own comes after.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('latido.theme');
  } catch (e) {
    chosen = null;
  }
  var dark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = chosen === 'light' || chosen === 'dark' ? chosen : dark ? 'dark' : 'light';
})();
