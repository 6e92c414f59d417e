"""CSV exports: how each exporter writes them, how they go wrong, and what is never guessed.

The samples are written after published or observed column names, as far as known.
"""

import base64
import datetime as dt
import json
from dataclasses import replace

import pytest

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.units import DecimalSign, FilePath
from edge_watchdog.daybook import Appointment, DaybookError, Fetched, Mark, Reading, Span
from edge_watchdog.daybook.csv_columns import Export
from edge_watchdog.daybook.csv_drop import CsvDrop
from edge_watchdog.daybook.csv_read import CsvKeys, keys_from, read_export
from edge_watchdog.daybook.csv_values import (
    DateOrder,
    Habits,
    read_date,
    read_money,
    read_time,
)
from edge_watchdog.daybook.freshness import Now, Stamp
from edge_watchdog.daybook.keeper import Keeper, Source, SourceState, Surroundings
from edge_watchdog.daybook.model import Client, Money, Note, NoteKind, PriceItem, Status
from edge_watchdog.daybook.registry import CsvOptions
from edge_watchdog.daybook.store import Snapshot, memory_store
from edge_watchdog.desk.clients import price_lists
from edge_watchdog.desk.phrases import Local
from tests.desk.studio import StepClock

NOON = 1795262400.0  # Saturday 21 November 2026, 12:00 UTC
SPAN = Span(dt.date(2026, 11, 21), 2, "Europe/London")
DAY, MONTH = DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST
PLAIN = CsvKeys(Export.GENERIC, {}, Habits(DAY, currency="GBP"), 20, 2)
SIMPLE = "Start,End,Staff,Service,Client\n21/11/2026 09:30,21/11/2026 10:15,Mia,Cut,Anna Berger\n"


def read(
    text: str | bytes, keys: CsvKeys = PLAIN, span: Span = SPAN, prices: str | None = None
) -> Reading:
    body = text if isinstance(text, bytes) else text.encode()
    parts = {
        "file": base64.b64encode(body).decode(),
        "written_wall": NOON,
        "prices": base64.b64encode(prices.encode()).decode() if prices else None,
        "prices_wall": NOON - 86400 if prices else None,
    }
    return read_export(json.dumps(parts).encode(), span, keys_from(keys.wire()))


def told(one: Appointment) -> tuple[str, ...]:
    start, end = (
        dt.datetime.fromtimestamp(wall, dt.UTC).strftime("%d %H:%M")
        for wall in (one.start_wall, one.end_wall)
    )
    return start, end[3:], one.member, one.service, one.client


