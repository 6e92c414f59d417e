#!/bin/sh
# Writes the box's resolv.conf from the name servers of each lease, preferred uplink first.
# In place, not renamed: the bind mount over /etc/resolv.conf follows the file, not its name.
set -u
for interface in wan0 lte0 phone0; do
    cat "$LAB_RUN/resolvers.$interface" 2> /dev/null
done > "$LAB_RUN/resolv.conf"
exit 0
