#!/usr/bin/env bash
# Writes src/ui/vendor and src/ui/fonts from the pinned packages of package-lock.json. Needs npm.
# With --check it compares instead, and fails where a byte differs.
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
npm ci --silent > /dev/null
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/vendor" "$out/fonts"
node_modules/.bin/esbuild entry.js --bundle --format=esm --minify --legal-comments=none --target=es2022 --inject:plain.js --define:Intl.NumberFormat=NoNumbers --define:Intl.DateTimeFormat=NoTimes --outfile="$out/vendor/vendor.js" --log-level=warning
cp node_modules/uplot/dist/uPlot.min.css "$out/vendor/uplot.css"
for package in preact htm @preact/signals uplot; do
  printf '==== %s %s\n\n' "$package" "$(node -p "require('./node_modules/$package/package.json').version")"
  cat "node_modules/$package/LICENSE"
  printf '\n'
done > "$out/vendor/LICENSES.txt"
cp node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2 "$out/fonts/inter.woff2"
cp node_modules/@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2 "$out/fonts/jetbrains-mono.woff2"
for font in inter jetbrains-mono; do
  printf '==== %s\n\n' "$font"
  cat "node_modules/@fontsource-variable/$font/LICENSE"
  printf '\n'
done > "$out/fonts/LICENSES.txt"
for folder in vendor fonts; do
  if [ "${1:-}" = --check ]; then
    diff -r "$out/$folder" "../../src/ui/$folder"
  else
    rm -rf "../../src/ui/$folder" && cp -r "$out/$folder" "../../src/ui/$folder"
  fi
done
