#!/usr/bin/env bash
# The vendor's own client (opentip 1.2), as it is published, against the service in the place of the vendor's: in a network
# of its own the vendor's name leads to loopback, with a certificate of an authority made for this run.
# `tests/consumers/opentip.sh PROGRAM`; needs to be root, or to be allowed user namespaces.
set -euo pipefail
if [ -z "${ZONELENS_APART:-}" ]; then
    export ZONELENS_APART=1
    exec unshare --map-root-user --net --mount "$0" "$@"
fi
. "$(dirname "$0")/service.bash"
package opentip 1.2

name=opentip.kaspersky.com
ip link set lo up
printf '127.0.0.1 localhost %s\n' "$name" > hosts
mount --bind hosts /etc/hosts
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=an authority for this run" -keyout ca.key -out ca.pem 2>> log
openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout key.pem -out request.pem 2>> log
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out certificate.pem \
    -extfile <(printf 'subjectAltName=DNS:%s' "$name") 2>> log
cat > zonelens.toml <<TOML
[http.tls]
certificate = "$work/certificate.pem"
key = "$work/key.pem"
TOML
export ZONELENS_CONFIG=$work/zonelens.toml
serve --listen 127.0.0.1:443

export OPENTIP_APIKEY=$token SSL_CERT_FILE=$work/ca.pem
expect() { # what must be said, by which command
    local wanted=$1 said
    shift
    said=$("$@" 2>&1) || true
    case $said in
        *"$wanted"*) printf 'ok: %s\n%s\n' "$*" "$said" ;;
        *) printf 'expected %s of: %s\n%s\n' "$wanted" "$*" "$said"; exit 1 ;;
    esac
}
expect "'Zone': 'Red', 'DomainGeneralInfo'" python3 -m opentip.check_iocs domain shop.example
expect "'Zone': 'Yellow', 'IpGeneralInfo'" python3 -m opentip.check_iocs ip 192.31.196.10
expect "'FileStatus': 'Malware'" python3 -m opentip.check_iocs hash 5d41402abc4b2a76b9719d911017c592
expect "'Url': 'shop.example/get/a.exe'}" python3 -m opentip.check_iocs url http://shop.example/get/a.exe
printf 'hello' > known.bin
printf 'nobody knows this' > unknown.bin
expect Malware python3 -m opentip known.bin
expect NotCategorized python3 -m opentip unknown.bin
OPENTIP_APIKEY=wrong expect '[ERROR]: shop.example' python3 -m opentip.check_iocs domain shop.example
echo "the vendor's client: answered as it should be"
