#!/usr/bin/env bash
# A TAXII 2.1 collection of a real server (medallion, the reference implementation of OASIS), read by the real program:
# pages, what is new, credentials, and the collections that a server offers. `tests/consumers/taxii.sh PROGRAM`.
set -euo pipefail

program=$(realpath "${1:?the program to test, as target/release/zonelens}")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/zonelens/medallion-3.0.0"
[ -d "$cache" ] || python3 -m pip install --quiet --target "$cache" medallion==3.0.0
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"

# Seven indicators in a collection, three to a page; `add` adds one more.
cat > serve.py <<'PYTHON'
import json
from werkzeug.serving import make_server
import medallion

def indicator(number):
    moment = f"2024-05-0{number}T00:00:00.000Z"
    identifier = f"indicator--00000000-0000-4000-8000-00000000000{number}"
    return {"type": "indicator", "spec_version": "2.1", "id": identifier, "created": moment, "modified": moment,
            "valid_from": moment, "pattern_type": "stix", "indicator_types": ["malicious-activity"],
            "pattern": f"[domain-name:value = 'host{number}.example']"}

def manifest(number):
    one = indicator(number)
    return {"id": one["id"], "date_added": f"2024-05-0{number}T12:00:00.000000Z", "version": one["modified"],
            "media_type": "application/stix+json;version=2.1"}

collection = {"id": "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "title": "Indicators", "can_read": True, "can_write": True,
              "media_types": ["application/stix+json;version=2.1"],
              "objects": [indicator(number) for number in range(1, 8)],
              "manifest": [manifest(number) for number in range(1, 8)]}
root = {"title": "Root", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 9765625}
data = {"/discovery": {"title": "Server", "default": "/api1/", "api_roots": ["/api1/"]},
        "api1": {"information": root, "status": [], "collections": [collection]}}
json.dump(data, open("data.json", "w"))
configuration = {"backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
                             "filename": "data.json"},
                 "users": {"ann": "pw"}, "taxii": {"max_page_size": 3}}
json.dump(configuration, open("medallion.json", "w"))
app = medallion.load_app("medallion.json")
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
PYTHONPATH="$cache" python3 serve.py > port 2> log &
server=$!
until [ -s port ]; do
    kill -0 "$server" || { cat log; exit 1; }
    sleep 0.1
done
base="http://127.0.0.1:$(cat port)"
collection="$base/api1/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/"
echo pw > key

expect() { # what must be in the output of the rest
    local wanted=$1
    shift
    local said
    said=$("$@" 2>&1) || true
    case $said in *"$wanted"*) ;; *)
        printf 'expected %s of: %s\n%s\n' "$wanted" "$*" "$said"
        exit 1
        ;;
    esac
}
add() { "$program" source add "$1" "taxii+$2" --allow-private "${@:3}" > /dev/null; }

add partner "$collection" --user ann --key-file key
expect "7 listing" "$program" source refresh partner
expect "not modified" "$program" source refresh partner
expect "partner" "$program" lookup host7.example --sections FeedMasks
curl --silent --fail --user ann:pw -H 'Accept: application/taxii+json;version=2.1' \
    -H 'Content-Type: application/taxii+json;version=2.1' --output /dev/null --data '{"objects":[{
    "type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000008",
    "created":"2024-06-01T00:00:00.000Z","modified":"2024-06-01T00:00:00.000Z","valid_from":"2024-06-01T00:00:00Z",
    "pattern_type":"stix","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = '"'host8.example'"']"}]}' \
    "${collection}objects/"
expect "1 listing" "$program" source refresh partner
expect "not modified" "$program" source refresh partner
for path in /taxii2/ /api1/ /api1/collections/; do
    add root "$base$path" --user ann --key-file key
    expect "taxii+$collection Indicators" "$program" source refresh root
    "$program" source remove root > /dev/null
done
add stranger "$collection"
expect "401 Unauthorized: check the credentials" "$program" source refresh stranger
echo "TAXII: read from medallion as it should be"
