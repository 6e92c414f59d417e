"""The catalogue of faults: which signs each known fault of a line must show.

A row lists, for each sign it speaks of, the values that fit.  A row that is silent about a sign
says that the sign does not matter to it, unless the sign's value is a proof: a proof is seen for
one reason only and wants to be explained.
"""

from collections.abc import Mapping
from enum import StrEnum

from edge_watchdog.core.state import Cause


class Sign(StrEnum):
    """What is looked at; each takes one of a few values, or is unknown and left out.

    From SIX on only a driver or the box itself can tell; most are read only while the line fails,
    because what is odd about a line that works explains nothing.
    """

    DEVICE = "device"  # there, gone
    CARRIER = "carrier"  # ok, fail
    ADDRESS = "address"  # ok, fail
    ROUTED = "routed"  # ok, astray
    GATEWAY = "gateway"  # ok, lossy, fail
    ANCHORS = "anchors"  # ok, lossy, partial, fail
    NAMES = "names"  # ok, false, fail
    PUBLIC = "public"  # ok, blocked: name servers of others, looked at while our own fail
    WEB = "web"  # ok, portal, garden, fail
    SECURE = "secure"  # ok, intercepted, clock, stalls
    SIZE = "size"  # ok, cut: large packets, looked at while secure pages or the app hang
    DELAY = "delay"  # ok, high
    METERED = "metered"  # yes, no
    SIX = "six"  # ok, dead, alone: IPv6 beside IPv4
    LOAD = "load"  # idle, busy: our own, looked at while answers come late
    PEERS = "peers"  # ok, vanished: other devices of the local network
    CLAIM = "claim"  # ok, twofold, ours: two devices use one address, the router's or our own
    OFFERS = "offers"  # rogue: a second device hands out addresses, and leads computers astray
    RANGE = "range"  # ok, overlap: of the line's and the studio's addresses
    MODEM = "modem"  # ok, mute
    WAN = "wan"  # ok, offline: the router's own word
    EDGE = "edge"  # ok, quiet: the provider's first machine, asked while nobody beyond answers
    RADIO = "radio"  # ok, weak
    JOIN = "join"  # ok, absent, refused
    SIM = "sim"  # ok, missing, locked
    MOBILE = "mobile"  # ok, faint, unregistered
    PLAN = "plan"  # ok, used
    TRAFFIC = "traffic"  # ok, oneway
    POWER = "power"  # low


Signs = Mapping[Sign, str]
Row = Mapping[Sign, frozenset[str]]

# values that are seen for one reason only
PROOFS = frozenset(
    {
        *("gone", "astray", "portal", "garden", "intercepted", "clock", "stalls", "high"),
        *("false", "blocked", "cut", "dead", "alone", "idle", "busy", "vanished", "twofold"),
        *("ours", "rogue"),
        *("overlap", "mute", "offline", "weak", "absent", "refused", "missing", "locked"),
        *("faint", "unregistered", "used", "oneway", "low"),
    }
)
# what says nothing while it is in order, so that a row need not speak of it
ASIDE = frozenset(Sign) - frozenset(
    (
        Sign.DEVICE,
        Sign.CARRIER,
        Sign.ADDRESS,
        Sign.ROUTED,
        Sign.GATEWAY,
        Sign.ANCHORS,
        Sign.NAMES,
        Sign.WEB,
        Sign.SECURE,
    )
)


def _row(**wanted: str) -> Row:
    return {Sign(name): frozenset(values.split()) for name, values in wanted.items()}


def _here(**wanted: str) -> Row:
    """Give a row of a fault behind a link that is fine, and secure pages unless said otherwise."""
    fine = {"device": "there", "carrier": "ok", "address": "ok", "routed": "ok", "secure": "ok"}
    fine["delay"] = "ok high"  # a slow line may have any of these faults besides
    return _row(**(fine | wanted))


def _dead(**wanted: str) -> Row:
    """Give a row of a fault that leaves the router and takes everything beyond it."""
    silent = {"gateway": "ok lossy", "anchors": "fail", "names": "fail ok", "web": "fail ok"}
    return _here(**(silent | wanted))


def _anyhow(**wanted: str) -> Row:
    """Give a row of a fault that its own proof shows, however far the line still comes."""
    whatever = {
        "device": "there",
        "carrier": "ok fail",
        "address": "ok fail",
        "routed": "ok astray",
        "gateway": "ok lossy fail",
        "anchors": "ok lossy partial fail",
        "names": "ok fail",
        "web": "ok fail",
        "secure": "ok",
    }
    return _row(**(whatever | wanted))


WORKS = {"gateway": "ok", "anchors": "ok", "names": "ok", "web": "ok"}

