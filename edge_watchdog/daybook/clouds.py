"""The keys of the sources that are vendors' clouds, and how each is built from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from edge_watchdog.clock import Clock
from edge_watchdog.core.units import FilePath, Url
from edge_watchdog.daybook import DaybookError, ScheduleConnector
from edge_watchdog.daybook.acuity import BASE_URL as ACUITY_URL
from edge_watchdog.daybook.acuity import Acuity
from edge_watchdog.daybook.ics import may_be_plain, trust
from edge_watchdog.daybook.mapping import Mapping as ApiMapping
from edge_watchdog.daybook.mapping import preset, presets, read_mapping
from edge_watchdog.daybook.mindbody import BASE_URL as MINDBODY_URL
from edge_watchdog.daybook.mindbody import Mindbody
from edge_watchdog.daybook.model import Tested
from edge_watchdog.daybook.rest import Keys, RestSource
from edge_watchdog.daybook.square import BASE_URL as SQUARE_URL
from edge_watchdog.daybook.square import Square

MOST_MAPPING_BYTES = 2**18
USUAL_REQUESTS_A_DAY = 1000


def _address(doc: str) -> Mapping[str, str]:
    return {"doc": doc, "example": "https://api.bookwell.example"}


def _refuse_plain(url: Url | None) -> None:
    if url is not None and url.startswith("http://") and not may_be_plain(url):
        raise ValueError("base_url must be https://: it carries the key and clients' names")


@dataclass(frozen=True, slots=True)
class RestOptions:
    """A vendor's JSON API, read by a preset or by a mapping of your own."""

    tested: ClassVar[Tested] = Tested.CONTRACT

    preset: str = field(
        default="",
        metadata={
            "doc": f"Which vendor: {', '.join(presets())}; or give mapping.",
            "example": "cliniko",
        },
    )
    mapping: FilePath | None = field(
        default=None,
        metadata={
            "doc": "A file of the form of the presets, for another vendor.",
            "example": "/etc/edge-watchdog/bookwell.toml",
        },
    )
    key_file: FilePath | None = field(
        default=None,
        metadata={
            "doc": "A file with the key, password or refresh token.",
            "example": "/etc/edge-watchdog/vendor.key",
        },
    )
    user: str = field(
        default="", metadata={"doc": "The user or e-mail address that goes with the key."}
    )
    values: Mapping[str, str] = field(
        default_factory=dict,
        metadata={
            "doc": "What the preset asks for, such as a branch; `check` names what is missing.",
            "example": {"shard": "uk1", "contact": "owner@lotus.example"},
        },
    )
    token_file: str = field(
        default="",
        metadata={
            "doc": "Where a refresh token that the vendor renews is kept; the desk half writes it.",
            "example": "/var/lib/edge-watchdog/desk/vendor.token",
        },
    )
    currency: str = field(
        default="",
        metadata={
            "doc": "Of its prices, where they come without; none of those are shown without it.",
            "example": "GBP",
        },
    )
    base_url: Url | None = field(
        default=None, metadata=_address("Another host than the preset's, such as a region's.")
    )

    def __post_init__(self) -> None:
        """Refuse an unknown preset, what it needs and did not get, and keys sent in the clear."""
        _refuse_plain(self.base_url)
        if bool(self.preset) == (self.mapping is not None):
            raise ValueError("give preset or mapping, one of the two")
        if not self.preset:
            return
        try:
            known = preset(self.preset)
        except DaybookError as error:
            raise ValueError(str(error)) from None
        missing = [name for name in known.needs if name not in self.values]
        if missing:
            raise ValueError(f"values must give {', '.join(missing)} for {known.label}")

    @property
    def requests_a_day(self) -> int | None:
        """Give what the mapping says that the vendor bears, else what most do."""
        try:
            return self._read().requests_a_day or USUAL_REQUESTS_A_DAY
        except DaybookError:
            return USUAL_REQUESTS_A_DAY

    def build(self, clock: Clock, ca_file: str | None) -> ScheduleConnector:
        """Build the connector; *ca_file* is extra trust.  Raises DaybookError."""
        keys = Keys(
            self.values, self.user, self.key_file or "", self.token_file, self.base_url or ""
        )
        made = self._read()
        made = replace(made, currency=self.currency or made.currency)
        return RestSource(made, keys, clock, trust(ca_file))

    def _read(self) -> ApiMapping:
        if self.mapping is None:
            return preset(self.preset)
        try:
            text = Path(self.mapping).read_bytes()[:MOST_MAPPING_BYTES].decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DaybookError(f"{self.mapping} could not be read: {error}") from None
        made = read_mapping(text, self.mapping)
        if missing := [name for name in made.needs if name not in self.values]:
            raise DaybookError(f"{self.mapping}: values must give {', '.join(missing)}")
        return made


