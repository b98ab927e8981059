#!/bin/sh
# The entrypoint that the official server gives every sandbox, with the user's own as arguments. The
# agent is the first process, starts what the user asked for, and ends with it.
#
# A real execd keeps a command's stream open for a second after its last event unless this says
# otherwise; our agent does not unless this says so.
export EXECD_API_GRACE_SHUTDOWN="${EXECD_API_GRACE_SHUTDOWN-1s}"
exec /opt/opensandbox/execd --listen 0.0.0.0:44772 -- "$@"
