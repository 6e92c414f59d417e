#!/bin/sh
# What a network manager does when a cable is pulled: default route and name servers go a second
# later, the address stays; when the carrier is back the lease is renewed, and both return.
# LAB_RUN is the folder with the DHCP clients' pid files.
set -u

lost() {
    sleep 1
    if ip -o link show dev "$1" | grep -q NO-CARRIER; then
        ip -4 route flush default dev "$1"
        rm -f "$LAB_RUN/resolvers.$1"
        sh "$(dirname "$0")/resolv.sh"
    fi
}

ip -o monitor link | while read -r _ name flags _; do
    interface=${name%%[@:]*}
    pid_file="$LAB_RUN/udhcpc.$interface.pid"
    [ -e "$pid_file" ] || continue
    case "$flags" in
    *NO-CARRIER*) lost "$interface" & ;;
    *LOWER_UP*)
        if [ -z "$(ip -4 route show default dev "$interface")" ]; then
            kill -USR1 "$(cat "$pid_file")"
        fi
        ;;
    esac
done
