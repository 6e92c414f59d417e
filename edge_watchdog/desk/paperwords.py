"""The words of the paper journal's pages: kinds, states, steps, and what stands where."""

from collections.abc import Mapping
from typing import Any

from edge_watchdog.daybook.paper import Kind, Method, State
from edge_watchdog.daybook.reconcile import Outcome

KIND_WORDS: Mapping[Kind, str] = {
    Kind.BOOKING: "Booking",
    Kind.RESCHEDULE: "Moved",
    Kind.CANCEL: "Cancelled",
    Kind.CHECK_IN: "Arrived",
    Kind.NO_SHOW: "Did not come",
    Kind.SALE: "Sale",
    Kind.PAYMENT_TAKEN: "Payment taken",
    Kind.PAYMENT_OWED: "Payment owed",
    Kind.PAYMENT_LINK: "Payment link promised",
    Kind.PHONE_PAYMENT: "Payment by telephone promised",
    Kind.NOTE: "Note",
    Kind.TASK: "Task",
}
STATE_WORDS: Mapping[State, str] = {
    State.OPEN: "to enter",
    State.CLAIMED: "being entered",
    State.ENTERED: "entered",
    State.VERIFIED: "done, seen in the list",
    State.CONFLICT: "conflict",
    State.UNKNOWN: "look whether it is there",
    State.VOID: "void",
    State.WRITTEN_OFF: "written off",
}
METHOD_WORDS: Mapping[Method, str] = {
    Method.CASH: "Cash",
    Method.TERMINAL: "Card, on the separate terminal",
    Method.VOUCHER: "Voucher",
    Method.OWED: "Not paid yet",
    Method.LINK: "Payment link promised",
    Method.PHONE: "Will pay by telephone",
}
FORM_TITLES: Mapping[str, str] = {
    "booking": "New booking",
    "reschedule": "Move an appointment",
    "cancel": "Cancel an appointment",
    "check-in": "Somebody has arrived",
    "no-show": "Somebody did not come",
    "sale": "Sale",
    "payment": "Payment",
    "note": "Note",
    "task": "Task",
}
BIG = ("booking", "sale", "check-in", "payment", "note")
SMALL = ("reschedule", "cancel", "no-show", "task")
BUTTONS: Mapping[str, str] = {
    "booking": "Booking",
    "sale": "Sale",
    "check-in": "Check in",
    "payment": "Payment",
    "note": "Note",
    "reschedule": "Move",
    "cancel": "Cancel",
    "no-show": "No-show",
    "task": "Task",
}


def writing() -> dict[str, Any]:
    """Give the buttons that lead to a form, the large ones first."""
    return {
        "big": [(kind, BUTTONS[kind]) for kind in BIG],
        "small": [(kind, BUTTONS[kind]) for kind in SMALL],
    }


HIDDEN = (
    "Telephone numbers and notes are hidden. They need the secure address (https://) and a "
    "sign-in not longer than a few minutes ago."
)
NOTES_NEED_PRIVACY = (
    "Notes are taken over the secure address only (https://), so that nobody on the network can "
    "read along. A task without names can be written here."
)
NO_JOURNAL = "The box's disk refuses, so nothing can be kept here. Write on real paper."
ANEW = (
    "The journal's file was damaged and has been put aside; numbers go on from {first}. "
    "Ask whoever looks after the box before the old file is deleted."
)
DAMAGED = (
    "The journal does not fit together: {what}. What is written from now on is kept. Compare with "
    "your own paper, and tell the owner."
)
KEPT = "Kept as {name}."
AGAIN = "That was kept already, as {name}. Nothing was written twice."
WRITTEN_EARLIER = "Written {when} on a tablet, and handed over when the box was back."
SOME_TIME_BEFORE = "some time before"
OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.FOUND: "It is in the list.",
    Outcome.TAKEN: "Somebody else has this time now. Call the client and agree on another.",
    Outcome.ABSENT: "Not in the list yet, and the way is free: enter it.",
    Outcome.CHANGED: "The appointment changed meanwhile. Look at both, and decide.",
    Outcome.WAITING: "No fresh list covers this yet. It can be entered all the same.",
    Outcome.PERSON: "No list shows this. Enter it, then tick it off.",
}
CLASS_WORDS: Mapping[Outcome, str] = {
    Outcome.TAKEN: "The class is full now. Call the client and agree on another.",
    Outcome.ABSENT: "Not in the list yet. The class there: {places}. Enter it.",
}
ON_THE_LIST = "waiting list"
OVER_LIMIT = "over the limit"
OVER_WORDS = "Not in the list yet. The class is full: they were promised a place over the limit."
LEAVING_WORDS = "Still in the list there: take them out of it."
WAITING_WORDS = "Not in the list yet. Put them on the waiting list there."
COMPARED = "Compared{at} with the list {lists}."
NOT_COMPARED = "No list has come yet, so nothing could be compared."
OWN_AFFAIR = "No list shows this. See to it, then tick it off."
LEFT_TASK = "Enter {name} in {vendor}."
OWED_TASK = "Collect {amount} for {name} ({promise})."
