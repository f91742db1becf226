#!/usr/bin/env bash
# Bundles and events as programs of others read them: the STIX validator of OASIS, and PyMISP, which knows MISP's types
# of attributes and templates of objects. `tests/consumers/exports.sh PROGRAM`.
set -euo pipefail

program=$(realpath "${1:?the program to test, as target/release/zonelens}")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/zonelens/stix2-validator-3.2.0-pymisp-2.5.34.4"
[ -d "$cache" ] || python3 -m pip install --quiet --target "$cache" stix2-validator==3.2.0 pymisp==2.5.34.4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat > facts.ndjson <<'FACTS'
{"fact":"resolution","rrname":"shop.example","rrtype":"A","rdata":{"address":"192.31.196.10"},"first":"2024-05-01","last":"2024-05-20","hits":37}
{"fact":"download","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"url":"http://shop.example/a.exe?user=me","first":"2024-05-03","last":"2024-05-04","hits":5}
{"fact":"file_verdict","file":{"md5":"44d88612fea8a8f36de82e1278abb02f"},"zone":"Red","detection_name":"EICAR-Test-File","names":["a.exe"]}
{"fact":"listing","type":"MASK_TYPE_HOST","mask":"shop.example","category":"CATEGORY_MALWARE"}
{"fact":"publication","id":"r-1","type":"APT","title":"On 'shops', <their> tills","published":"2024-05-10","url":"https://reports.example/1"}
{"fact":"mention","publication":"r-1","indicator":"domain:shop.example"}
FACTS
"$program" import --format native facts.ndjson
values=(shop.example 192.31.196.10 http://shop.example/a.exe?user=me 44d88612fea8a8f36de82e1278abb02f)
for format in stix misp; do
    for at in "${!values[@]}"; do
        "$program" lookup --format $format "${values[at]}" > "$format-$at.json"
    done
    printf '%s\n' "${values[@]}" | "$program" lookup - --format $format > "$format-all.json"
done

PYTHONPATH="$cache" python3 - <<'PYTHON'
import glob, json
from pymisp import MISPEvent, MISPObject
from stix2validator import ValidationOptions, validate_file

bundles, events = sorted(glob.glob("stix-*.json")), sorted(glob.glob("misp-*.json"))
assert len(bundles) == 5 and len(events) == 5
for name in bundles:
    result = validate_file(name, ValidationOptions(version="2.1"))
    assert result.is_valid, (name, [str(error) for error in result.object_results[0].errors])
for name in events:
    event = MISPEvent()
    event.load(json.load(open(name)))
    assert event.objects and all(tag.name == "tlp:amber" for tag in event.tags), name
    for one in event.objects:
        template = MISPObject(one.name, strict=True)
        assert template.template_uuid == one.template_uuid, one.name
        for attribute in one.attributes:
            assert template.add_attribute(attribute.object_relation, value=attribute.value, type=attribute.type,
                                          category=attribute.category), (name, attribute.value)
        template.to_json(strict=True)
print("read by others: 5 bundles, 5 events")
PYTHON
