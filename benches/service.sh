#!/usr/bin/env bash
# What the service takes besides the lookup itself: benches/service.sh COF-FILE FOLDER
# Who asks and how much, many values at once, the longest waits at 70 % load, idle connections. Makes two stores of the file in FOLDER
# (`zonelens generate cof --lines 2000000`), one with a user, a token and a quota. Needs wrk, curl, jq, python, and benches/load built
# (LOAD=its binary). Everything on 127.0.0.1, bounded in time.
set -euo pipefail
cd "$(dirname "$0")/.."

input=$1 folder=$2
seconds=${3:-10}
program=${ZONELENS:-${CARGO_TARGET_DIR:-target}/release/zonelens}
load=${LOAD:?the binary of benches/load}
mkdir -p "$folder"
trap 'kill $(jobs -p) 2> /dev/null || true' EXIT

printf '[http]\ncache_mb = 0\n\n[log]\nlevel = "warn"\n' > "$folder/uncached.toml"
printf '[log]\nlevel = "warn"\n' > "$folder/cached.toml"
zonelens() { "$program" --config "$folder/cached.toml" "$@"; }
[ -d "$folder/open" ] || zonelens --data "$folder/open" import --source dns "$input" > /dev/null
if [ ! -f "$folder/token" ]; then
    cp -r "$folder/open" "$folder/users"
    zonelens --data "$folder/users" user add soar --role integrator --no-password --day-quota 2000000000 > /dev/null
    zonelens --data "$folder/users" token create soar bench --json | jq -r .token > "$folder/token"
fi
token=$(cat "$folder/token")

awk -v every="$(($(wc -l < "$input") / 200000 + 1))" 'NR % every == 0' "$input" |
    sed 's/.*"rrname":"\([^"]*\)".*/\1/' > "$folder/names"
for who in open users; do
    header=""
    [ $who = users ] && header="wrk.headers[\"x-api-key\"] = \"$token\""
    cat > "$folder/$who.lua" <<LUA
local names, at = {}, 0
for name in io.lines("$folder/names") do names[#names + 1] = name end
$header
function request()
    at = at % #names + 1
    return wrk.format("GET", "/api/domain/" .. names[at] .. "?count=100")
end
LUA
done

port=18110
serve() { # store, settings
    port=$((port + 1))
    "$program" --config "$folder/$2.toml" --data "$folder/$1" serve --listen "127.0.0.1:$port" 2>> "$folder/serve.log" &
    pid=$!
    for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/readyz" > /dev/null && return; sleep 0.1; done
    echo "no service: $folder/serve.log says why" >&2
    return 1
}
rate() { wrk -t1 -c32 -d"${seconds}s" -s "$folder/$1.lua" "http://127.0.0.1:$2" | awk '/Non-2xx/ {bad=$0} /Requests\/sec/ {r=$2} END {print r, bad}'; }

for settings in uncached cached; do
    serve open $settings; open=$port open_pid=$pid
    serve users $settings; users=$port users_pid=$pid
    for round in 1 2 3; do
        echo "$settings, round $round: without users $(rate open "$open"), with token and quota $(rate users "$users") requests/s"
    done
    kill "$open_pid" "$users_pid"
    wait "$open_pid" "$users_pid" 2> /dev/null || true
done

serve open cached
head -100000 "$folder/names" > "$folder/values.txt"
head -10000 "$folder/names" > "$folder/few.txt"
bulk() { # title, values, query
    for round in 1 2 3; do
        took=$(curl -s -o "$folder/answer" -w '%{time_total}' -H 'content-type: application/x-ndjson' \
            --data-binary @<(sed 's/.*/"&"/' "$2") "http://127.0.0.1:$port/api/v1/lookup$3")
        awk -v count="$(wc -l < "$folder/answer")" -v took="$took" -v title="$1" \
            'BEGIN {printf "%s: %d answers in %.3f s, %.0f/s\n", title, count, took, count / took}'
    done
}
bulk 'many values, zones alone' "$folder/values.txt" ''
bulk 'many values, full reports' "$folder/few.txt" '?sections=all'
bulk 'many values, full reports of 100 rows' "$folder/few.txt" '?sections=all&count=100'
kill $pid; wait $pid 2> /dev/null || true

# The same requests that wrk asks, now due at fixed moments.
serve open uncached
most=$(rate open "$port" | awk '{print int($1)}')
sed 's|.*|/api/domain/&?count=100|' "$folder/names" > "$folder/paths"
for share in 50 70; do
    echo "open loop at $share % of $most requests/s: $("$load" "127.0.0.1:$port" "$folder/paths" "$((most * share / 100))" "$seconds")"
done
kill $pid; wait $pid 2> /dev/null || true

serve open cached
curl -s "http://127.0.0.1:$port/api/domain/$(head -1 "$folder/names")" > /dev/null
python3 - "$port" "$pid" <<'PY'
import socket, sys, time
port, pid = int(sys.argv[1]), sys.argv[2]
def memory():
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS"))
before = memory()
connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(1000)]
for connection in connections:
    connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
    connection.recv(4096)
time.sleep(1)
print(f"1,000 idle connections: {(memory() - before) / 1024:.1f} MB more, {memory() / 1024:.1f} MB in all")
PY
