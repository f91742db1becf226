#!/usr/bin/env bash
# The time of a domain's report by the size of the store: benches/sizes.sh STORE COF-FILE [STORE COF-FILE]...
# Names are drawn as the lines of the file name them, asked one after the other. Needs wrk.
set -euo pipefail
cd "$(dirname "$0")/.."

program=${ZONELENS:-${CARGO_TARGET_DIR:-target}/release/zonelens}
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$folder"' EXIT
printf '[http]\ncache_mb = 0\n\n[log]\nlevel = "warn"\n' > "$folder/plain.toml"

while [ $# -ge 2 ]; do
    store=$1 input=$2
    shift 2
    # 20,000 names of lines spread over the file, which may be a sample.
    awk -v every="$(($(wc -l < "$input") / 20000 + 1))" 'NR % every == 0' "$input" |
        sed 's/.*"rrname":"\([^"]*\)".*/\1/' > "$folder/names"
    cat > "$folder/names.lua" <<LUA
local names, at = {}, 0
for name in io.lines("$folder/names") do names[#names + 1] = name end
function request()
    at = at % #names + 1
    return wrk.format("GET", "/api/domain/" .. names[at] .. "?count=100")
end
LUA
    "$program" --config "$folder/plain.toml" --data "$store" serve --listen 127.0.0.1:18084 2> "$folder/serve.log" &
    for _ in $(seq 100); do curl -sf http://127.0.0.1:18084/readyz > /dev/null && break; sleep 0.1; done
    # Once to warm, once to measure.
    wrk -t1 -c1 -d10s -s "$folder/names.lua" http://127.0.0.1:18084/ > /dev/null
    line=$(wrk -t1 -c1 -d10s --latency -s "$folder/names.lua" http://127.0.0.1:18084/ |
        awk '/50%/ {p50=$2} /99%/ {p99=$2} END {print "p50", p50, "p99", p99}')
    rows=$("$program" --data "$store" stats 2> /dev/null | awk '/^rows/ {print $2 $3 $4}')
    echo "$rows rows, $(du -sh "$store/runs" | cut -f1): $line"
    kill %%
    wait 2> /dev/null || true
done
