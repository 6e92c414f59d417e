"""What a client's notes are about: vendors give one text, and no allergy in it may be overlooked.

Texts in, notes of known kinds out.  Nothing is left out; what names no kind stays OTHER.  When in
doubt it is an allergy: a warning too many costs a look, one too few a client's skin.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from edge_watchdog.daybook.model import Client, Note, NoteKind

_LABEL = re.compile(
    r"(?:^|[\n.;|])[ \t]*(allerg(?:y|ies|ien?)|patch[ -]?tests?|(?:colou?r )?formula|"
    r"preferences?|history|last visit)[ \t]*[:=]",
    re.IGNORECASE | re.MULTILINE,
)
_KINDS: Mapping[str, NoteKind] = {
    "al": NoteKind.ALLERGY,
    "pa": NoteKind.PATCH_TEST,
    "co": NoteKind.COLOUR_FORMULA,
    "fo": NoteKind.COLOUR_FORMULA,
    "pr": NoteKind.PREFERENCE,
    "hi": NoteKind.HISTORY,
    "la": NoteKind.HISTORY,
}
_NOTHING = re.compile(r"(?:none|nil|no|n/?a|nka|keine?)?(?: known)?[\s.\-]*", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:no|nil|without|keine) (?:known |bekannten? )?allerg\w+|\bnot allergic\b|"
    r"\ballerg\w+[ \t]*[:=-]?[ \t]*(?:none|nil|no|n/a|keine?)(?: known)?[ \t]*(?=$|[\n.;,])",
    re.IGNORECASE,
)
_ALLERGY = re.compile(r"\ball?erg|\banaphyla", re.IGNORECASE)
_PATCH_TEST = re.compile(r"\bpatch[ -]?test", re.IGNORECASE)


def told(kind: NoteKind, text: str) -> tuple[Note, ...]:
    """Give the note of a column that is about *kind*; "none" is no allergy."""
    text = text.strip()
    if not text:
        return ()
    if kind is NoteKind.ALLERGY and _NOTHING.fullmatch(text):
        return (Note(NoteKind.OTHER, f"Allergies: {text}"),)
    return (Note(kind, text),)


def sort_out(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Give *notes* with those of no kind cut at their labels ("Allergies: ...") and sorted.

    Doing it twice changes nothing.
    """
    return tuple(
        replace(one, kind=kind, text=text)
        for one in notes
        for kind, text in (
            _pieces(one.text) if one.kind is NoteKind.OTHER else [(one.kind, one.text)]
        )
    )


def merged(known: Client | None, more: Client) -> Client:
    """Give what two visits say of one client: no note of either is lost."""
    if known is None:
        return more
    return Client(
        more.key,
        more.name or known.name,
        more.phone or known.phone,
        more.email or known.email,
        tuple(dict.fromkeys((*known.notes, *more.notes))),
    )


def _pieces(text: str) -> Iterator[tuple[NoteKind, str]]:
    marks = list(_LABEL.finditer(text))
    cuts = [*(mark.start() for mark in marks), len(text)]
    if (head := text[: cuts[0]].strip()) or not marks:
        yield _kind_of(head), head
    for mark, end in zip(marks, cuts[1:], strict=True):
        kind, piece = _KINDS[mark[1][:2].casefold()], text[mark.end() : end].strip()
        if not piece or (kind is NoteKind.ALLERGY and _NOTHING.fullmatch(piece)):
            yield NoteKind.OTHER, text[mark.start(1) : end].strip()
        else:
            yield kind, piece


def _kind_of(text: str) -> NoteKind:
    if _ALLERGY.search(_DENIED.sub(" ", text)):
        return NoteKind.ALLERGY
    return NoteKind.PATCH_TEST if _PATCH_TEST.search(text) else NoteKind.OTHER
