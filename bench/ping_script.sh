#!/bin/sh
# The failover script that people write: ping through the broadband line; after so many failed
# rounds put the default route on the backup, after so many good ones take it away again.
# From the environment: TARGETS (pinged one after the other), NEEDED (answers that make a round
# good), WAIT (seconds for one answer), EVERY (seconds between rounds), DOWN, UP (rounds), PHASE
# (seconds before the first round).
set -u

good=0 bad=0 on_backup=
gateway=$(ip -4 route show default dev lte0 | sed -n 's/.*via \([^ ]*\).*/\1/p')
sleep "$PHASE"
while :; do
    answers=0
    for target in $TARGETS; do
        ping -q -c 1 -W "$WAIT" -I wan0 "$target" > /dev/null 2>&1 && answers=$((answers + 1))
        [ "$answers" -lt "$NEEDED" ] || break
    done
    if [ "$answers" -ge "$NEEDED" ]; then
        good=$((good + 1)) bad=0
    else
        bad=$((bad + 1)) good=0
    fi
    if [ -z "$on_backup" ] && [ "$bad" -ge "$DOWN" ]; then
        ip route replace default via "$gateway" dev lte0 metric 50 && on_backup=yes
    elif [ -n "$on_backup" ] && [ "$good" -ge "$UP" ]; then
        ip route del default via "$gateway" dev lte0 metric 50 && on_backup=
    fi
    sleep "$EVERY"
done
