#!/usr/bin/env bash
# Makes a golden data directory with the latido that is named: three tiers, an unsealed journal, and
# documents, left as after kill -9. What a released version wrote must stay readable for ever, so a
# directory that is there already is never made again; a new one gets a new name.
#   bash tests/golden/make.sh /path/to/latido format-1
set -eu -o pipefail
program=$(realpath "$1")
target=$(realpath "$(dirname "${BASH_SOURCE[0]}")")/$2.tar.gz
[ -e "$target" ] && { echo "$target is there already" >&2; exit 1; }
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
port=17991
url=http://127.0.0.1:$port/api/v1/monitoring
"$program" --data-dir "$home/data" --listen 127.0.0.1:$port --set collection.enabled=false --set custom.auto_register=true \
  --set alerts.default_rules=false > "$home/log" 2>&1 &
daemon=$!
until curl -sf "http://127.0.0.1:$port/-/ready" > /dev/null; do sleep 0.1; done

# On the hour, forty hours ago.
start=$(( ($(date +%s) / 3600 - 40) * 3600 ))
echo "$start" > "$home/data/golden_start"
# Sample n of golden_gauge: start + n * 60 s, value n / 4. golden_counter: 3 n, from 0 again after 600 of them.
samples() { # first, last
  python3 - "$start" "$1" "$2" << 'PYTHON'
import json, sys
start, first, last = map(int, sys.argv[1:])
out = []
for n in range(first, last):
    t = (start + n * 60) * 1000
    for host in "ab":
        out.append({"name": "golden_gauge", "labels": {"host": host}, "value": n / 4 + (host == "b"), "timestamp": t})
    out.append({"name": "golden_counter", "value": 3 * (n % 600), "timestamp": t})
print(json.dumps({"samples": out}))
PYTHON
}
send() { curl -sf -o /dev/null -H 'content-type: application/json' --data-binary @- "$url/$1"; }
for first in 0 600 1200; do samples $first $((first + 600)) | send metrics/custom/record; done
echo '{"id":"golden","title":"Golden","panels":[{"title":"P","type":"line","query":"golden_gauge","x":0,"y":0,"w":6,"h":4}]}' | send dashboards/create
echo '{"name":"Golden","expr":"golden_gauge > 1e9","severity":"warning"}' | send alerts/rules
curl -sf -X POST "$url/maintenance/settle" > /dev/null
samples 1800 1900 | send metrics/custom/record
kill -9 $daemon
wait $daemon 2> /dev/null || true
rm -f "$home/data/control.sock"
tar -C "$home/data" --owner=0 --group=0 -czf "$target" .
tar -tzvf "$target"
ls -l "$target"
