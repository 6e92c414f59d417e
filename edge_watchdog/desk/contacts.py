"""Whom to call and how to go online without the line: what was noted, or what always holds."""

import re
from dataclasses import dataclass

from edge_watchdog.core.words import capital
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
NUMBER = re.compile(r"\+?\(?\d[\d ()/-]{5,}\d")  # seven signs at least: no hour, no contract


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the page; *text* "" when nobody noted it."""

    what: str
    text: str

    @property
    def number(self) -> str:
        """Give the first telephone number in the text as it stands there, "" when it has none."""
        found = NUMBER.search(self.text)
        return found[0] if found else ""

    @property
    def before(self) -> str:
        """Give what stands before the number."""
        return self.text.partition(self.number)[0] if self.number else self.text

    @property
    def after(self) -> str:
        """Give what stands after the number."""
        return self.text.partition(self.number)[2] if self.number else ""

    @property
    def call(self) -> str:
        """Give the number for a telephone to dial (RFC 3966); "+44 (0)1632" loses its (0)."""
        return re.sub(r"[^+0-9]", "", self.number.replace("(0)", ""))


@dataclass(frozen=True, slots=True)
class ContactsModel:
    """The page."""

    lines: tuple[Line, ...]
    hotspot: tuple[str, ...]


def contacts_model(noted: Contacts, vendor: str) -> ContactsModel:
    """Put together what was noted."""
    return ContactsModel(
        (
            Line(f"{capital(vendor)} support", noted.vendor_support),
            Line("Internet provider", noted.provider),
            Line("Nearest cash machine", noted.cash_machine),
            *(Line("Also", text) for text in noted.others),
        ),
        noted.hotspot or HOTSPOT,
    )
