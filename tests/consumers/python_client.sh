#!/usr/bin/env bash
# A client that is generated from the service's own document (openapi-python-client) looks things up.
# `tests/consumers/python_client.sh PROGRAM`.
set -euo pipefail
. "$(dirname "$0")/service.bash"
package openapi-python-client 0.29.1
serve --listen 127.0.0.1:0

curl --silent --fail --output openapi.json "http://$address/openapi.json"
python3 -m openapi_python_client generate --path openapi.json --meta none --output-path client > generated.log 2>&1 ||
    { cat generated.log; exit 1; }
# Lines of JSON and tables are beyond it; whatever else it left out is a fault of the document.
if grep -A 2 '^WARNING' generated.log | grep -v -e '^WARNING' -e '^--' -e '^$' -e 'nsupported content.type' ; then
    echo "the generator left out more than streams and tables"
    exit 1
fi
ADDRESS=$address TOKEN=$token python3 - <<'PYTHON'
import os
from client import AuthenticatedClient
from client.api.questions import indicator
from client.api.reports import domain_report, hash_report, ip_report, search_domain
from client.api.what_people_say import add_note, notes
from client.models import DomainReport, Problem, Said

client = AuthenticatedClient(base_url="http://" + os.environ["ADDRESS"], token=os.environ["TOKEN"])
report = domain_report.sync("shop.example", client=client)
assert isinstance(report, DomainReport) and report.zone == "Red", report
assert report.domain_general_info.categories == ["CATEGORY_MALWARE"], report
assert report.files_downloaded[0].md_5 == "5D41402ABC4B2A76B9719D911017C592", report
assert ip_report.sync("192.31.196.10", client=client).zone == "Yellow"
assert hash_report.sync("5D41402ABC4B2A76B9719D911017C592", client=client).zone == "Red"
assert search_domain.sync(client=client, request="shop.example").zone == "Red"
unknown = domain_report.sync("unknown.example", client=client)
assert isinstance(unknown, Problem) and unknown.status == 404, unknown
assert indicator.sync(client=client, value="unknown.example").known is False
kept = add_note.sync(client=client, body=Said(indicator="shop.example", by="ann", text="seen"))
assert kept.status == "live", kept
assert notes.sync(client=client, indicator="shop.example").total == 1
print("a generated client looks up: as it should be")
PYTHON
