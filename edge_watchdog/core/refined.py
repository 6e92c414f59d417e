"""What is said instead of a cause's own words where more is known than the cause.

Texts only, like phrases.py; words.py chooses.  {line}, {vendor}, {backup} and {steered} are filled
in there, the rest where it is said.
"""

from edge_watchdog.core.phrases import NOTHING, PHRASES, Phrase
from edge_watchdog.core.state import Cause

# Where it is the box's own address that another device uses.
OWN_ADDRESS = Phrase(
    PHRASES[Cause.ADDRESS_CONFLICT].label,
    "Another device on {line} uses the box's own address.",
    "Answers for the box go to that device now and then. The internet may come and go.",
    (
        "Unplug the device that was added last, if there is one.",
        'Owner: have the router keep the box\'s address for the box ("reserved address").',
    ),
)

# Where the studio's own network is out of the reach of a box with two legs; {lasted}: how long.
LAN_LOST = Phrase(
    PHRASES[Cause.LAN_SWITCH_DEAD].label,
    "The box does not reach the studio's own network any more.",
    "The studio's computers are offline, whatever line the box is on. Work on paper meanwhile.",
    (
        "Look whether the network switch (the small box with many cables) has power.",
        "Push the cable between the box and the switch in at both ends until it clicks.",
        "Leave the router as it is.",
    ),
)
LAN_BACK = "The studio's own network is back. It took {lasted}."
STRANGER_GONE = "No second device gives out addresses any more. It took {lasted}."

# Where the device that leads computers astray is known, {who}.
IT_IS = "Owner: the device is {who}, as the lists of the router or switch show it."

# Where the network itself names its sign-in page, {page}.
SIGN_IN = "Owner: sign in at {page} on a device that uses {line}."

# While a line that works again must stay well before it is used; {what} is what it had.
MENDED = Phrase(
    "works again",
    "{line} works again.",
    "It was: {what}. The box stays on {backup} until {line} has been well for a while, "
    "then goes back by itself.",
    NOTHING,
)
MENDED_BOX = (
    "Yes. The box is online over {backup} and keeps today's list fresh. "
    "Computers that use {line} should be online again."
)

# While the vendor alone goes over another line; {steered} is that line.
STEERED = Phrase(
    PHRASES[Cause.VENDOR_PATH].label,
    "{vendor} is reached over {steered} for now.",
    "The way between {line} and {vendor} is broken, so {vendor} alone goes over {steered}."
    " Everything else stays on {line}.",
    (),
    PHRASES[Cause.VENDOR_PATH].call,
)
STEERED_ALL = "Yes, work as usual. {vendor} goes over {steered}, everything else over {line}."
STEERED_BOX = (
    "Yes, with today's list. The box reaches {vendor} over {steered} and keeps the list"
    " fresh; computers that use {line} do not reach {vendor}."
)

# While the studio's computers behind the box get their names from others than {line}'s own.
OTHER_NAMES = Phrase(
    PHRASES[Cause.DNS_DEAD].label,
    PHRASES[Cause.DNS_DEAD].headline,
    "The name service (DNS) of {line} does not answer. The box asks others for the studio's"
    " computers, so pages open.",
    ("Leave the router as it is: there is nothing to do at the desk.",),
    "The internet provider, if it lasts.",
)
NAMES_BY_TCP = Phrase(
    PHRASES[Cause.DNS_BLOCKED].label,
    PHRASES[Cause.DNS_BLOCKED].headline,
    "No name service (DNS) can be asked the usual way. The box asks in another way (TCP) for the"
    " studio's computers, so pages should open.",
    PHRASES[Cause.DNS_BLOCKED].steps,
    PHRASES[Cause.DNS_BLOCKED].call,
)
