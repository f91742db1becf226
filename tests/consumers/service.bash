# For the scripts beside it: a folder that is removed at the end, packages of PyPI that are fetched once, and a service on a
# small store (`facts.ndjson`) with an admin, `ann`, and a token of hers.

program=$(realpath "${1:?the program to test, as target/debug/zonelens}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"

package() { # name and version; makes python3 find it
    local cache="${XDG_CACHE_HOME:-$HOME/.cache}/zonelens/$1-$2"
    [ -d "$cache" ] || python3 -m pip install --quiet --target "$cache" "$1==$2"
    export PYTHONPATH=$cache PATH=$cache/bin:$PATH
}

export ZONELENS_NOW=2024-06-01T12:00:00Z
echo 'the password of ann' > password
{
    "$program" --data data import --source sensor-1 --format native "$here/facts.ndjson"
    "$program" --data data user add ann --role admin --password-file password
} > /dev/null 2> log
token=$("$program" --data data token create ann test 2>> log)

serve() { # arguments of serve; sets $address
    : > serve.log
    "$program" --data data serve "$@" 2> serve.log &
    server=$!
    until address=$(sed -n 's|.*listening on https*://\([^ ]*\).*|\1|p' serve.log) && [ -n "$address" ]; do
        kill -0 "$server" || { cat serve.log; exit 1; }
        sleep 0.1
    done
}
