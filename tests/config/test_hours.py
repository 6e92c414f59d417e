import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_watchdog.config.hours import DAY_MINUTES, Hours, local_minute, opens_wall, parse_hours

WEEK = "Mon-Sat 09:00-19:00, Sun 10:00-16:00"
MON, SAT, SUN = 0, 5, 6


@pytest.mark.parametrize(
    "weekday, minute, is_open",
    [
        pytest.param(MON, 8 * 60 + 59, False, id="a minute before opening"),
        pytest.param(MON, 9 * 60, True, id="on opening"),
        pytest.param(SAT, 18 * 60 + 59, True, id="the last minute"),
        pytest.param(SAT, 19 * 60, False, id="on closing"),
        pytest.param(SUN, 9 * 60 + 30, False, id="Sunday opens later"),
        pytest.param(SUN, 12 * 60, True, id="Sunday noon"),
    ],
)
def test_the_studio_is_open_from_the_first_minute_to_before_the_last(weekday, minute, is_open):
    assert parse_hours(WEEK).is_open(weekday, minute) is is_open


@pytest.mark.parametrize(
    "text, weekday, minute, wait",
    [
        pytest.param(WEEK, MON, 8 * 60, 60, id="opens in an hour"),
        pytest.param(WEEK, MON, 9 * 60, 600, id="closes in ten hours"),
        pytest.param(WEEK, SUN, 17 * 60, 16 * 60, id="over the end of the week"),
        pytest.param("Mon-Sun 00:00-24:00", MON, 0, None, id="never closes"),
        pytest.param("Mon 09:00-10:00", MON, 10 * 60, 7 * DAY_MINUTES - 60, id="once a week"),
        pytest.param("Fri 18:00-02:00, Sat 02:00-04:00", 4, 23 * 60, 5 * 60, id="spans that touch"),
    ],
)
def test_the_next_change_is_known_to_the_minute(text, weekday, minute, wait):
    assert parse_hours(text).next_change(weekday, minute) == wait


def test_a_span_past_midnight_belongs_to_the_evening_it_began():
    hours = parse_hours("Sun 20:00-02:00")
    assert hours.is_open(SUN, 23 * 60)
    assert hours.is_open(MON, 60)
    assert not hours.is_open(MON, 2 * 60)
    assert not hours.is_open(SUN, 60)


@pytest.mark.parametrize(
    "one, other",
    [
        ("Sat-Mon 09:00-12:00", "Sat 09:00-12:00, Sun 09:00-12:00, Mon 09:00-12:00"),
        ("monday - wednesday 9:00 - 12:00", "Mon-Wed 09:00-12:00"),
        ("Mon 09:00-12:00, Mon 11:00-15:00", "Mon 09:00-15:00"),
    ],
)
def test_the_same_hours_may_be_written_in_two_ways(one, other):
    assert parse_hours(one) == parse_hours(other)


@pytest.mark.parametrize(
    "text, what",
    [
        ("", "write days and times"),
        ("Mon-Sat", "unclear"),
        ("Mon-Sat 9-19", "unclear"),
        ("Mon-Say 09:00-19:00", "no day"),
        ("Mon 09:60-19:00", "no time of day"),
        ("Mon 25:00-26:00", "no time of day"),
        ("Mon 24:00-25:00", "no time of day"),
        ("Mon 09:00-09:00", "opens for no time"),
        ("Mon 24:00-09:00", "opens for no time"),
        ("Mon 09:00-19:00; Tue 09:00-19:00", "unclear"),
        ("Mon 09:00-19:00,", "write days and times"),
    ],
)
def test_unclear_hours_are_refused_with_what_would_do(text, what):
    with pytest.raises(ValueError, match=what):
        parse_hours(text)


@pytest.mark.parametrize(
    "wall, zone, expected",
    [
        pytest.param(1792933200.0, "Europe/London", (SUN, 13 * 60), id="winter time"),
        pytest.param(1792933200.0 - 86400, "Europe/London", (SAT, 14 * 60), id="summer time"),
        pytest.param(1792933200.0, "Pacific/Auckland", (MON, 2 * 60), id="already tomorrow"),
    ],
)
def test_the_local_minute_follows_the_zone(wall, zone, expected):
    assert local_minute(wall, zone) == expected


@pytest.mark.parametrize(
    "wall, opens",
    [
        pytest.param(1792933200.0 - 12 * 3600 + 30, 1792933200.0 - 3 * 3600, id="Sunday morning"),
        pytest.param(1792933200.0, None, id="open now"),
        # in the night from Saturday to Sunday the clocks go back
        pytest.param(1792933200.0 - 16 * 3600, 1792933200.0 - 3 * 3600, id="longer night"),
    ],
)
def test_when_it_opens_next_is_known_also_over_a_change_of_the_clocks(wall, opens):
    assert opens_wall(parse_hours(WEEK), wall, "Europe/London") == opens


def test_what_is_always_open_or_never_opens_is_not_waited_for():
    assert opens_wall(parse_hours("Mon-Sun 00:00-24:00"), 1792933200.0, "Europe/London") is None
    assert opens_wall(Hours(()), 1792933200.0, "Europe/London") is None


spans = st.lists(
    st.tuples(st.integers(0, 7 * DAY_MINUTES - 2), st.integers(1, 900)), min_size=1, max_size=6
)


@given(spans, st.integers(0, 6), st.integers(0, DAY_MINUTES - 1))
def test_nothing_changes_before_the_next_change_and_everything_at_it(raw, weekday, minute):
    flat = sorted((a, min(a + n, 7 * DAY_MINUTES)) for a, n in raw)
    apart = [s for i, s in enumerate(flat) if i == 0 or s[0] > flat[i - 1][1]]
    hours = Hours(tuple(apart))
    wait = hours.next_change(weekday, minute)
    now = hours.is_open(weekday, minute)
    start = weekday * DAY_MINUTES + minute
    for step in range(1, wait or 7 * DAY_MINUTES):
        assert hours.is_open(*divmod((start + step) % (7 * DAY_MINUTES), DAY_MINUTES)) == now
    if wait is not None:
        assert hours.is_open(*divmod((start + wait) % (7 * DAY_MINUTES), DAY_MINUTES)) != now
