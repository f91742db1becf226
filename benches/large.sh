#!/usr/bin/env bash
# An address with 500,000 names, 50 of them listed with one hit each: benches/large.sh [NAMES] [RUNS]
# Prints how long its report takes, unmerged and merged, and whether the 50 stand first.
set -euo pipefail
cd "$(dirname "$0")/.."

names=${1:-500000}
runs=${2:-8}
program=${ZONELENS:-${CARGO_TARGET_DIR:-target}/release/zonelens}
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$folder"' EXIT

python3 - "$names" "$runs" "$folder" <<'PY'
import sys

names, runs, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
now = 1_795_000_000
listed = set(range(0, names, names // 50)[:50])
files = [open(f"{folder}/{run}.ndjson", "w") for run in range(runs)]
for number in range(names):
    hits = 1 if number in listed else 2 + number % 1000
    at = now - number % (60 * 86400)
    files[number % runs].write(
        f'{{"rrname":"h{number}.site{number // 3}.com","rrtype":"A","rdata":"41.77.18.193",'
        f'"time_first":{at},"time_last":{at},"count":{hits}}}\n')
with open(f"{folder}/listed.txt", "w") as out:
    for number in sorted(listed):
        out.write(f"h{number}.site{number // 3}.com\n")
PY

data=$folder/store
now=2026-11-21T12:00:00Z
for run in $(seq 0 $((runs - 1))); do
    "$program" --data "$data" --now "$now" import --learnt-at 2026-11-19 --format cof --source "dns$run" "$folder/$run.ndjson" > /dev/null 2>&1
done
"$program" --data "$data" --now "$now" import --learnt-at 2026-11-19 --format list --source blocklist "$folder/listed.txt" > /dev/null 2>&1

ask() { # title, query
    printf '[http]\ncache_mb = 0\n' > "$folder/plain.toml"
    "$program" --config "$folder/plain.toml" --data "$data" --now "$now" serve --listen 127.0.0.1:18083 2> /dev/null &
    for _ in $(seq 100); do curl -sf http://127.0.0.1:18083/readyz > /dev/null && break; sleep 0.1; done
    for _ in $(seq 30); do
        curl -s -o "$folder/report" -w '%{time_total}\n' "http://127.0.0.1:18083/api/ip/41.77.18.193?count=1000$2"
    done | sort -n | awk -v title="$1" '{all[NR] = $1 * 1000} END {printf "%s: p50 %.1f ms, worst of %d %.1f ms\n", title, all[int((NR + 1) / 2)], NR, all[NR]}'
    python3 - "$folder/report" <<'PY'
import json, sys
rows = json.load(open(sys.argv[1]))["IpDnsResolutions"]
print("  rows", len(rows), "; of the first 50 listed:", sum(row["Zone"] == "Red" for row in rows[:50]))
PY
    kill %%; wait 2> /dev/null || true
}

ask "unmerged ($((runs + 1)) runs)" ""
ask "unmerged, as_of" "&as_of=2026-11-20"
"$program" --data "$data" --now "$now" merge > /dev/null 2>&1
ask "merged" ""
