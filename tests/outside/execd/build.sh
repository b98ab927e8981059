#!/bin/sh
# Builds the image that the official server takes as its execd image, TAG, of the program AGENT and
# of nothing else: no registry is asked. The server copies /execd and /bootstrap.sh out of it, into
# /opt/opensandbox of every sandbox.
set -eu
[ $# = 2 ] || { echo "usage: $0 AGENT TAG" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
install -m 755 "$1" "$context/execd"
install -m 755 "$here/bootstrap.sh" "$context/bootstrap.sh"
# The server starts a container of it, with "tail -f /dev/null" as its command, before it copies.
# That this entrypoint can be started is enough: it copies from one that has ended as well.
tar -C "$context" --owner=0 --group=0 -c execd bootstrap.sh |
  docker import --change 'ENTRYPOINT ["/execd"]' - "$2"
