#!/usr/bin/env bash
# The pages in a browser: Debian's chromium, driven by playwright-core; `node --test` prints a summary.
#   tests/browser/run.sh PROGRAM [FILE.test.mjs …]    the tests, or some of them
#   tests/browser/run.sh PROGRAM screenshots          draws docs/img again
# Packages and whatever else is made stand in the build's cache and in a folder that is removed; nothing is left running.
set -euo pipefail

program=$(realpath "${1:?the program to test, as target/debug/zonelens}")
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/zonelens/target}/browser-tests"
export CHROMIUM="${CHROMIUM:-/usr/bin/chromium}"

if [ ! -x "$CHROMIUM" ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "there is no $CHROMIUM: install it (Debian: apt-get install chromium), or say where it is with CHROMIUM=…" >&2
        exit 1
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium > /dev/null
fi
if ! command -v npm > /dev/null; then
    echo "there is no npm: install Node.js 20 or later, with npm" >&2
    exit 1
fi

# Modules are looked for beside the files that name them, so the files stand beside the modules.
mkdir -p "$cache"
rm -rf "$cache"/*.mjs "$cache/lib"
cp -r "$here"/*.mjs "$here/lib" "$cache"
if ! cmp -s "$here/package-lock.json" "$cache/installed.json"; then
    cp "$here"/package*.json "$cache"
    npm ci --prefix "$cache" --no-audit --no-fund --ignore-scripts
    cp "$here/package-lock.json" "$cache/installed.json"
fi

work=$(mktemp -d)
jobs=()
finish() {
    for job in "${jobs[@]}"; do kill -- "-$job" 2> /dev/null || true; done
    wait
    rm -rf "$work"
}
trap finish EXIT
set -m # each job is a group of processes, which ends as a whole
cd "$work"

answers() { # name of a log, and the process that writes it; prints the address that it says
    local tries=0 address
    until address=$(grep -ohm1 'http://127\.0\.0\.1:[0-9]*' "$1.log"); do
        if [ $((tries += 1)) -gt 3000 ] || ! kill -0 "$2" 2> /dev/null; then
            cat "$1.log" >&2
            exit 1
        fi
        sleep 0.1
    done
    head -n 1 <<< "$address"
}

"$program" demo --data demo --listen 127.0.0.1:0 > demo.log 2>&1 &
jobs+=($!) demo=$!

export ZONELENS_PASSWORD='the password of ann'
echo "$ZONELENS_PASSWORD" > password
node "$cache/lib/hostile.mjs" > hostile.ndjson
# Who of one's own talked to what is kept as well.
printf '[telemetry]\ncontacts = true\n' > zonelens.toml
{
    "$program" --data own import --source sensor-1 --format native --rejects rejects hostile.ndjson
    "$program" --data own user add ann --role admin --password-file password
} > own.log 2>&1 || { cat own.log; exit 1; }
if [ -s rejects ]; then
    echo "what is not imported is on no page:"
    cat rejects
    exit 1
fi
"$program" --data own serve --listen 127.0.0.1:0 > own.log 2>&1 &
jobs+=($!) own=$!

ZONELENS_OWN=$(answers own "$own")
ZONELENS_DEMO=$(answers demo "$demo")
export ZONELENS_OWN ZONELENS_DEMO

cd "$cache"
if [ "${1:-}" = screenshots ]; then
    node screenshots.mjs "$here/../../docs/img"
else
    timeout 1200 node --test --test-reporter=spec "${@:-.}" < /dev/null &
    jobs+=($!)
    wait $!
fi
