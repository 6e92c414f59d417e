"""The studio's own price list: understood whole, or every mistake named with its line."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_watchdog.core.units import DecimalSign
from edge_watchdog.daybook.csv_values import DateOrder, Habits
from edge_watchdog.daybook.model import Money, PriceItem
from edge_watchdog.daybook.price_list import OwnList, OwnPrices, PriceFile, PriceListError
from tests.desk.studio import NOON, ZONE

GOOD = """\
name,price,category,minutes,kind,before,after
Cut and blow-dry,45.00,Hair,45,,,
Deep tissue massage,"1,070.50",Massage,1h,service,5,15
Shampoo 250 ml,\u00a312.5,,,product,,
"""
TOML = """\
as_of = 2026-11-01
[[item]]
name = "Cut and blow-dry"
price = "45.00"
category = "Hair"
minutes = 45
after = 10
"""
CUT = PriceItem("Cut and blow-dry", Money(4500, "GBP"), "Hair", 45)


def file(
    folder: Path,
    text: str | bytes,
    name: str = "prices.csv",
    sign: DecimalSign = DecimalSign.POINT,
    currency: str = "GBP",
) -> PriceFile:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, (NOON, NOON))
    return PriceFile(str(path), Habits(DateOrder.YEAR_FIRST, sign, currency), ZONE)


def test_a_csv_list_is_read_with_its_own_date_and_what_is_kept_free(tmp_path) -> None:
    assert file(tmp_path, GOOD).read() == OwnList(
        "prices.csv",
        (
            CUT,
            PriceItem("Deep tissue massage", Money(107050, "GBP"), "Massage", 60),
            PriceItem("Shampoo 250 ml", Money(1250, "GBP"), is_product=True),
        ),
        NOON,
        {"deep tissue massage": (300.0, 900.0)},
    )


@pytest.mark.parametrize(
    "body, sign, currency, minor",
    [
        ("\ufeffname;price\nCut;45,50\n".encode(), DecimalSign.COMMA, "EUR", 4550),
        ("Leistung\tPreis\nF\xf6n\t1.045,50\n".encode("cp1252"), DecimalSign.COMMA, "EUR", 104550),
        (b"name,price\r\nCut,4500\r\n\r\n", DecimalSign.POINT, "JPY", 4500),
        (b"name,price\nCut,0\n", DecimalSign.POINT, "GBP", 0),
    ],
)
def test_spreadsheets_write_it_in_their_own_way(tmp_path, body, sign, currency, minor) -> None:
    (item,) = file(tmp_path, body, sign=sign, currency=currency).read().items
    assert item.price == Money(minor, currency)


def test_a_toml_list_says_its_own_date(tmp_path) -> None:
    found = file(tmp_path, TOML, "prices.toml").read()
    assert found.items == (CUT,)
    assert found.buffers == {"cut and blow-dry": (0.0, 600.0)}
    assert found.as_of_wall == datetime(2026, 11, 1, tzinfo=UTC).timestamp()


ALL_WRONG = """\
name,price,minutes,kind
Cut,45.00,,
,12.00,,
Colour,12.5.0,,
Tint,,,
Wash,-3.00,,
Massage,70.00,soon,
Oil,9.00,,gift
cut,50.00,,
"""


def test_every_mistake_is_named_with_its_line(tmp_path) -> None:
    with pytest.raises(PriceListError) as told:
        file(tmp_path, ALL_WRONG).read()
    assert told.value.problems == (
        "line 3: write a name of 1 to 80 signs",
        'line 4: the price of "Colour" is "12.5.0"; write it like 45.00',
        'line 5: the price of "Tint" is ""; write it like 45.00',
        'line 6: the price of "Wash" is "-3.00"; write it like 45.00',
        'line 7: minutes is "soon"; write whole minutes, like 45',
        'line 8: kind is "gift"; write service or product',
        'line 9: "cut" stands in line 2 already',
    )


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("p.csv", "Cut,45\n", "line 1 has no column names"),
        ("p.csv", "", "it has no items"),
        ("p.csv", "name,price\n", "it has no items"),
        ("p.csv", 'name,price\n"Cut,45\n' + "x" * 200_000, "line 3: field larger"),
        ("p.csv", "name,price\n" + "a" * 2**20, "larger than 1 MiB"),
        ("p.csv", "name,price\n" + "".join(f"a{n},1\n" for n in range(2001)), "more than 2000"),
        ("p.toml", "item = [", "it is not TOML"),
        ("p.toml", "item = 3", "with two brackets"),
        ("p.toml", "as_of = 3", "as_of is no date"),
        ("p.toml", "as_of = 2026-11-01T09:00:00Z", "as_of is no date"),
        ("p.toml", "[[itme]]\nname='x'", '"itme" is no key here'),
        ("p.toml", "[[item]]\nname='x'\nprice=45.0", "item 1: price = 45.0 is a bare number"),
        ("p.toml", "[[item]]\nname='x'\nprise='4'", 'item 1: "prise" is no key'),
        ("p.toml", "[[item]]\nname=true\nprice='4'", "name = True is neither"),
    ],
)
def test_what_is_no_price_list_is_said_with_what_would_be_right(
    tmp_path, name, text, words
) -> None:
    with pytest.raises(PriceListError) as told:
        file(tmp_path, text, name).read()
    assert words in " / ".join(told.value.problems)


def test_a_file_that_changed_is_read_again_and_a_bad_one_leaves_the_last_good(tmp_path) -> None:
    one = file(tmp_path, GOOD)
    own = OwnPrices([one])
    assert own.lists == (OwnList("prices.csv"),)
    assert own.look()
    good = own.lists[0]
    assert not own.look()
    (tmp_path / "prices.csv").write_text("name,price\nCut,free\n")
    assert own.look()
    assert own.lists[0].items == good.items
    assert own.lists[0].problems == ('line 2: the price of "Cut" is "free"; write it like 45.00',)
    (tmp_path / "prices.csv").unlink()
    assert own.look()
    assert own.lists[0].problems == ("it could not be read (No such file or directory)",)
    file(tmp_path, "name,price\nCut,50\n")
    assert own.look()
    assert own.lists[0].items[0].price == Money(5000, "GBP")
    assert not own.lists[0].problems
