#!/usr/bin/env bash
# Debian's dnsdbq asks a service that runs: tests/consumers/dnsdbq.sh PROGRAM. Installs it where it is missing.
set -euo pipefail

program=$1
command -v dnsdbq > /dev/null || apt-get install -y -q dnsdbq > /dev/null
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$folder"' EXIT

cat > "$folder/dns.cof" <<COF
{"rrname":"example.net","rrtype":"A","rdata":"192.31.196.7","time_first":1716000000,"time_last":1716001000,"count":3}
{"rrname":"www.example.net","rrtype":"CNAME","rdata":"example.net","time_first":1716100000,"time_last":1716101000,"count":2}
{"rrname":"example.net","rrtype":"NS","rdata":"ns1.example.org","time_first":1716300000,"time_last":1716301000,"count":9}
COF
"$program" --data "$folder/data" import "$folder/dns.cof" > /dev/null
"$program" --data "$folder/data" serve --listen 127.0.0.1:18090 2> "$folder/serve.log" &
for _ in $(seq 100); do curl -sf http://127.0.0.1:18090/readyz > /dev/null && break; sleep 0.1; done

export DNSDB_API_KEY=none DNSDB_SERVER=http://127.0.0.1:18090
export XDG_CONFIG_HOME=$folder HOME=$folder
expect() { # what must be said, how often, arguments…
    local said=$1 times=$2 found
    shift 2
    found=$(dnsdbq "$@" | grep -cF -- "$said" || true)
    [ "$found" = "$times" ] || { echo "dnsdbq $*: \"$said\" $found times, not $times"; dnsdbq "$@"; exit 1; }
    echo "ok: dnsdbq $*"
}
expect 'example.net.  A  192.31.196.7' 1 -r example.net
expect 'example.net.  NS  ns1.example.org.' 1 -r example.net/NS
expect '192.31.196.7' 0 -r example.net/NS
expect 'bailiwick: example.net.' 3 -r '*.example.net'
expect 'example.net.' 4 -r 'example.*'
expect 'www.example.net.  CNAME  example.net.' 1 -n example.net
expect 'example.net.  A  192.31.196.7' 1 -i 192.31.196.0/24
expect '"rrtype":"NS"' 1 -j -r example.net -A 2024-05-20
expect 'count: 12; num_results: 2' 1 -V summarize -r example.net
