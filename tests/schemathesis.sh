#!/usr/bin/env bash
# Asks every route of /api/openapi.json what the document promises, with good and bad input made up by
# schemathesis: no server error, no status, content type or body that the document does not have.
#   bash tests/schemathesis.sh [--long] [PROGRAM]     PROGRAM: a built latido, else target/debug/latido
# The daemon gets a directory of its own, an account and a key, so that made-up accounts lock nobody out.
# Exit code: 0 if all holds or if it cannot be tried here (said loudly), 1 if something does not hold.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

examples=15
seconds=60
program=${LATIDO_BIN:-${CARGO_TARGET_DIR:-target}/debug/latido}
for argument in "$@"; do
  case "$argument" in
    --long) examples=100 seconds=300 ;;
    -h | --help) sed -n '2,6s/^# *//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    -*) echo "tests/schemathesis.sh: unknown argument $argument (known: --long)" >&2; exit 2 ;;
    *) program=$argument ;;
  esac
done
[ -n "${LATIDO_LONG:-}" ] && examples=100 seconds=300

skip() { echo "SKIPPED: schemathesis: $*" >&2; exit 0; }
command -v python3 > /dev/null || skip "no python3"
[ -x "$program" ] || { echo "tests/schemathesis.sh: $program is not there: build it first, or name it" >&2; exit 1; }

venv=tests/.venv
wanted=$(cksum < tests/requirements.txt)
if [ "$(cat "$venv/installed" 2> /dev/null)" != "$wanted" ]; then
  python3 -m venv "$venv" > /dev/null 2>&1 || skip "python3 has no venv (Debian: python3-venv)"
  timeout 300 "$venv/bin/pip" -q --disable-pip-version-check install -r tests/requirements.txt || skip "pip could not install it (offline?)"
  echo "$wanted" > "$venv/installed"
fi

home=$(mktemp -d)
daemon=""
clean() {
  [ -n "$daemon" ] && kill "$daemon" 2> /dev/null && wait "$daemon" 2> /dev/null
  rm -rf "$home"
}
trap clean EXIT

fail() { echo "tests/schemathesis.sh: $*" >&2; tail -n 20 "$home/log" >&2; exit 1; }
printf 'a long enough password\n' | "$program" user add tester --role admin --data-dir "$home/data" > "$home/log" 2>&1 || fail "no account could be made"
key=$("$program" key create schemathesis --role admin --scope write --data-dir "$home/data" 2>> "$home/log" | awk 'END { print $NF }')
[ -n "$key" ] || fail "no key could be made"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port
"$program" --data-dir "$home/data" --listen "127.0.0.1:$port" >> "$home/log" 2>&1 &
daemon=$!
for _ in $(seq 300); do
  python3 -c "import urllib.request; urllib.request.urlopen('$url/-/ready')" 2> /dev/null && break
  kill -0 "$daemon" 2> /dev/null || fail "the daemon ended"
  sleep 0.1
done

checks=not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method
export SCHEMATHESIS_HOOKS=schemathesis_hooks PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1
"$venv/bin/schemathesis" run "$url/api/openapi.json" --header "Authorization: Bearer $key" --checks "$checks" --phases examples,coverage,fuzzing \
  --max-examples "$examples" --max-time "$seconds" --request-timeout 20 --seed 1 --generation-database none --continue-on-failure --no-color
code=$?
kill -0 "$daemon" 2> /dev/null || fail "the daemon ended while it was asked"
if grep -q "panicked" "$home/log"; then fail "the daemon panicked"; fi
[ "$code" -eq 0 ] || exit 1
