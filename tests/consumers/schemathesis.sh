#!/usr/bin/env bash
# Requests made up from the service's own document (schemathesis), against a service that runs: each answer is as the
# document says, and none is an error of the service. `tests/consumers/schemathesis.sh PROGRAM [EXAMPLES]`.
set -euo pipefail
. "$(dirname "$0")/service.bash"
package schemathesis 4.32.5
serve --listen 127.0.0.1:0

# Left out: what is raw, since no document can say it; the check that whatever a schema allows is accepted, since what a
# domain is, or a URL, no schema says; and the one of wrong credentials, which are soon told to wait (429). What is too
# long is refused with a status of its own.
cat > schemathesis.toml <<TOML
generation = { max-examples = ${2:-3}, database = "none" }
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

# What is wrong with a question of MISP is answered in the words of its modules, with 200.
[[operations]]
include-operation-id = "mispQuery"
checks = { negative_data_rejection = { enabled = false } }
TOML
python3 -m schemathesis.cli --no-color run "http://$address/openapi.json" --exclude-by '/x-raw-url == true'
