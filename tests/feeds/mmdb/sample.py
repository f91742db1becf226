"""Writes the samples of databases: pip install mmdb-writer netaddr; python sample.py

They are made by somebody else's library, in the shapes of several publishers, on reserved networks."""
import mmdb_writer
from mmdb_writer import MMDBWriter
from netaddr import IPSet

mmdb_writer.time.time = lambda: 1717200000

GEOLITE = [
    (["192.0.2.0/25"], {"country": {"geoname_id": 2921044, "iso_code": "DE", "names": {"en": "Germany"}},
                        "registered_country": {"iso_code": "FR"}, "city": {"names": {"en": "Berlin"}}}),
    (["192.0.2.128/26"], {"country": {"iso_code": "DE"}, "city": {"names": {"en": "Bonn"}}}),
    (["192.0.2.192/26"], {"registered_country": {"iso_code": "NL"}}),
    (["198.51.100.0/24", "2001:db8::/33"], {"continent": {"code": "EU"}}),
    (["2001:db8:8000::/33"], {"country": {"iso_code": "SE"}}),
    (["203.0.113.0/24"], {"country": {"iso_code": "Germany"}}),
]
ASN = [
    (["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"],
     {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Networks"}),
    (["203.0.113.0/25"], {"autonomous_system_number": 0}),
    (["203.0.113.128/25"], {"autonomous_system_number": 64497}),
]
DBIP = [(["192.0.2.0/24"], {"country": {"iso_code": "AU"}, "traits": {
    "autonomous_system_number": 64500, "autonomous_system_organization": "Example ISP", "isp": "Example"}})]
IPINFO = [
    (["192.0.2.0/24"], {"country": "US", "country_name": "United States", "asn": "AS64496", "as_name": "Example, Inc.",
                        "as_domain": "example.com"}),
    (["198.51.100.0/24"], {"country": "United States", "country_code": "US", "asn": "", "as_name": ""}),
]
# A network of the registries that is not reserved, for what a report says of it.
IPINFO.append((["192.31.196.0/24"], {"country": "CH", "asn": "AS64498", "as_name": "Example GmbH"}))
PLAIN = [(["192.0.2.0/24"], {"country_code": "JP"}), (["198.51.100.0/24"], "no map")]

for name, version, records in [("city", 6, GEOLITE), ("asn", 6, ASN), ("isp", 4, DBIP), ("ipinfo", 4, IPINFO),
                               ("plain", 4, PLAIN)]:
    writer = MMDBWriter(version, "Example-" + name, ["en"], "a sample", ipv4_compatible=version == 6)
    for networks, record in records:
        writer.insert_network(IPSet(networks), record)
    writer.to_db_file(name + ".in." + name + ".mmdb")
whole = open("city.in.city.mmdb", "rb").read()
marker = whole.index(b"\xab\xcd\xefMaxMind.com")
open("cut-unrecognised.in.mmdb", "wb").write(whole[: len(whole) * 2 // 3])
# The tree of the first nodes leads back to the root, and to itself.
open("cycle.in.mmdb", "wb").write(bytes(600) + whole[600:])
# Each node leads to the next in two ways: 2^128 paths.
size = 6
at = whole.index(b"node_count", marker) + 10
count = int.from_bytes(whole[at + 1:][:whole[at] & 31], "big")
nodes = b"".join((n + 1).to_bytes(3, "big") * 2 for n in range(count))
open("paths.in.mmdb", "wb").write(nodes + whole[count * size:])
