#!/usr/bin/env bash
# Requests made up from the service's own document (schemathesis), against a service that runs: each answer is as the
# document says, and none is an error of the service. `tests/consumers/schemathesis.sh PROGRAM [EXAMPLES]`.
set -euo pipefail

program=$(realpath "${1:?the program to test, as target/debug/zonelens}")
examples=${2:-5}
here=$(cd "$(dirname "$0")" && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/zonelens/schemathesis-4.32.5"
[ -d "$cache" ] || python3 -m pip install --quiet --target "$cache" schemathesis==4.32.5
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"

export ZONELENS_NOW=2024-06-01T12:00:00Z
"$program" --data data import --source sensor-1 --format native "$here/facts.ndjson" > /dev/null 2> log
echo 'the password of ann' > password
"$program" --data data user add ann --role admin --password-file password 2>> log
token=$("$program" --data data token create ann test 2>> log)
"$program" --data data serve --listen 127.0.0.1:0 2> serve.log &
server=$!
until address=$(sed -n 's|.*listening on http://\([^ ]*\).*|\1|p' serve.log) && [ -n "$address" ]; do
    kill -0 "$server" || { cat serve.log; exit 1; }
    sleep 0.1
done

# Left out: what is raw, since no document can say it; and the check that whatever a schema allows is accepted, since
# what a domain is, or a URL, no schema says; and the one of wrong credentials, which are soon told to wait (429). What is
# too long is refused with a status of its own.
cat > schemathesis.toml <<TOML
generation = { max-examples = $examples, database = "none" }
seed = 1
continue-on-failure = true
request-timeout = 20
warnings = false

[auth.openapi]
token = { bearer = "$token" }

[checks]
positive_data_acceptance = { enabled = false }
ignored_auth = { enabled = false }
negative_data_rejection = { expected-statuses = ["400", "401", "403", "404", "405", "408", "413", "414", "415", "422"] }
TOML
PYTHONPATH="$cache" python3 -m schemathesis.cli --no-color run "http://$address/openapi.json" \
    --exclude-by '/x-raw-url == true'
