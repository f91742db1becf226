#!/usr/bin/env bash
# Full domain reports over HTTP against nginx with a static file of the same size: benches/http.sh STORE COF-FILE
# Names are drawn as the lines of the file name them. Needs nginx and wrk. Everything on 127.0.0.1, bounded in time.
set -euo pipefail
cd "$(dirname "$0")/.."

store=$1
input=$2
seconds=${3:-10}
program=${ZONELENS:-${CARGO_TARGET_DIR:-target}/release/zonelens}
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$folder"' EXIT

# 200,000 names of lines spread over the file, so that popular ones come as often as they are seen.
awk -v every="$(($(wc -l < "$input") / 200000 + 1))" 'NR % every == 0' "$input" |
    sed 's/.*"rrname":"\([^"]*\)".*/\1/' > "$folder/names"
cat > "$folder/names.lua" <<LUA
local names, at = {}, 0
for name in io.lines("$folder/names") do names[#names + 1] = name end
function request()
    at = at % #names + 1
    return wrk.format("GET", "/api/domain/" .. names[at] .. "?count=100")
end
LUA

measure() { # title, port, script…
    local title=$1 port=$2
    shift 2
    local line
    line=$(wrk -t2 -c32 -d"${seconds}s" --latency "$@" "http://127.0.0.1:$port/file" | awk '/Requests\/sec/ {r=$2} /99%/ {p=$2} END {print r, "requests/s, p99", p}')
    echo "$title: $line"
}

# Without the cache of reports, and with it; no log of requests, as nginx keeps none either.
printf '[log]\nlevel = "warn"\n' > "$folder/quiet.toml"
printf '[http]\ncache_mb = 0\n\n[log]\nlevel = "warn"\n' > "$folder/plain.toml"
"$program" --config "$folder/plain.toml" --data "$store" serve --listen 127.0.0.1:18081 2> "$folder/serve.log" &
"$program" --config "$folder/quiet.toml" --data "$store" serve --listen 127.0.0.1:18082 2>> "$folder/serve.log" &
name=$(head -1 "$folder/names")
for port in 18081 18082; do
    for _ in $(seq 100); do curl -sf "http://127.0.0.1:$port/readyz" > /dev/null && break; sleep 0.1; done
done
sizes=$(for name in $(head -2000 "$folder/names" | awk 'NR % 100 == 0'); do
    curl -s "http://127.0.0.1:18081/api/domain/$name?count=100" | wc -c; done | sort -n)
median=$(echo "$sizes" | awk '{all[NR] = $1} END {print all[int((NR + 1) / 2)]}')
echo "median report: $median bytes"

head -c "$median" /dev/zero | tr '\0' 'x' > "$folder/file"
cat > "$folder/nginx.conf" <<CONF
worker_processes 2; pid $folder/nginx.pid; error_log $folder/error.log; daemon off;
events { worker_connections 256; }
http { access_log off; server { listen 127.0.0.1:18080; root $folder; default_type application/json; } }
CONF
chmod 755 "$folder"
nginx -c "$folder/nginx.conf" &
sleep 1

cpu() { awk '{print $14 + $15}' "/proc/$1/stat"; }
pid=$(pgrep -f 'listen 127.0.0.1:18081' | head -1)
measure nginx 18080
before=$(cpu "$pid")
measure "reports, none cached" 18081 -s "$folder/names.lua" | tee "$folder/plain"
after=$(cpu "$pid")
awk -v ticks="$((after - before))" -v seconds="$seconds" '{rate = $4; print "CPU-microseconds a request (the service alone):", ticks * 10000 / (rate * seconds)}' "$folder/plain"
measure "reports, through the cache" 18082 -s "$folder/names.lua"
cat > "$folder/one.lua" <<LUA
function request() return wrk.format("GET", "/api/domain/$name?count=100") end
LUA
size=$(curl -s "http://127.0.0.1:18082/api/domain/$name?count=100" | wc -c)
head -c "$size" /dev/zero | tr '\0' 'x' > "$folder/file"
measure "one report again and again ($size bytes)" 18082 -s "$folder/one.lua"
measure nginx 18080
