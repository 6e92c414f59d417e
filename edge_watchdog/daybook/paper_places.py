"""What a draft asks for, weighed: a time of its own, or a place in a class.

Pure: the draft, the vendor's list and the journal in, what stands in its way and a sentence out.
A class is free until it is full; where its places are not known it is never called free or taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge_watchdog.core.words import capital
from edge_watchdog.daybook import Appointment
from edge_watchdog.daybook.classes import Lesson, lesson_of, same_client, spot_key
from edge_watchdog.daybook.paper import Draft, Entry, Visit, human
from edge_watchdog.daybook.paper_guard import (
    NO_BUFFERS,
    Answer,
    Buffers,
    Busy,
    Knowledge,
    Verdict,
    answer,
    busy,
    clashes,
    classes_of,
    doubt_words,
    hold_of,
    unknown_words,
    without_own,
)
from edge_watchdog.daybook.paper_roll import Place, Roll, named_at, roll_of, takes_place


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a draft asks for beside what is there: *others* hold time, *roll* is of its class.

    *lesson* is None for an appointment of one client.  *places* are the entries of that class that
    lie on the disk, each with its spot: "" for none, or for one that was given back.  *most* is
    how many of them the class can take, None when that is not known.
    """

    draft: Draft
    hold: Busy
    others: tuple[Busy, ...]
    lesson: Lesson | None = None
    roll: Roll | None = None
    places: tuple[Place, ...] = ()
    most: int | None = None
    namesakes: int = 0

    @property
    def visit(self) -> Visit | None:
        """Give who wants it."""
        return self.draft.content if isinstance(self.draft.content, Visit) else None

    @property
    def in_the_way(self) -> tuple[Busy, ...]:
        """Give what has the time; of a class that the list has, only its places count."""
        if self.lesson is not None and (self.lesson.row is not None or self.lesson.choices):
            return ()
        return clashes(self.hold, self.others)

    @property
    def is_full(self) -> bool:
        """Tell whether it is a class without a place left."""
        return self.roll is not None and self.roll.is_full

    @property
    def on_spot(self) -> Place | None:
        """Give who has the spot that is asked for."""
        spot = self.visit.spot if self.visit else ""
        return self.roll.on_spot(spot) if self.roll and spot else None

    @property
    def same_name(self) -> Place | None:
        """Give who of the client's name has a place already."""
        return self.roll.of_client(self.visit.client) if self.roll and self.visit else None


def wanted_of(
    entry: Entry,
    listed: Sequence[Appointment],
    entries: Sequence[Entry],
    buffers: Buffers = NO_BUFFERS,
) -> Wanted | None:
    """Weigh *entry*, which need not be written yet; None when it takes neither time nor place."""
    draft = entry.draft
    classes = classes_of(listed, entries)
    hold = hold_of(entry, buffers, classes)
    if draft is None or hold is None:
        return None
    others = without_own(draft, busy(listed, entries, buffers))
    lesson = lesson_of(draft, classes)
    if lesson is None or not lesson.key:
        return Wanted(draft, hold, others, lesson)
    kept = [e for e in entries if not (draft.replaces and e.number == draft.parent)]
    holds = [e for e in kept if _is_in(e, lesson.key, classes)]
    roll = roll_of(lesson.row, holds, kept)
    most = roll.most_on_paper
    if most is not None:  # what is counted in the list already lies on the disk, too
        most += len(holds) - roll.on_paper
    client = draft.content.client
    listed_so = named_at(lesson.row, client) if lesson.row else 0
    written_so = sum(same_client(client, one.name) for one in roll.places if one.number)
    places = tuple(_on_disk(e, roll) for e in holds)
    return Wanted(draft, hold, others, lesson, roll, places, most, listed_so + written_so)


def rolls_of(
    rows: Sequence[Appointment], listed: Sequence[Appointment], entries: Sequence[Entry]
) -> dict[str, Roll]:
    """Count the classes *rows* of the list, by key."""
    classes = classes_of(listed, entries)
    held: dict[str, list[Entry]] = {}
    for one in entries:
        lesson = lesson_of(one.draft, classes) if one.draft and takes_place(one) else None
        if lesson is not None and lesson.key:
            held.setdefault(lesson.key, []).append(one)
    return {row.key: roll_of(row, held.get(row.key, ()), entries) for row in rows}


def as_asked(entry: Entry) -> Entry:
    """Give *entry* as one who wants a place, though it may say already that they only wait."""
    return replace(entry, draft=replace(entry.draft, waits=False)) if entry.draft else entry


def in_class(wanted: Wanted, *, waits: bool) -> Draft:
    """Give the draft as it is to be kept: which class it is a place in, and whether they wait.

    A reason that is not needed, for there is a place by now, is not kept.
    """
    draft = wanted.draft
    if wanted.lesson is None or not wanted.lesson.key:
        return replace(draft, lesson="", waits=False)
    forced = draft.forced if wanted.is_full or wanted.in_the_way else ""
    return replace(
        draft,
        lesson=wanted.lesson.key,
        forced=forced,
        waits=waits and wanted.is_full,
        namesakes=wanted.namesakes,
    )


