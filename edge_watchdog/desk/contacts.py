"""Whom to call and how to go online without the line: what was noted, or what always holds."""

from dataclasses import dataclass

from edge_watchdog.desk.settings import Contacts

HOTSPOT = (
    "On a phone: mobile data on, Wi-Fi off. Put it on its charger.",
    (
        "iPhone: Settings, Personal Hotspot, Allow Others to Join: on. "
        "Android: Settings, Network and internet, Hotspot and tethering, Wi-Fi hotspot: on."
    ),
    "The phone now shows the name of its network and a password.",
    "On the computer or tablet: choose that name among the Wi-Fi networks, type the password.",
    "Open the appointment book only. Music, updates and films wait: mobile data may cost money.",
    (
        "When the line is back: switch the hotspot off and go back to the studio's own Wi-Fi. "
        "This page is on the studio's network only."
    ),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the page; *text* "" when nobody noted it."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class ContactsModel:
    """The page."""

    lines: tuple[Line, ...]
    hotspot: tuple[str, ...]


def contacts_model(noted: Contacts, vendor: str) -> ContactsModel:
    """Put together what was noted."""
    return ContactsModel(
        (
            Line(f"Support of {vendor}", noted.vendor_support),
            Line("Internet provider", noted.provider),
            Line("Nearest cash machine", noted.cash_machine),
            *(Line("Also", text) for text in noted.others),
        ),
        noted.hotspot or HOTSPOT,
    )