@dataclass(frozen=True, slots=True)
class AcuityOptions:
    """Acuity Scheduling, by its API."""

    tested: ClassVar[Tested] = Tested.CONTRACT
    requests_a_day: ClassVar[int | None] = None

    user_id: str = field(metadata={"doc": "The account's User ID.", "example": "12345"})
    key_file: FilePath = field(
        metadata={
            "doc": "A file with the account's API key.",
            "example": "/etc/edge-watchdog/acuity.key",
        }
    )
    currency: str = field(
        default="",
        metadata={"doc": "Of its prices, which come without; none are shown without it."},
    )
    base_url: Url | None = field(default=None, metadata=_address("Another address of the API."))

    def __post_init__(self) -> None:
        """Refuse a key sent in the clear."""
        _refuse_plain(self.base_url)

    def build(self, clock: Clock, ca_file: str | None) -> ScheduleConnector:
        """Build the connector; *ca_file* is extra trust.  Raises DaybookError."""
        url = self.base_url or ACUITY_URL
        return Acuity(self.user_id, self.key_file, self.currency, clock, url, trust(ca_file))


@dataclass(frozen=True, slots=True)
class SquareOptions:
    """Square Appointments, by its API."""

    tested: ClassVar[Tested] = Tested.CONTRACT
    requests_a_day: ClassVar[int | None] = None

    location: str = field(metadata={"doc": "The id of the location.", "example": "L8XK7EXAMPLE"})
    key_file: FilePath = field(
        metadata={
            "doc": "A file with the access token.",
            "example": "/etc/edge-watchdog/square.key",
        }
    )
    base_url: Url | None = field(default=None, metadata=_address("Another address of the API."))

    def __post_init__(self) -> None:
        """Refuse a key sent in the clear."""
        _refuse_plain(self.base_url)

    def build(self, clock: Clock, ca_file: str | None) -> ScheduleConnector:
        """Build the connector; *ca_file* is extra trust.  Raises DaybookError."""
        return Square(
            self.location, self.key_file, clock, self.base_url or SQUARE_URL, trust(ca_file)
        )


@dataclass(frozen=True, slots=True)
class MindbodyOptions:
    """Mindbody, by its Public API v6: appointments and classes."""

    tested: ClassVar[Tested] = Tested.CONTRACT
    requests_a_day: ClassVar[int | None] = 300

    site: str = field(metadata={"doc": "The site's id.", "example": "-99"})
    key_file: FilePath = field(
        metadata={"doc": "A file with the API key.", "example": "/etc/edge-watchdog/mindbody.key"}
    )
    user: str = field(
        default="", metadata={"doc": "A staff member's user name; clients' names need one."}
    )
    password_file: FilePath | None = field(
        default=None, metadata={"doc": "A file with that staff member's password."}
    )
    location: str = field(
        default="",
        metadata={"doc": "The id of this studio, where the site has several.", "example": "1"},
    )
    base_url: Url | None = field(default=None, metadata=_address("Another address of the API."))

    def __post_init__(self) -> None:
        """Refuse half a sign-in, and a key sent in the clear."""
        _refuse_plain(self.base_url)
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("give user and password_file, or neither")

    def build(self, clock: Clock, ca_file: str | None) -> ScheduleConnector:
        """Build the connector; *ca_file* is extra trust.  Raises DaybookError."""
        return Mindbody(
            self.site,
            self.key_file,
            self.user,
            self.password_file or "",
            clock,
            self.base_url or MINDBODY_URL,
            trust(ca_file),
            self.location,
        )