TABLE: Mapping[Cause, Row] = {
    Cause.NONE: _here(**WORKS, delay="ok"),
    Cause.DEVICE_GONE: _row(device="gone"),
    Cause.CABLE_OUT: _row(
        device="there",
        carrier="fail",
        gateway="fail ok",
        anchors="fail ok",
        names="fail ok",
        web="fail ok",
        secure="ok",
        address="ok fail",
        routed="ok astray",
    ),
    Cause.NO_ADDRESS: _row(
        device="there",
        carrier="ok",
        address="fail",
        anchors="fail ok",
        gateway="fail ok",
        names="fail ok",
        web="fail ok",
        secure="ok",
        routed="ok astray",
    ),
    Cause.MISROUTED: _row(device="there", carrier="ok", address="ok", routed="astray"),
    Cause.ROUTER_DEAD: _dead(gateway="fail", peers="ok"),
    Cause.LAN_SWITCH_DEAD: _dead(gateway="fail", peers="vanished"),
    Cause.ADDRESS_CONFLICT: _anyhow(carrier="ok", address="ok", routed="ok", claim="twofold ours"),
    Cause.ROGUE_DHCP: _anyhow(
        carrier="ok", address="ok", routed="ok", names="ok false fail", offers="rogue"
    ),
    Cause.SUBNET_OVERLAP: _anyhow(carrier="ok", range="overlap"),
    Cause.PROVIDER_DOWN: _dead(metered="no", modem="ok", wan="ok", edge="ok quiet"),
    Cause.MODEM_DEAD: _dead(modem="mute", edge="quiet"),
    Cause.LINE_NOT_IN_SYNC: _dead(wan="offline", edge="quiet"),
    Cause.NO_DATA: _dead(metered="yes", edge="ok quiet"),
    Cause.IPV4_DEAD: _dead(six="alone"),
    Cause.IPV6_DEAD: _here(**WORKS | {"anchors": "ok lossy"}, six="dead"),
    Cause.PARTIAL_ROUTING: _here(
        gateway="ok", anchors="partial", names="ok fail", web="ok fail", secure="ok stalls"
    ),
    Cause.DNS_DEAD: _here(gateway="ok", anchors="ok lossy", names="fail", web="ok", public="ok"),
    Cause.DNS_BLOCKED: _here(
        gateway="ok", anchors="ok lossy", names="fail", web="ok fail", public="blocked"
    ),
    Cause.DNS_HIJACKED: _here(
        gateway="ok", anchors="ok lossy", names="false", web="ok fail", secure="ok stalls"
    ),
    Cause.PORTAL: _here(
        gateway="ok",
        anchors="ok fail partial lossy",
        names="ok false fail",
        web="portal",
        secure="ok intercepted stalls",
    ),
    Cause.ACCOUNT_BLOCKED: _here(
        gateway="ok",
        anchors="ok fail partial lossy",
        names="ok false fail",
        web="garden",
        secure="ok intercepted stalls",
    ),
    # the secure page itself may be the last one asked
    Cause.TLS_INTERCEPTED: _here(**WORKS | {"web": "ok fail"}, secure="intercepted"),
    Cause.CLOCK_WRONG: _here(**WORKS | {"web": "ok fail"}, secure="clock"),
    Cause.MTU_BLACK_HOLE: _here(**WORKS | {"anchors": "ok lossy"}, secure="ok stalls", size="cut"),
    Cause.LINE_LOSS: _here(gateway="ok", anchors="lossy", names="ok", web="ok fail"),
    Cause.LOCAL_LOSS: _here(gateway="lossy", anchors="lossy", names="ok fail", web="ok fail"),
    Cause.LINE_SLOW: _here(**WORKS, delay="high"),
    Cause.LINE_FULL: _here(**WORKS | {"anchors": "ok lossy"}, delay="high", load="busy"),
    Cause.LINE_CONGESTED: _here(**WORKS | {"anchors": "ok lossy"}, delay="high", load="idle"),
    Cause.WIFI_WEAK: _anyhow(anchors="lossy partial fail", radio="weak"),
    Cause.HOTSPOT_ABSENT: _anyhow(carrier="fail", join="absent"),
    Cause.HOTSPOT_PASSWORD: _anyhow(carrier="fail", join="refused"),
    Cause.SIM_MISSING: _anyhow(anchors="fail", sim="missing"),
    Cause.SIM_LOCKED: _anyhow(anchors="fail", sim="locked"),
    Cause.NO_SIGNAL: _anyhow(anchors="lossy partial fail", mobile="faint"),
    Cause.NOT_REGISTERED: _anyhow(anchors="fail", mobile="unregistered"),
    Cause.DATA_CAP: _anyhow(
        anchors="ok lossy partial fail", web="ok portal garden fail", plan="used"
    ),
    Cause.ZOMBIE: _dead(gateway="ok lossy fail", traffic="oneway"),
    Cause.BOX_POWER: _anyhow(device="there gone", power="low"),
}
