#!/bin/sh
# The entrypoint that the official server gives every sandbox, with the user's own as arguments. The
# agent is the first process, starts what the user asked for, and ends with it.
exec /opt/opensandbox/execd --listen 0.0.0.0:44772 -- "$@"
