#!/usr/bin/env bash
# What a page costs beside its JSON: benches/pages.sh [NAMES]
# CPU time of the service for the demo's full reports as page and as JSON, then for an address with NAMES (500,000) names and one with
# 3. Nothing cached, one connection. Needs curl, wrk and python. Everything on 127.0.0.1, bounded in time.
set -euo pipefail
cd "$(dirname "$0")/.."

names=${1:-500000}
program=${ZONELENS:-${CARGO_TARGET_DIR:-target}/release/zonelens}
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$folder"' EXIT
printf '[http]\ncache_mb = 0\n\n[log]\nlevel = "warn"\n' > "$folder/plain.toml"

port=18130
serve() { # the command that serves
    port=$((port + 1))
    "$program" --config "$folder/plain.toml" --data "$folder/$1" "${@:2}" --listen "127.0.0.1:$port" > "$folder/out" 2> "$folder/serve.log" &
    pid=$!
    for _ in $(seq 600); do curl -sf "http://127.0.0.1:$port/readyz" > /dev/null && return; sleep 0.1; done
    cat "$folder/serve.log"
    return 1
}
cost() { # path: CPU-microseconds a request
    local before after requests
    curl -s -o /dev/null "http://127.0.0.1:$port$1"
    before=$(awk '{print $14 + $15}' "/proc/$pid/stat")
    requests=$(wrk -t1 -c1 -d3s "http://127.0.0.1:$port$1" | awk '/requests in/ {print $1}')
    after=$(awk '{print $14 + $15}' "/proc/$pid/stat")
    awk -v ticks="$((after - before))" -v requests="$requests" 'BEGIN {printf "%.0f", ticks * 10000 / requests}'
}
beside() { # title, kind/object
    local json page
    json=$(cost "/api/$2") page=$(cost "/$2")
    awk -v title="$1" -v json="$json" -v page="$page" 'BEGIN {printf "%s: JSON %d, page %d CPU-microseconds: %.2f times\n", title, json, page, page / json}'
}

serve demo demo
for object in domain/full.example ip/192.31.196.10 ip/192.31.196.80 domain/files.example; do beside "demo, $object" "$object"; done
kill $pid; wait $pid 2> /dev/null || true

python3 - "$names" "$folder" <<'PY'
import sys
names, folder = int(sys.argv[1]), sys.argv[2]
now = 1_795_000_000
with open(f"{folder}/names.cof", "w") as out, open(f"{folder}/listed.txt", "w") as listed:
    for number in range(names):
        at = now - number % (60 * 86400)
        address = "41.77.18.194" if number < 3 else "41.77.18.193"
        out.write(f'{{"rrname":"h{number}.site{number // 3}.com","rrtype":"A","rdata":"{address}",'
                  f'"time_first":{at},"time_last":{at},"count":{2 + number % 1000}}}\n')
        if number % (names // 50) == 0:
            listed.write(f"h{number}.site{number // 3}.com\n")
PY
now=2026-11-21T12:00:00Z
"$program" --data "$folder/large" --now "$now" import --source dns "$folder/names.cof" > /dev/null 2>&1
"$program" --data "$folder/large" --now "$now" import --format list --source blocklist "$folder/listed.txt" > /dev/null 2>&1
serve large --now "$now" serve
beside "an address with $names names" ip/41.77.18.193
beside "an address with 3 names" ip/41.77.18.194
