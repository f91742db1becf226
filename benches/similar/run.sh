#!/bin/sh
# Similar names: size, speed and recall. Usage: run.sh NAMES SIMILAR.csv PHISHING.csv RANKS FOLDER
#
# On a machine that does nothing else: half an hour. Prints what stands in ../README.md.
#
# NAMES      registrable names, one a line, the most popular ones first
# SIMILAR    pairs at edit distance 1: the columns domain, similar
# PHISHING   a list of snapshots (format mask-csv): host, kind, path_mask, first_snapshot, last_snapshot, n_snapshots
# RANKS      a popularity list, a name a line
# FOLDER     where everything is made: 5 GB for forty million names
set -eu
names=$1 similar=$2 phishing=$3 ranks=$4 folder=$5
here=$(cd "$(dirname "$0")" && pwd)
built=${CARGO_TARGET_DIR:-$here/target}/release
cargo build --release --manifest-path "$here/Cargo.toml"
mkdir -p "$folder"
[ -d "$folder/dnstwist" ] || pip install --quiet --target "$folder/dnstwist" dnstwist

for count in 400000 "$(wc -l < "$names")" 40000000; do
    "$built/zonelens-bench-similar" speed "$names" "$folder" "$count"
done
"$built/zonelens-bench-similar" twistrs "$names"
python3 "$here/recall.py" pairs "$names" "$similar" "$folder/dnstwist" "$folder"
# Of the pairs all names count, also those that are not among the others.
{ cat "$names"; cut -f 2 "$folder/tranco.tsv"; } | awk '!known[$0]++' > "$folder/names-pairs.txt"
"$built/zonelens-bench-similar" recall "$folder/names-pairs.txt" "$folder" "$folder/tranco.tsv"
"$built/zonelens-bench-similar" recall "$names" "$folder" "$folder/dnstwist.tsv"

# A store: all names as passive DNS, a list of the phishing hosts as if it were of today, and ranks.
awk '{ printf "{\"rrname\":\"%s\",\"rrtype\":\"A\",\"rdata\":\"100.%d.%d.%d\",\"time_first\":1700000000,\"time_last\":1710000000,\"count\":1}\n",
    $1, 64 + NR % 64, int(NR / 64) % 256, int(NR / 16384) % 256 }' "$names" > "$folder/names.cof"
program="$built/program --data $folder/data"
$program import "$folder/names.cof"
awk -F, 'NR > 1 && $2 == "domain" { print $1 }' "$phishing" | sort -u > "$folder/phishing.txt"
$program import --source phishing --category PHISHING "$folder/phishing.txt"
$program import --source popular --format popularity "$ranks"
$program serve --listen 127.0.0.1:8097 &
serving=$!
trap 'kill $serving' EXIT
sleep 3
python3 "$here/recall.py" phishing http://127.0.0.1:8097 "$names" "$phishing"
python3 "$here/recall.py" times http://127.0.0.1:8097 "$names"
