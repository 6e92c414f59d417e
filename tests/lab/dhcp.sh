#!/bin/sh
# What a network manager does with a DHCP lease: udhcpc runs this with $1 and the lease in variables.
# LAB_RUN is the folder for the resolver files, LAB_METRIC the metric of this uplink's default route.
set -eu

case "$1" in
deconfig)
    ip -4 address flush dev "$interface"
    ip link set "$interface" up
    ;;
bound | renew)
    ip -4 address replace "$ip/$mask" dev "$interface"
    ip -4 route replace default via "${router%% *}" dev "$interface" \
        proto dhcp src "$ip" metric "$LAB_METRIC"
    for server in $dns; do echo "nameserver $server"; done > "$LAB_RUN/new.$interface"
    mv "$LAB_RUN/new.$interface" "$LAB_RUN/resolvers.$interface"
    sh "$(dirname "$0")/resolv.sh"
    # Option 114 comes as hexadecimal digits: udhcpc has no name for it.
    if [ -n "${opt114:-}" ]; then
        echo "$opt114" | busybox xxd -r -p > "$LAB_RUN/new.$interface"
        mv "$LAB_RUN/new.$interface" "$LAB_RUN/portal.$interface"
    else
        rm -f "$LAB_RUN/portal.$interface"
    fi
    ;;
esac
