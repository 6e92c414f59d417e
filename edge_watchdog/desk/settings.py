"""What the desk half must be told before it starts."""

from dataclasses import dataclass, field

from edge_watchdog.core.units import Detail, Paper, Returned
from edge_watchdog.daybook.intake import DEFAULT_KEEP
from edge_watchdog.daybook.price_list import PriceFile
from edge_watchdog.daybook.registry import ConnectorOptions
from edge_watchdog.daybook.secret import Cost


@dataclass(frozen=True, slots=True)
class ScheduleSetting:
    """One source of the day; *budget* is requests a day, None what its kind bears.

    *takes*: what the owner lets the box put in there by itself, of what was written on paper.
    """

    name: str
    every_s: float
    options: ConnectorOptions
    keep: frozenset[Detail] = DEFAULT_KEEP
    budget: int | None = None
    takes: frozenset[Returned] = frozenset()


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom to call, as the owner noted it; *hotspot* are steps, () for the built-in ones."""

    vendor_support: str = ""
    provider: str = ""
    cash_machine: str = ""
    others: tuple[str, ...] = ()
    hotspot: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """*form_order* names the fields of the vendor's own form, as they follow there.

    An entry is forgotten *kept_s* after it was verified.  *currency* counts where there is no price
    list; *online_booking* says that clients can book at the vendor without us.  *before_s* and
    *after_s* are kept free around each appointment.
    """

    form_order: tuple[str, ...] = (
        *("client", "phone", "service", "member", "date", "time"),
        *("minutes", "room", "price", "note"),
    )
    online_booking: bool = True
    currency: str = "GBP"
    kept_s: float = 90 * 86400.0
    before_s: float = 0.0
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """*listen_host* is an IPv4 literal; *frame_ancestors* are origins that may frame the pages.

    Without *lan_interfaces* only this machine itself is served.  *state_dir*, *bridge_path* and
    *key_file* are full paths; the key file seals names, is made when it is not there, and must not
    stand in *state_dir*.  *ca_file* is extra trust for the calendar's server.  A day is forgotten
    *retention_s* after its end.  *open_spans* are the opening hours in minutes since Monday 00:00,
    *opening_hours* the same as a person wrote it.  *guess_cost* is what one look at a PIN costs.
    The secure pages are served at *tls_host* and *tls_port*; port 0: there are none.
    *prices* are the studio's own price lists, used where no source brings one.
    *print_command* is a program and its arguments that takes a PDF on its standard input, () to
    print nothing.
    """

    studio_name: str
    time_zone: str
    state_dir: str
    bridge_path: str
    key_file: str
    vendor_name: str = ""
    opening_hours: str = ""
    open_spans: tuple[tuple[int, int], ...] = ()
    listen_host: str = "0.0.0.0"
    listen_port: int = 8080
    lan_interfaces: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    frame_ancestors: tuple[str, ...] = ()
    schedules: tuple[ScheduleSetting, ...] = ()
    ca_file: str | None = None
    contacts: Contacts = Contacts()
    prices: tuple[PriceFile, ...] = ()
    print_command: tuple[str, ...] = ()
    paper: Paper = Paper.A4
    retention_s: float = 48 * 3600.0
    guess_cost: Cost = field(default_factory=Cost)
    tls_host: str = "0.0.0.0"
    tls_port: int = 0
    journal: JournalSettings = JournalSettings()
    most_connections: int = 128
    most_streams: int = 64