ANNA = ("21 09:30", "10:15", "Mia", "Cut", "Anna B.")
SAMPLES = {
    Export.GENERIC: (DAY, SIMPLE),
    Export.MINDBODY: (
        MONTH,
        ("Appointments\nGenerated 11/20/2026\n\n"
        "Date,Start time,End time,Client,Session Type,Staff,Status\n"
        '11/21/2026,9:30 AM,10:15 AM,"Berger, Anna",Cut,Mia,Booked\n'),
    ),
    Export.FRESHA: (
        DAY,
        ("Ref #,Client,Service,Scheduled date,Duration,Team member,Price,Status\n"
        '8F3A,Anna Berger,Cut,"21 Nov 2026, 9:30am",45min,Mia,45.00,Confirmed\n'),
    ),
    Export.PHOREST: (
        DAY,
        ("AppointmentId,AppointmentDate,StartTime,EndTime,StaffName,ServiceName,"
        "Client First Name,Client Last Name\n"
        "a1,2026-11-21,09:30:00.000,10:15:00.000,Mia,Cut,Anna,Berger\n"),
    ),
    Export.SQUARE: (
        MONTH,
        ("Booking ID,Start,Duration (minutes),Team Member,Service,Customer Name,Status\n"
        "x7,2026-11-21T09:30:00+00:00,45,Mia,Cut,Anna Berger,ACCEPTED\n"),
    ),
    Export.VAGARO: (
        MONTH,
        ("Appointment Date,Appointment Time,Duration,Customer,Service Name,Service Provider\n"
        '"Sat, Nov 21, 2026",09:30 AM,45 min,Anna Berger,Cut,Mia\n'),
    ),
    Export.ACUITY: (
        MONTH,
        ("Start Time,End Time,First Name,Last Name,Phone,Email,Type,Calendar,Appointment Price,"
        "Paid?,Appointment ID\n"
        '"November 21, 2026 9:30 am","November 21, 2026 10:15 am",Anna,Berger,,,Cut,Mia,45.00,'
        "yes,77\n"),
    ),
    Export.TIMELY: (
        DAY,
        ("Booking date;Start time;End time;Staff;Service name;Customer\n"
        "21.11.2026;09:30;10:15;Mia;Cut;Anna Berger\n"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("export", Export)
def test_each_exporter_s_file_is_understood(export) -> None:
    order, text = SAMPLES[export]
    reading = read(text, replace(PLAIN, export=export, habits=Habits(order)))
    assert [told(one) for one in reading.appointments] == [ANNA]
    assert reading.rejected == 0


UMLAUT = """Beginn;Ende;Kunde;Behandlung;Preis
21.11.2026 09:30;10:15;J\u00f6rg M\u00fcller;F\u00f6hnen;12,50 \u20ac
"""
GERMAN = replace(
    PLAIN,
    columns={"start": "Beginn", "end_time": "Ende"},
    habits=Habits(DAY, DecimalSign.COMMA, "EUR"),
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_usual_encoding_and_decimal_comma_is_read(encoding, newline) -> None:
    (one,) = read(UMLAUT.replace("\n", newline).encode(encoding), GERMAN).appointments
    assert (one.client, one.service, one.price) == (
        "J\u00f6rg M.",
        "F\u00f6hnen",
        Money(1250, "EUR"),
    )


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_divider_is_found(sign) -> None:
    assert len(read(SIMPLE.replace(",", sign)).appointments) == 1
    assert len(read(f"sep={sign}\n{SIMPLE.replace(',', sign)}").appointments) == 1


@pytest.mark.parametrize("order, day", [(DAY, "03/12/2026"), (MONTH, "12/03/2026")])
def test_day_and_month_are_never_guessed(order, day) -> None:
    span = Span(dt.date(2026, 12, 3), 1, "Europe/London")
    text = SIMPLE.replace("21/11/2026", day)
    keys = replace(PLAIN, habits=Habits(order), days=20)
    assert len(read(text, keys, span).appointments) == 1
    other = MONTH if order is DAY else DAY
    assert read(text, replace(keys, habits=Habits(other)), span).appointments == ()


def rows_of(*lines: str) -> str:
    good = "\n".join(f"21/11/2026,1{n}:00,Cut,Client {chr(65 + n)}" for n in range(9))
    return "\n".join(["Date,Time,Service,Client", good, *lines, ""])


@pytest.mark.parametrize(
    "line, why",
    [
        ("31/02/2026,09:00,Cut,Dora Evans", "line 11: there is no such date"),
        ("soon,09:00,Cut,Dora Evans", "line 11: there is no such date"),
        (",09:00,Cut,Dora Evans", "line 11: the date is missing"),
        ("21/11/2026,25:00,Cut,Dora Evans", "line 11: the time is not understood"),
        ("21/11/2026,13:00 pm,Cut,Dora Evans", "line 11: the time is not understood"),
        ("21/11/2026,,Cut,Dora Evans", "line 11: there is no time"),
    ],
)
def test_a_bad_row_is_counted_and_told_by_its_line_without_anything_of_it(line, why) -> None:
    reading = read(rows_of(line))
    assert (len(reading.appointments), reading.rejected, reading.remarks) == (9, 1, (why,))


def test_a_file_of_which_too_much_is_bad_is_refused_as_a_whole() -> None:
    bad = ["31/02/2026,09:00,Cut,Dora Evans"] * 3
    with pytest.raises(
        DaybookError, match=r"3 of 12 lines .* first line 11: there is no such date"
    ):
        read(rows_of(*bad))
    assert read(rows_of(*bad), replace(PLAIN, most_bad_percent=25)).rejected == 3


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "empty"),
        ("Name,Town\nAnna Berger,Leeds\n", "no line of column names"),
        ("<html>Sign in</html>", "no line of column names"),
        (SIMPLE + "21/11/2026 11:00,21/1", "cut short"),
    ],
)
def test_what_is_no_whole_export_is_refused_without_its_content(text, words) -> None:
    with pytest.raises(DaybookError, match=words) as caught:
        read(text)
    assert "Anna" not in str(caught.value)


def test_the_same_id_again_is_a_correction_and_at_another_time_a_second_service() -> None:
    text = (
        "Id,Start,Staff,Service,Client\n"
        "7,21/11/2026 09:00,Mia,Cut,Anna Berger\n"
        "7,21/11/2026 09:00,Mia,Cut and dry,Anna Berger\n"
        "7,21/11/2026 10:00,Noor,Colour,Anna Berger\n"
    )
    reading = read(text)
    assert [one.service for one in reading.appointments] == ["Cut and dry", "Colour"]
    assert len({one.key for one in reading.appointments}) == 2
    assert reading.remarks == (
        "line 3: the same id again; the later line counts",
        "line 4: the same id at another time; both are kept",
    )
    moved = read(text.replace("09:00", "15:00"))
    assert reading.appointments[0].key in {one.key for one in moved.appointments}


def test_details_of_the_client_come_along_for_the_owner_to_allow() -> None:
    text = "Start,Client,Phone,Email,Notes,Status,Price,Paid\n"
    text += "21/11/2026 09:00,Anna Berger,01632 960 123,a@mail.example,likes tea,No-Show,1.5,yes\n"
    reading = read(text)
    (one,) = reading.appointments
    assert (one.status, one.price, one.paid) == (Status.NO_SHOW, Money(150, "GBP"), True)
    assert reading.clients == (
        Client(
            one.client_key,
            "Anna Berger",
            "01632 960 123",
            "a@mail.example",
            (Note(NoteKind.OTHER, "likes tea"),),
        ),
    )


def test_columns_of_warnings_and_formulas_are_known_and_add_up_over_the_visits() -> None:
    text = (
        "Start,Client,Notes,Allergies,Patch test,Colour formula,Last visit\n"
        "21/11/2026 09:00,Anna Berger,likes tea,PPD,18/11/2026,6/0 20 vol,2 October\n"
        "21/11/2026 15:00,Anna Berger,,,,,\n"
        "21/11/2026 16:00,Ben Carter,,none,,,\n"
    )
    anna, ben = read(text).clients
    assert anna.notes == (
        Note(NoteKind.ALLERGY, "PPD"),
        Note(NoteKind.PATCH_TEST, "18/11/2026"),
        Note(NoteKind.COLOUR_FORMULA, "6/0 20 vol"),
        Note(NoteKind.HISTORY, "2 October"),
        Note(NoteKind.OTHER, "likes tea"),
    )
    assert ben.notes == (Note(NoteKind.OTHER, "Allergies: none"),)


@pytest.mark.parametrize(
    "text, decimal, minor",
    [
        ("45", ".", 4500),
        ("\u00a31,234.50", ".", 123450),
        ("1.234,5 \u20ac", ",", 123450),
        ("-3.20", ".", -320),
        ("-0.20", ".", -20),
        ("", ".", None),
    ],
)
def test_amounts_are_read_by_the_decimal_sign_that_was_said(text, decimal, minor) -> None:
    found = read_money(text, Habits(DAY, DecimalSign(decimal), "GBP"))
    assert (found and found.minor) == minor


def test_an_amount_that_fits_the_other_sign_only_is_told_and_not_guessed() -> None:
    with pytest.raises(ValueError, match="no amount"):
        read_money("12,50", Habits(DAY, DecimalSign.POINT, "GBP"))
    text = 'Start,Price\n21/11/2026 09:00,"12,50"\n'
    reading = read(text)
    assert (reading.appointments[0].price, reading.rejected) == (None, 0)
    assert reading.remarks == ('line 2: the price is not understood (its decimal sign is ".")',)


def test_an_hour_alone_is_no_time() -> None:
    with pytest.raises(ValueError, match="no time"):
        read_time("9")


@pytest.mark.parametrize(
    "day, clock, marks",
    [
        ("29/03/2026", "01:30", (Mark.CLOCK_CHANGE,)),  # does not exist
        ("25/10/2026", "01:30", (Mark.CLOCK_CHANGE,)),  # comes twice
        ("25/10/2026", "09:30", (Mark.NO_END,)),
    ],
)
def test_a_time_at_the_change_of_the_clocks_is_marked(day, clock, marks) -> None:
    first = read_date(day, DAY)
    keys = replace(PLAIN, days=None)
    (one,) = read(f"Start\n{day} {clock}\n", keys, Span(first, 1, "Europe/London")).appointments
    assert one.marks == marks


def test_a_file_that_lists_today_only_says_nothing_of_tomorrow() -> None:
    assert read(SIMPLE).days == 2  # the owner said so
    assert read(SIMPLE, replace(PLAIN, days=None)).days == 1
    assert read(SIMPLE + SIMPLE.splitlines()[1].replace("21/", "23/"), replace(PLAIN, days=None)
                ).days == 2  # fmt: skip
    with pytest.raises(DaybookError, match="says nothing of today"):
        read(SIMPLE.replace("21/11", "20/11"), replace(PLAIN, days=None))


PRICES = """Price list 2026

Category,Name,Price,Minutes,Kind
Hair,Cut,45.00,45,
Shop,Balm,9.5,,product
Hair,,1,,
"""


def test_a_price_list_beside_it_is_read() -> None:
    reading = read(SIMPLE, prices=PRICES)
    assert reading.prices == (
        PriceItem("Cut", Money(4500, "GBP"), "Hair", 45),
        PriceItem("Balm", Money(950, "GBP"), "Shop", None, is_product=True),
    )
    assert (reading.prices_wall, read(SIMPLE).prices_wall) == (NOON - 86400, None)
    assert reading.remarks == ("line 6: this line of the price list is not understood",)
    with pytest.raises(DaybookError, match="price list has no line"):
        read(SIMPLE, prices="Town\nLeeds\n")


def test_a_price_list_says_its_own_date_and_not_that_of_the_day_beside_it() -> None:
    at = Stamp(Instant(1000.0, NOON), "boot")

    def sentence(reading: Reading) -> str:
        state = SourceState("saved list", Snapshot("saved list", SPAN, at, at, "", "", reading))
        (found,) = price_lists([state], Now(at.at, "boot"), Local("Europe/London"))
        return found.words

    reading = read(SIMPLE, prices=PRICES)
    assert sentence(reading) == "as of 20 November 2026, source saved list"
    assert sentence(replace(reading, prices_wall=None)).startswith("as of 12:00")


async def drop_of(tmp_path, clock: StepClock, **more) -> CsvDrop:
    async def pause(seconds: float) -> None:
        clock.step(seconds)
        for action in more.get("meanwhile", ()):
            action()

    return CsvDrop(str(tmp_path), "*.csv", PLAIN, clock, pause=pause, prices=more.get("prices"))


async def test_the_newest_whole_file_wins_and_is_read_once(tmp_path) -> None:
    clock = StepClock(wall=SystemClock().now().wall)
    one = await drop_of(tmp_path, clock)
    with pytest.raises(DaybookError, match="no file has been dropped"):
        await one.fetch(SPAN)
    (tmp_path / "old.csv").write_text(SIMPLE)
    (tmp_path / "new.csv.part").write_text("half")
    (tmp_path / ".hidden.csv").write_text("half")
    first = await one.fetch(SPAN)
    assert (first.body is not None, first.requests) == (True, 0)
    assert (await one.fetch(SPAN, first.token)).body is None
    (tmp_path / "new.csv").write_text(SIMPLE.replace("Mia", "Noor"))
    newer = await one.fetch(SPAN, first.token)
    reading = await one.read(newer.body or b"", SPAN)
    assert [row.member for row in reading.appointments] == ["Noor"]


async def test_a_file_that_grows_is_waited_for(tmp_path) -> None:
    clock = StepClock(wall=SystemClock().now().wall)
    path = tmp_path / "a.csv"
    lines = (f"{SIMPLE[:60]}", SIMPLE[60:])
    path.write_text(lines[0])
    left = [lines[1]]

    def write_on() -> None:
        if left and clock.mono >= 1001.4:
            with path.open("a") as file:
                file.write(left.pop())

    one = await drop_of(tmp_path, clock, meanwhile=(write_on,))
    fetched = await one.fetch(SPAN)
    assert base64.b64decode(json.loads(fetched.body or b"")["file"]).decode() == SIMPLE
    assert clock.mono >= 1003.4


async def test_a_file_that_never_stands_still_gives_way_to_the_one_before(tmp_path) -> None:
    clock = StepClock(wall=SystemClock().now().wall)
    (tmp_path / "old.csv").write_text(SIMPLE)
    (await (await drop_of(tmp_path, clock)).fetch(SPAN))
    endless = tmp_path / "z.csv"

    def write_on() -> None:
        with endless.open("a") as file:
            file.write("x")

    write_on()
    one = await drop_of(tmp_path, clock, meanwhile=(write_on,))
    fetched = await one.fetch(SPAN)
    assert base64.b64decode(json.loads(fetched.body or b"")["file"]).decode() == SIMPLE
    (tmp_path / "old.csv").unlink()
    with pytest.raises(DaybookError, match="still being written"):
        await one.fetch(SPAN)


async def test_a_folder_that_is_not_there_is_said_without_its_path(tmp_path) -> None:
    one = await drop_of(tmp_path / "gone", StepClock())
    with pytest.raises(DaybookError, match="the folder could not be read") as caught:
        await one.fetch(SPAN)
    assert str(tmp_path) not in str(caught.value)


async def test_a_day_that_no_file_speaks_of_is_not_known_rather_than_empty() -> None:
    class OneDay:
        async def fetch(self, span: Span, known: str = ""):
            return Fetched(None if known else SIMPLE.encode(), "t")

        async def read(self, body: bytes, span: Span) -> Reading:
            return read(body, replace(PLAIN, days=None), span)

    clock = StepClock()
    around = Surroundings(memory_store(), clock, "boot", lambda: True, lambda _state: None)
    keeper = Keeper(Source("saved list", OneDay(), 60.0, "Europe/London"), around)
    await keeper.look()
    clock.step(60)
    await keeper.look()
    good = keeper.state.good
    assert good is not None
    assert good.span.dates == (dt.date(2026, 11, 21),)
    assert good.asked == Stamp(Instant(1060.0, NOON + 60), "boot")
    assert keeper.state.trouble is None


@pytest.mark.parametrize(
    "change, words",
    [
        ({"columns": {"stylist": "Stylist"}}, "stylist is no field; known here: id, start"),
        ({"currency": "pounds"}, "three capital letters"),
        ({"bad_rows_percent": 101}, "from 0 to 100"),
        ({"days": 0}, "1 or more"),
    ],
)
def test_a_setting_that_makes_no_sense_says_what_would(change, words) -> None:
    with pytest.raises(ValueError, match=words):
        CsvOptions(**{"folder": FilePath("/x"), "date_order": DAY, **change})
