"""The studio's own price lists as the configuration names them, and what is wrong with them."""

from collections.abc import Iterator

from edge_watchdog.config import Config, Problem
from edge_watchdog.daybook.csv_values import DateOrder, Habits
from edge_watchdog.daybook.price_list import PriceFile, PriceListError


def price_files(config: Config) -> tuple[PriceFile, ...]:
    """Give each [[prices]] as a file to read."""
    return tuple(
        PriceFile(
            one.path,
            Habits(DateOrder.YEAR_FIRST, one.decimal, one.currency or config.journal.currency),
            config.studio.time_zone,
        )
        for one in config.prices
    )


def price_problems(config: Config) -> Iterator[Problem]:
    """Read each file now, and name every mistake with its line."""
    for number, one in enumerate(price_files(config), 1):
        try:
            one.read()
        except PriceListError as error:
            for words in error.problems:
                yield Problem(f'[[prices]] {number} path = "{one.path}"', words)
