"""What is said of each cause: one phrase book, and nothing that decides.

Plain words, reading age about eleven; no jargon, no jokes, no promise that nobody made.  {line} is
the uplink spoken of, {vendor} the scheduling vendor.  Where touching things would do harm, the
first step says to leave them alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge_watchdog.core.state import Cause


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is said of one cause.  *label*: a few words for lists; *steps*: three at most."""

    label: str
    headline: str
    changed: str
    steps: tuple[str, ...] = ()
    call: str = ""


WORK_ON = "Take bookings and sales on paper and enter them later."
USE_LIST = "Use today's list on the desk page."
HOTSPOT = "If a computer needs the internet now, join it to a phone's hotspot."
NOTHING = ("Nothing needs to be done.",)

PHRASES: Mapping[Cause, Phrase] = {
    Cause.NONE: Phrase("all is well", "Everything works.", "No trouble is known."),
    Cause.CHECKING: Phrase(
        "still checking",
        "Something is not right. Still checking.",
        "{line} stopped answering a moment ago. What is broken is not known yet.",
        ("Wait a moment. This page says more soon.",),
    ),
    Cause.CABLE_OUT: Phrase(
        "cable out",
        "The network cable of {line} is out.",
        "The box has lost the signal on the cable that leads to the router.",
        (
            "Push the network cable back in at the box and at the router until it clicks.",
            "Look whether the router has lights. If not, check its plug.",
        ),
    ),
    Cause.DEVICE_GONE: Phrase(
        "device not there",
        "The device for {line} is not there.",
        "The box does not find the stick, phone or adapter that {line} needs.",
        ("Plug the stick, phone or adapter for {line} back in.",),
    ),
    Cause.NO_ADDRESS: Phrase(
        "no address from the router",
        "The router does not let the box in on {line}.",
        "The cable is fine, but the router gives the box no address.",
        (
            "Unplug the router, wait 30 seconds, plug it back in.",
            "Wait three minutes until its lights are steady.",
        ),
    ),
    Cause.ROUTER_DEAD: Phrase(
        "router not responding",
        "The router of {line} does not respond.",
        "The cable is fine, but the router does not answer at all.",
        (
            "Unplug the router, wait 30 seconds, plug it back in.",
            "Wait three minutes until its lights are steady.",
        ),
        "If this does not help: the internet provider.",
    ),
    Cause.PROVIDER_DOWN: Phrase(
        "internet provider down",
        "The internet provider of {line} has a fault.",
        "The router works, but nothing beyond it answers.",
        (
            "Leave the router as it is.",
            "Call the internet provider and ask when the line will be back.",
        ),
        "The internet provider.",
    ),
    Cause.NO_DATA: Phrase(
        "no data on the mobile line",
        "{line} is connected but carries no data.",
        "The stick or phone answers, but nothing beyond it does.",
        (
            "Check the signal and the data plan of {line}.",
            "Unplug it, wait ten seconds, plug it back in.",
        ),
        "The mobile provider.",
    ),
    Cause.PARTIAL_ROUTING: Phrase(
        "parts of the internet unreachable",
        "Parts of the internet cannot be reached over {line}.",
        "Some hosts answer, others do not. The fault is beyond the router.",
        ("Leave the router as it is.",),
        "The internet provider, if it lasts.",
    ),
    Cause.DNS_DEAD: Phrase(
        "name service down",
        "The internet is there, but names are not found over {line}.",
        "The provider's or router's name service (DNS) does not answer. Web pages may not open.",
        (
            "Unplug the router, wait 30 seconds, plug it back in.",
            "If it stays: ask the provider about a DNS fault.",
        ),
        "The internet provider.",
    ),
    Cause.PORTAL: Phrase(
        "sign-in page in the way",
        "{line} shows a sign-in page instead of the internet.",
        "The provider or the router wants a sign-in, or has blocked the account.",
        ("Owner: look at the provider's bill, or sign in on the page that appears.",),
        "The internet provider.",
    ),
    Cause.TLS_INTERCEPTED: Phrase(
        "secure pages are tampered with",
        "Something on {line} breaks secure pages.",
        "Secure pages come with a certificate that the box does not know.",
        (
            "Do not click through certificate warnings.",
            "Owner: ask whoever set up the router or a filter.",
        ),
    ),
    Cause.CLOCK_WRONG: Phrase(
        "clock not right",
        "The clock of the box is not right.",
        "The times shown here may be wrong until the clock is set from the internet.",
        NOTHING,
    ),
    Cause.LINE_LOSS: Phrase(
        "line unsteady",
        "{line} is unsteady.",
        "Part of what is sent gets lost on the way. Pages may be slow, calls may break up.",
        NOTHING,
        "The internet provider, if it lasts.",
    ),
    Cause.LOCAL_LOSS: Phrase(
        "local network unsteady",
        "The network between the box and the router is unsteady.",
        "Part of what is sent gets lost before it reaches the router.",
        ("Check the cable between the box and the router.",),
    ),
    Cause.MISROUTED: Phrase(
        "cannot be checked",
        "{line} cannot be checked.",
        "What the box sends over {line} would leave another way.",
        ("Owner: ask the installer to look at the network settings of the box.",),
    ),
    Cause.WIFI_WEAK: Phrase(
        "Wi-Fi signal weak",
        "The Wi-Fi signal of {line} is weak.",
        "The box hears the router or phone only faintly, so much gets lost on the way.",
        (
            "Move the box or the router closer, out of cupboards and away from metal.",
            "Better: connect the box to the router by cable.",
        ),
    ),
    Cause.LAN_SWITCH_DEAD: Phrase(
        "local network down",
        "The local network around the box is down.",
        "The router and other devices of the studio's network vanished together.",
        (
            "Look whether the network switch (the small box with many cables) has power.",
            "Leave the router as it is.",
        ),
    ),
    Cause.ADDRESS_CONFLICT: Phrase(
        "two devices with one address",
        "Two devices on {line} use the same address.",
        "Another device uses the router's or the box's address. The internet may come and go.",
        (
            "Unplug the device that was added last, if there is one.",
            "Owner: ask whoever set up the network.",
        ),
    ),
    Cause.ROGUE_DHCP: Phrase(
        "second device gives out addresses",
        "A device that was added on {line} leads the studio's computers astray.",
        "It gives out addresses as only the router should: computers lose the internet in turn.",
        (
            "Unplug the router or Wi-Fi box that was added last.",
            "Then switch a computer that is offline off and on again.",
        ),
        "If nobody knows of such a device: whoever set up the network.",
    ),
    Cause.SUBNET_OVERLAP: Phrase(
        "addresses overlap",
        "{line} uses the same addresses as the studio's own network.",
        "The box cannot tell the two networks apart, so {line} may not work when it is needed.",
        ("Owner: ask the installer to change the address range of the phone or router.",),
    ),
    Cause.MODEM_DEAD: Phrase(
        "modem or fibre box dead",
        "The modem or fibre box of {line} does not respond.",
        "The router works, but the modem behind it does not answer.",
        (
            "Look whether the modem or fibre box has lights. If not, check its plug.",
            "If it has lights: unplug it, wait 30 seconds, plug it back in.",
        ),
        "If this does not help: the internet provider.",
    ),
    Cause.LINE_NOT_IN_SYNC: Phrase(
        "line from the provider is down",
        "The line from the provider of {line} is down.",
        "The router works, but says itself that it gets no line from the provider.",
        (
            "Look whether the cable from the wall to the modem or router is plugged in.",
            "Leave the router as it is and call the internet provider.",
        ),
        "The internet provider.",
    ),
    Cause.IPV4_DEAD: Phrase(
        "half of the internet unreachable",
        "Most of the internet cannot be reached over {line}.",
        "Only the newer kind of addresses (IPv6) answers. The fault is at the provider.",
        ("Leave the router as it is.", "Call the internet provider."),
        "The internet provider.",
    ),
    Cause.IPV6_DEAD: Phrase(
        "newer addresses do not answer",
        "Some pages open slowly over {line}.",
        "The newer kind of addresses (IPv6) does not answer. The usual kind works.",
        NOTHING,
        "The internet provider, if it lasts.",
    ),
    Cause.DNS_BLOCKED: Phrase(
        "name service blocked",
        "Names are not found over {line}: its name service is blocked.",
        "The internet is there, but no name service (DNS) can be asked, not even one outside.",
        (
            "Owner: ask whoever set up the router or a filter.",
            "If nobody did: call the internet provider.",
        ),
        "The internet provider.",
    ),
    Cause.DNS_HIJACKED: Phrase(
        "false addresses for names",
        "The name service of {line} gives false addresses.",
        "Names lead where they should not. A filter, the provider or a stranger does it.",
        (
            "Do not enter a password on a page that looks different than usual.",
            "Owner: ask whoever set up the router, or the provider.",
        ),
    ),
    Cause.ACCOUNT_BLOCKED: Phrase(
        "account blocked or data used up",
        "The provider of {line} shows a page of its own instead of the internet.",
        "As a rule a bill is unpaid, or the data of the plan is used up.",
        (
            "Do not restart anything here.",
            "Owner: look at the provider's bill and data plan.",
        ),
        "The internet or mobile provider.",
    ),
    Cause.MTU_BLACK_HOLE: Phrase(
        "large pages get stuck",
        "Large pages get stuck on {line}.",
        "Small packets come through, large ones vanish. Secure pages hang while they load.",
        (
            "Leave the router as it is.",
            'Owner: tell the provider "large packets are lost (MTU)".',
        ),
        "The internet provider.",
    ),
    Cause.LINE_SLOW: Phrase(
        "line slow",
        "{line} is slow.",
        "Answers take much longer than usual. Either we use a lot, or the provider is crowded.",
        ("Pause large uploads, backups and films on all devices, phones too.",),
        "The internet provider, if it lasts.",
    ),
    Cause.LINE_FULL: Phrase(
        "line used up by ourselves",
        "Somebody here uses all of {line}.",
        "The line works, but a large upload or download leaves no room for anything else.",
        ("Pause large uploads, backups and films on all devices, phones too.",),
    ),
    Cause.LINE_CONGESTED: Phrase(
        "provider crowded",
        "The provider of {line} is crowded.",
        "Answers take much longer than usual, though hardly anything is used here.",
        NOTHING,
        "The internet provider, if it lasts.",
    ),
    Cause.LINE_UNSTABLE: Phrase(
        "line unstable",
        "{line} is unstable: it keeps going away and coming back.",
        "It failed several times within a few minutes. Meanwhile the steadier one is used.",
        ("Push the cables of {line} in at both ends until they click.",),
        "The internet provider, if it lasts.",
    ),
    Cause.SIM_MISSING: Phrase(
        "no SIM card",
        "There is no SIM card for {line}.",
        "The stick or modem does not find its SIM card.",
        ("Take the stick or modem out, push the SIM card in firmly, plug it back in.",),
        "The mobile provider, if the card is in.",
    ),
    Cause.SIM_LOCKED: Phrase(
        "SIM card locked",
        "The SIM card of {line} is locked.",
        "It wants a PIN or PUK. The box does not guess: a few wrong ones lock the card for good.",
        (
            "Do not try any numbers.",
            "Owner: look up the PIN or PUK in the papers of the SIM card.",
        ),
        "The mobile provider.",
    ),
    Cause.NO_SIGNAL: Phrase(
        "no mobile signal",
        "{line} has hardly any mobile signal.",
        "The mobile network is too faint where the stick, modem or antenna is.",
        ("Move the stick, modem or antenna to a window.",),
        "The mobile provider, if the signal was good before.",
    ),
    Cause.NOT_REGISTERED: Phrase(
        "not let into the mobile network",
        "The mobile network does not let {line} in.",
        "There is a signal, but the network does not accept the SIM card.",
        (
            "Unplug the stick or modem, wait ten seconds, plug it back in.",
            "If it stays: ask the mobile provider whether the card is active.",
        ),
        "The mobile provider.",
    ),
    Cause.DATA_CAP: Phrase(
        "mobile data used up",
        "The mobile data of {line} is used up.",
        "The line may now be very slow, cost more, or show a page of the provider.",
        (
            "Use {line} only for what cannot wait.",
            "Owner: add data to the plan.",
        ),
        "The mobile provider.",
    ),
    Cause.ZOMBIE: Phrase(
        "stick or modem stuck",
        "The stick or modem of {line} is stuck.",
        "It says that it is connected, but nothing it sends is ever answered.",
        ("Unplug the stick or modem, wait ten seconds, plug it back in.",),
        "If this does not help: the mobile provider.",
    ),
    Cause.HOTSPOT_ABSENT: Phrase(
        "hotspot not found",
        "The hotspot of {line} is not there.",
        "The box does not see its name. The phone may be away, or its hotspot switched off.",
        (
            "Bring the phone near the box.",
            "Turn on the hotspot on the phone and keep its page open for a minute.",
        ),
    ),
    Cause.HOTSPOT_PASSWORD: Phrase(
        "hotspot refuses the password",
        "The hotspot of {line} does not accept the box's password.",
        "The password on the phone was changed, or never was what the box was told.",
        ("Owner: set the old password on the phone, or tell the box the new one.",),
    ),
    Cause.BOX_POWER: Phrase(
        "power trouble at the box",
        "The box gets too little power.",
        "Its own voltage dropped when {line} went away. The line itself may be fine.",
        (
            "Use the power supply that came with the box, straight from the wall.",
            "Take away USB devices that do not belong to it.",
        ),
    ),
    Cause.REHEARSAL_FAILED: Phrase(
        "backup failed its rehearsal",
        "{line} was tried out in the night and did not carry everything.",
        "It may not help when it is needed. The owner's page says what was missing.",
        (
            "Nothing needs to be done now: the usual line works.",
            "Owner: look at {line} and its plan before it is needed.",
        ),
        "The provider of {line}, if nothing is found.",
    ),
    Cause.VENDOR_ANNOUNCED: Phrase(
        "vendor reports an outage",
        "{vendor} reports an outage.",
        "Our internet works. {vendor} says on its status page that it has trouble.",
        (USE_LIST, WORK_ON, "Do not restart anything here."),
        "{vendor} knows already.",
    ),
    Cause.VENDOR_SILENT: Phrase(
        "vendor down, not yet acknowledged",
        "{vendor} is not working. It is not us.",
        "Our internet works, {vendor}'s app does not. Its status page does not say so yet.",
        (USE_LIST, WORK_ON, "Do not restart anything here."),
        "{vendor}'s support, if nobody has yet.",
    ),
    Cause.VENDOR_SLOW: Phrase(
        "vendor slow",
        "{vendor} is slow.",
        "Our internet works. {vendor}'s app takes much longer than usual.",
        ("Be patient with each page, and do not press a button twice.", USE_LIST),
    ),
    Cause.VENDOR_PATH: Phrase(
        "vendor not reachable over this line",
        "{vendor} cannot be reached over {line}.",
        "Our internet works and {vendor} works, but the way between them over {line} is broken.",
        (USE_LIST, "Open {vendor} on a phone with mobile data if it is urgent."),
        "The internet provider.",
    ),
    Cause.VENDOR_REFUSES: Phrase(
        "vendor refuses the box",
        "{vendor} refuses the checks of this box.",
        "This says nothing about the app itself: try it. The box now asks less often.",
        ("Go on as usual if {vendor} opens on your computer.",),
    ),
    Cause.VENDOR_NAME: Phrase(
        "vendor's name or certificate broken",
        "{vendor}'s address or certificate is broken.",
        "Our internet works. The fault is on {vendor}'s side.",
        (USE_LIST, WORK_ON, "Do not click through certificate warnings."),
        "{vendor}'s support.",
    ),
    Cause.VENDOR_LOGIN: Phrase(
        "signing in is broken",
        "Signing in to {vendor} is broken for everyone.",
        "Our internet works and {vendor} answers, but signing in leads back to signing in.",
        (
            "Stay signed in where you are. Do not keep trying, do not clear the browser.",
            USE_LIST,
            WORK_ON,
        ),
        "{vendor}'s support, if nobody has yet.",
    ),
    Cause.VENDOR_MAINTENANCE: Phrase(
        "vendor maintenance",
        "{vendor} is under planned maintenance.",
        "{vendor} has announced this work on its status page.",
        (USE_LIST, WORK_ON),
    ),
    Cause.STATUS_PAGE_DOWN: Phrase(
        "status page not readable",
        "Everything works. {vendor}'s status page cannot be read.",
        "{vendor}'s app answers. Only its status page does not.",
        NOTHING,
    ),
}
