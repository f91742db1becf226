#!/usr/bin/env bash
# How fast what a team has goes in: benches/feeds.sh TRAILS-FOLDER INTERNET.mmdb FOLDER
# TRAILS-FOLDER holds maltrail's trails, INTERNET.mmdb is a MaxMind database of all networks (as geo-whois-asn-country). What is
# made up is made in FOLDER and kept there. Needs python, GNU time, and benches/load built (LOAD=its binary).
set -euo pipefail
cd "$(dirname "$0")/.."

trails=$1 internet=$2 folder=$3
program=${ZONELENS:-${CARGO_TARGET_DIR:-target}/release/zonelens}
load=${LOAD:-}
mkdir -p "$folder"
printf '[log]\nlevel = "warn"\n' > "$folder/quiet.toml"
zonelens() { "$program" --config "$folder/quiet.toml" "$@"; }
timed() { # title, command…: seconds and the most memory
    local title=$1
    shift
    /usr/bin/time -f "$title: %e s, %M kB, %U+%S CPU-s" "$@" > "$folder/out.txt" 2> "$folder/err.txt" || { cat "$folder/err.txt"; exit 1; }
    tail -1 "$folder/err.txt"
}

rm -rf "$folder/data"
timed 'trails' "$program" --config "$folder/quiet.toml" --data "$folder/data" import --source trails "$trails"
timed 'trails, unchanged' "$program" --config "$folder/quiet.toml" --data "$folder/data" import --source trails "$trails"

# A new list beside it, until a service that runs says so.
zonelens --data "$folder/data" serve --listen 127.0.0.1:18095 2> "$folder/serve.log" &
service=$!
trap 'kill $service 2> /dev/null || true' EXIT
for _ in $(seq 100); do curl -sf http://127.0.0.1:18095/readyz > /dev/null && break; sleep 0.1; done
echo 'measured-now.com' > "$folder/one.txt"
zonelens --data "$folder/data" import --source one --category MALWARE "$folder/one.txt" > /dev/null
start=$(date +%s%N)
until curl -s http://127.0.0.1:18095/api/domain/measured-now.com?sections=Zone | grep -q Red; do sleep 0.01; done
echo "in verdicts: $((($(date +%s%N) - start) / 1000000)) ms after the import ended"

[ -f "$folder/bundle.json" ] || python3 - "$folder/bundle.json" <<'PY'
import json, sys, uuid
kinds = [("domain-name:value", "host%d.example-%d.com"), ("ipv4-addr:value", "%d.%d.7.9"), ("url:value", "http://h%d.example-%d.net/x")]
objects = [{"type": "identity", "spec_version": "2.1", "id": f"identity--{uuid.UUID(int=1)}", "created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z", "name": "bench"}]
for n in range(99_999):
    path, shape = kinds[n % 3]
    value = shape % ((n >> 8) % 200 + 20, n % 250) if "addr" in path else shape % (n, n % 1000)
    objects.append({"type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.UUID(int=n + 2)}", "created": "2024-01-01T00:00:00Z",
                    "modified": "2024-01-02T00:00:00Z", "indicator_types": ["malicious-activity"], "pattern": f"[{path} = '{value}']",
                    "pattern_type": "stix", "valid_from": "2024-01-01T00:00:00Z"})
json.dump({"type": "bundle", "id": f"bundle--{uuid.UUID(int=0)}", "objects": objects}, open(sys.argv[1], "w"))
PY
timed 'STIX, 100,000 objects' "$program" --config "$folder/quiet.toml" --data "$folder/stix" import --source stix "$folder/bundle.json"

# The same answers as COF and as Zeek's dns.log.
[ -f "$folder/dns.log" ] || {
    zonelens generate cof --lines 2000000 --seed 7 > "$folder/dns.cof" 2> /dev/null || zonelens generate --help
    python3 - "$folder/dns.cof" "$folder/dns.log" <<'PY'
import json, sys
out = open(sys.argv[2], "w")
fields = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id query qclass qclass_name qtype qtype_name rcode rcode_name AA TC RD RA Z answers TTLs rejected".split()
types = "time string addr port addr port enum count string count string count string count string bool bool bool bool count vector[string] vector[interval] bool".split()
out.write("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tdns\n#fields\t" + "\t".join(fields) + "\n#types\t" + "\t".join(types) + "\n")
for n, line in enumerate(open(sys.argv[1])):
    one = json.loads(line)
    if one["rrtype"] not in ("A", "AAAA"): continue
    rdata = one["rdata"] if isinstance(one["rdata"], str) else one["rdata"][0]
    out.write(f"{one['time_first']}.5\tC{n:x}\t10.0.0.7\t5353\t10.0.0.1\t53\tudp\t{n % 65536}\t{one['rrname'].rstrip('.')}\t1\tC_INTERNET\t1\t{one['rrtype']}\t0\tNOERROR\tF\tF\tT\tT\t0\t{rdata}\t60.0\tF\n")
PY
}
grep -E '"rrtype":"(A|AAAA)"' "$folder/dns.cof" > "$folder/addresses.cof"
for input in addresses.cof dns.log; do
    rm -rf "$folder/dns"
    timed "$input, $(grep -vc '^#' "$folder/$input") lines" "$program" --config "$folder/quiet.toml" --data "$folder/dns" import --source dns "$folder/$input"
done

timed "MMDB of the internet, $(stat -c %s "$internet") bytes" "$program" --config "$folder/quiet.toml" --data "$folder/mmdb" import --source mmdb "$internet"

# Lookups at a fixed rate: alone, and while COF is imported into the store that they read.
[ -n "$load" ] || { echo 'no LOAD: lookups during an import are not measured'; exit 0; }
awk 'NR % 400 == 0' "$folder/dns.cof" | sed 's/.*"rrname":"\([^"]*\)".*/\/api\/domain\/\1?count=100/' > "$folder/paths"
zonelens --data "$folder/data" import --source before "$folder/addresses.cof" > /dev/null
sleep 3
echo "alone: $("$load" 127.0.0.1:18095 "$folder/paths" 2000 15)"
( sleep 2; zonelens --data "$folder/data" import --source during "$folder/dns.log" > /dev/null; echo 'the import ended' ) &
echo "during an import: $("$load" 127.0.0.1:18095 "$folder/paths" 2000 15)"
wait %2 2> /dev/null || true