def judge(wanted: Wanted, known: Knowledge) -> Answer:
    """Tell whether it may be given away."""
    lesson, roll, found = wanted.lesson, wanted.roll, wanted.in_the_way
    if lesson is None or found:
        return answer(wanted.hold, wanted.others, known)
    if roll is None:
        which = ", ".join(lesson.choices)
        words = f"Provisional. More than one class begins then: {which}. Write which one."
        return Answer(Verdict.PROVISIONAL, words)
    if wanted.on_spot is not None:
        return Answer(Verdict.TAKEN, spot_words(wanted))
    if roll.is_full:
        return Answer(Verdict.TAKEN, full_words(roll, known.as_of))
    said = _class_answer(lesson, roll, known)
    twice = twice_words(wanted)
    if twice:
        verdict = Verdict.PROVISIONAL if said.verdict is Verdict.FREE else said.verdict
        rest = said.sentence.removeprefix(f"{_begin(said.verdict)} ")
        return Answer(verdict, f"{_begin(verdict)} {twice} {rest}")
    return said


def places_words(roll: Roll, as_of: str = "") -> str:
    """Say how many places are left: "3 of 12 places free as of 09:40, counting 2 on paper"."""
    when, paper = f" as of {as_of}" if as_of else "", _paper_words(roll)
    if roll.capacity is None:
        booked = "bookings" if roll.taken is None else f"{roll.taken} booked, places left"
        return f"{booked} not known{when}{paper}"
    if roll.taken is None:
        return f"how many of {roll.capacity} places are left is not known{when}{paper}"
    if not roll.left:
        return f"full, {roll.taken} of {roll.capacity} places taken{when}{paper}"
    return f"{roll.left} of {roll.capacity} places free{when}{paper}"


def full_words(roll: Roll, as_of: str = "") -> str:
    """Say that a class has no place left."""
    when = f" as of {as_of}" if as_of else ""
    return (
        f"That class is full: {roll.taken} of {roll.capacity} places are taken{when}"
        f"{_paper_words(roll)}."
        f"{_waiting_words(roll)}"
    )


def spot_words(wanted: Wanted) -> str:
    """Say who has the spot."""
    place, visit = wanted.on_spot, wanted.visit
    spot = visit.spot if visit else ""
    who = _who(place) if place else "Somebody else"
    return f"{who} has {spot} in this class already. Choose another spot, or leave it empty."


def twice_words(wanted: Wanted) -> str:
    """Point out that somebody of this name has a place in the class already; "" otherwise."""
    place = wanted.same_name
    if place is None:
        return ""
    return (
        f"{_who(place)} has a place in this class already: "
        "keep this only if it is for somebody else."
    )


def _class_answer(lesson: Lesson, roll: Roll, known: Knowledge) -> Answer:
    if lesson.row is None:
        return _unlisted(roll, known)
    words = capital(f"{places_words(roll, known.as_of)}.{_waiting_words(roll)}")
    if unknown_words(known):
        return Answer(Verdict.NOT_KNOWN, f"{unknown_words(known)} {words}")
    if roll.left is None:
        booked = "" if roll.taken is None else f" {roll.taken} are booked."
        how = "The list does not say how many places are left in this class."
        ask = "Ask before promising one."
        return Answer(Verdict.PROVISIONAL, f"Provisional. {how}{booked} {ask}")
    if not roll.left:
        maybe = f"{roll.perhaps} of them may be counted twice, as they were entered already."
        return Answer(Verdict.PROVISIONAL, f"Provisional. {words} {maybe}")
    doubt = _doubt(known)
    if doubt:
        return Answer(Verdict.PROVISIONAL, f"Provisional. {words} {doubt}")
    return Answer(Verdict.FREE, f"Free. {words}")


def _unlisted(roll: Roll, known: Knowledge) -> Answer:
    paper = f" {roll.on_paper} stand on paper so far." if roll.on_paper else ""
    if not known.covers:
        words = (
            "Not known. The box does not hold that day's list: nobody can say how many places "
            f"this class has left.{paper}"
        )
        return Answer(Verdict.NOT_KNOWN, words)
    words = f"Provisional. The list has no such class at that time: look again, or ask.{paper}"
    return Answer(Verdict.PROVISIONAL, words)


def _doubt(known: Knowledge) -> str:
    """Say why a place that is free on the list may be gone; "" when it certainly is there."""
    if not doubt_words(known):
        return ""
    if known.closed:
        return "But the studio is not open then."
    if known.trouble and known.online_booking:
        return "Clients may still be booking online: say that you will confirm it."
    return "The list is not fresh: say that you will confirm it."


def _is_in(entry: Entry, key: str, classes: Sequence[Appointment]) -> bool:
    lesson = lesson_of(entry.draft, classes) if entry.draft and takes_place(entry) else None
    return lesson is not None and lesson.key == key


def _on_disk(entry: Entry, roll: Roll) -> Place:
    still = next((one for one in roll.places if one.number == entry.number), None)
    return Place("", spot_key(still.spot) if still else "", entry.number)


def _paper_words(roll: Roll) -> str:
    parts = [f"{roll.on_paper} on paper"] if roll.on_paper else []
    if roll.freed:
        parts.append(f"{roll.freed} given back on paper")
    return f", counting {' and '.join(parts)}" if parts else ""


def _waiting_words(roll: Roll) -> str:
    if not roll.waiting:
        return ""
    return f" {roll.waiting} {'waits' if roll.waiting == 1 else 'wait'} for a place."


def _who(place: Place) -> str:
    return f"{place.name} ({human(place.number)})" if place.number else place.name


def _begin(verdict: Verdict) -> str:
    return f"{str(verdict).capitalize()}."
