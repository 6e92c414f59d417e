"""What the owner allowed to be kept, applied to what a source gave before anything else sees it.

A Reading in, a Reading out.  The keeper calls this for every connector, so that none can forget it:
what was not allowed is dropped here and reaches no page and no disk.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from edge_watchdog.core.units import Detail
from edge_watchdog.daybook import Appointment, Reading
from edge_watchdog.daybook.model import WARNINGS, Attendee, Client
from edge_watchdog.daybook.notes import sort_out
from edge_watchdog.daybook.privacy import PLACE_CHARS, plain, short_name, without_contacts

DEFAULT_KEEP = frozenset({Detail.PRICE, Detail.ATTENDEES})
CLIENT_DETAILS = frozenset({Detail.PHONE, Detail.EMAIL, Detail.NOTES})
SERVICE_CHARS = 80
PHONE_CHARS = 40
EMAIL_CHARS = 120
NOTE_CHARS = 1000
MOST_NOTES = 50


def admit(reading: Reading, keep: AbstractSet[Detail] = DEFAULT_KEEP) -> Reading:
    """Give *reading* with names shortened and without every detail that is not in *keep*.

    A client comes along only when the owner allows one of phone, email and notes, and only when an
    appointment of the reading is theirs; their notes are sorted by what they are about.  Doing it
    twice changes nothing.
    """
    appointments = tuple(_appointment(one, keep) for one in reading.appointments)
    wanted = {one.client_key for one in appointments}
    wanted |= {who.client_key for one in appointments for who in one.attendees}
    allowed = keep & CLIENT_DETAILS
    clients = [one for one in reading.clients if allowed and one.key and one.key in wanted]
    return replace(
        reading,
        appointments=appointments,
        clients=tuple(_client(one, keep) for one in clients),
    )


def _appointment(one: Appointment, keep: AbstractSet[Detail]) -> Appointment:
    priced = Detail.PRICE in keep
    attendees = one.attendees if Detail.ATTENDEES in keep else ()
    return replace(
        one,
        client=short_name(one.client),
        service=plain(without_contacts(one.service), SERVICE_CHARS),
        room=plain(without_contacts(one.room), PLACE_CHARS),
        price=one.price if priced else None,
        paid=one.paid if priced else None,
        attendees=tuple(_attendee(who) for who in attendees),
    )


def _attendee(one: Attendee) -> Attendee:
    return replace(one, name=short_name(one.name))


def _client(one: Client, keep: AbstractSet[Detail]) -> Client:
    notes = sort_out(one.notes) if Detail.NOTES in keep else ()
    kept = sorted(notes, key=lambda note: note.kind not in WARNINGS)[:MOST_NOTES]
    return replace(
        one,
        phone=plain(one.phone, PHONE_CHARS) if Detail.PHONE in keep else "",
        email=plain(one.email, EMAIL_CHARS) if Detail.EMAIL in keep else "",
        notes=tuple(replace(note, text=note.text[:NOTE_CHARS]) for note in kept),
    )
