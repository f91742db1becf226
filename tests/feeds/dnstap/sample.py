"""Writes the samples of dnstap: pip install dnspython dnstap-pb fstrm; python sample.py

The messages are made by other people's libraries, on reserved names and addresses."""
import socket
import struct

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import fstrm
from dnstap_pb import dnstap_pb2

CONTENT_TYPE = b"protobuf:dnstap.Dnstap"
AT = 1717239600


def control(kind, content_type=CONTENT_TYPE):
    fields = struct.pack("!II", 1, len(content_type)) + content_type if content_type else b""
    return struct.pack("!III", 0, 4 + len(fields), kind) + fields


def data(payload):
    return struct.pack("!I", len(payload)) + payload


def response(name, kind, records, klass="IN"):
    message = dns.message.make_response(dns.message.make_query(name, kind, klass))
    for owner, record_type, values in records:
        message.answer.append(dns.rrset.from_text(owner, 300, klass, record_type, *values))
    return message


def tap(kind, message, client="192.0.2.10", at=AT, identity=b"resolver.example"):
    envelope = dnstap_pb2.Dnstap(type=1, identity=identity, version=b"sample 1")
    logged = envelope.message
    logged.type = dnstap_pb2.Message.Type.Value(kind)
    logged.socket_protocol = 1
    if client:
        family = socket.AF_INET6 if ":" in client else socket.AF_INET
        logged.socket_family = 2 if ":" in client else 1
        logged.query_address = socket.inet_pton(family, client)
        logged.query_port = 40000
    is_query = kind.endswith("_QUERY")
    if is_query:
        logged.query_time_sec, logged.query_message = at, message
    else:
        logged.query_time_sec = at - 1
        logged.response_message = message
        if at is not None:
            logged.response_time_sec, logged.response_time_nsec = at, 5
    return envelope.SerializeToString()


a = response("www.example.com.", "A", [("www.example.com.", "A", ["192.0.2.1", "192.0.2.2"])])
chain = response("Shop.Example.net.", "AAAA", [
    ("shop.example.net.", "CNAME", ["edge.example.org."]),
    ("edge.example.org.", "CNAME", ["cache.example.org."]),
    ("cache.example.org.", "AAAA", ["2001:db8::7"]),
])
others = response("example.com.", "ANY", [
    ("example.com.", "MX", ["10 mail.example.com."]),
    ("example.com.", "NS", ["ns1.example.com."]),
    ("example.com.", "SOA", ["ns1.example.com. admin.example.com. 2024060100 7200 3600 1209600 300"]),
    ("example.com.", "TXT", ['"v=spf1 -all" "second; part"']),
    ("example.com.", "CAA", ['0 issue "ca.example.net"']),
    ("example.com.", "SRV", ["1 2 443 srv.example.com."]),
    ("example.com.", "TYPE65280", ["\\# 4 0a000001"]),
])
pointer = response("1.2.0.192.in-addr.arpa.", "PTR", [("1.2.0.192.in-addr.arpa.", "PTR", ["www.example.com."])])
unknown = dns.message.make_response(dns.message.make_query("absent.example.com.", "A"))
unknown.set_rcode(dns.rcode.NXDOMAIN)
chaos = response("version.bind.", "TXT", [("version.bind.", "TXT", ['"9"'])], "CH")
query = dns.message.make_query("www.example.com.", "A")

frames = [
    tap("CLIENT_QUERY", query.to_wire()),
    tap("CLIENT_RESPONSE", a.to_wire()),
    tap("RESOLVER_RESPONSE", a.to_wire()),
    tap("CLIENT_RESPONSE", chain.to_wire(), client="2001:db8::10"),
    tap("FORWARDER_RESPONSE", others.to_wire(), client=None),
    tap("STUB_RESPONSE", pointer.to_wire()),
    tap("TOOL_RESPONSE", a.to_wire(), client=None, identity=b""),
    tap("AUTH_RESPONSE", unknown.to_wire()),
    tap("CLIENT_RESPONSE", chaos.to_wire()),
    tap("UPDATE_RESPONSE", a.to_wire()),
]
with open("kinds.in.dnstap", "wb") as file:
    file.write(control(fstrm.FSTRM_CONTROL_START) + b"".join(map(data, frames)) + control(fstrm.FSTRM_CONTROL_STOP, b""))
    # Another stream behind it, as `cat` makes it.
    file.write(control(fstrm.FSTRM_CONTROL_START) + data(frames[1]) + control(fstrm.FSTRM_CONTROL_STOP, b""))

odd = response("example.com.", "A", [("a\\ b.example.com.", "A", ["192.0.2.3"]), ("example.com.", "A", ["192.0.2.4"])])
wire = a.to_wire()
timeless = dnstap_pb2.Dnstap.FromString(tap("CLIENT_RESPONSE", wire))
timeless.message.ClearField("query_time_sec")
timeless.message.ClearField("response_time_sec")
far = tap("CLIENT_RESPONSE", wire, at=1 << 60)
address = dnstap_pb2.Dnstap.FromString(tap("CLIENT_RESPONSE", wire))
address.message.query_address = b"\x01\x02\x03"
bad = [
    data(b"not a message"),
    data(tap("CLIENT_RESPONSE", wire)[:40]),
    data(tap("CLIENT_RESPONSE", wire[:-3])),
    data(tap("CLIENT_RESPONSE", wire[:7])),
    data(tap("CLIENT_RESPONSE", query.to_wire())),
    data(tap("CLIENT_RESPONSE", odd.to_wire())),
    data(timeless.SerializeToString()),
    data(far),
    data(address.SerializeToString()),
    data(tap("CLIENT_RESPONSE", wire).replace(b"\x08\x06", b"\x08\x63", 1)),
    control(fstrm.FSTRM_CONTROL_START, b"protobuf:other.Thing"),
    data(tap("CLIENT_RESPONSE", wire)),
    struct.pack("!II", 0, 4096),
    data(tap("CLIENT_RESPONSE", wire)),
]
with open("bad.in.dnstap", "wb") as file:
    file.write(control(fstrm.FSTRM_CONTROL_START) + b"".join(bad))
with open("cut.in.dnstap", "wb") as file:
    file.write(control(fstrm.FSTRM_CONTROL_START) + data(frames[1]) + data(frames[3])[:30])
with open("open.in.dnstap", "wb") as file:
    file.write(control(fstrm.FSTRM_CONTROL_START) + data(frames[1]))
