"""Who may sign in: secrets, sessions, devices, codes, tries, and the record of who looked."""

import asyncio
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edge_watchdog.core.instant import Instant
from edge_watchdog.daybook import DaybookError, secret, setup_code
from edge_watchdog.daybook.audit import Look
from edge_watchdog.daybook.people import People, RefusedError, Rules, Visitor, day_end
from edge_watchdog.daybook.people_file import Device, open_people
from edge_watchdog.daybook.seal import KeySeal
from edge_watchdog.daybook.secret import Cost, WeakSecretError, check_password, check_pin
from edge_watchdog.daybook.tries import Lock, Try, fresh, wait_s

NOON = 1795262400.0  # Saturday 21 November 2026, 12:00 UTC
SEAL = KeySeal(bytes(range(32)), "people")
QUICK = Rules("Europe/London", Cost(4, 8, 1))
PASSWORD, PIN = "three calm words", "482915"
TABLET = Visitor("192.168.50.7")


@dataclass
class StepClock:
    mono: float = 1000.0
    wall: float = NOON

    def now(self) -> Instant:
        return Instant(self.mono, self.wall)

    def step(self, seconds: float) -> None:
        self.mono += seconds
        self.wall += seconds


@dataclass
class Studio:
    """A set-up box with one team member on one paired tablet."""

    folder: Path
    clock: StepClock
    people: People
    tablet: Visitor = TABLET
    mia: int = 0

    async def begin(self) -> None:
        code = setup_code.leave(self.folder, self.clock.wall)
        await self.people.set_up(self.taken, code, PASSWORD, TABLET)
        token = await self.people.pair_as("tablet")
        self.tablet = replace(TABLET, device=self.people.device_of(token), secure=True)
        self.mia = (await self.people.put_person("Mia", PIN)).id

    def taken(self, bare: str) -> bool:
        return setup_code.take(self.folder, bare, self.clock.wall)

    async def restart(self) -> None:
        self.people.close()
        self.people = People(open_people(str(self.folder / "p.db"), SEAL), self.clock, QUICK)
        await self.people.open()

    def holds(self, token: str, *, secure: bool = False) -> bool:
        return self.people.session_of(token, secure=secure) is not None


@pytest.fixture
async def studio(tmp_path):
    clock = StepClock()
    made = Studio(tmp_path, clock, People(open_people(str(tmp_path / "p.db"), SEAL), clock, QUICK))
    await made.people.open()
    await made.begin()
    yield made
    made.people.close()


async def refused(work, words: str | None = None) -> str:
    with pytest.raises(RefusedError, match=words) as found:
        await work
    return str(found.value)


@pytest.mark.parametrize(
    "pin", ["12345", "48291x", "", "111111", "123456", "987654", "\N{ARABIC-INDIC DIGIT FOUR}82915"]
)
def test_a_pin_that_is_short_or_easy_is_refused(pin) -> None:
    with pytest.raises(WeakSecretError):
        check_pin(pin)


@pytest.mark.parametrize("password", ["short", "elevenchars", "aaaaaaaaaaaaaa", "x" * 201])
def test_a_password_that_is_short_or_repeats_itself_is_refused(password) -> None:
    with pytest.raises(WeakSecretError):
        check_password(password)


def test_a_secret_is_kept_as_a_hash_that_is_never_the_same() -> None:
    once, again = secret.hashed(PIN, QUICK.cost), secret.hashed(PIN, QUICK.cost)
    assert once != again
    assert PIN not in once
    assert secret.matches(PIN, once)
    assert not secret.matches(PIN + "0", once)


def test_what_ships_costs_a_guess_16_mib() -> None:
    shipped = Cost()
    assert 128 * 2**shipped.log_n * shipped.r == 16 * 2**20
    assert shipped.p >= 5


def test_a_code_may_be_typed_as_it_is_heard() -> None:
    code = secret.new_code()
    assert secret.bare_code(code.lower().replace("-", " ")) == secret.bare_code(code)
    assert secret.bare_code("o0-iL1") == "00111"


async def test_a_setup_code_works_once_and_within_half_an_hour(studio) -> None:
    code = setup_code.leave(studio.folder, studio.clock.wall)
    assert (studio.folder / setup_code.FILE).stat().st_mode & 0o777 == 0o600
    assert code not in (studio.folder / setup_code.FILE).read_text()
    await refused(studio.people.set_up(studio.taken, "0000-0000-0000", PASSWORD, TABLET), "code")
    token = await studio.people.set_up(studio.taken, code, "other calm words", TABLET)
    assert studio.holds(token)
    await refused(studio.people.set_up(studio.taken, code, PASSWORD, TABLET), "code")
    late = setup_code.leave(studio.folder, studio.clock.wall)
    studio.clock.step(1801)
    await refused(studio.people.set_up(studio.taken, late, PASSWORD, TABLET), "code")


def test_a_damaged_setup_code_is_no_code(tmp_path) -> None:
    (tmp_path / setup_code.FILE).write_text("[]")
    assert not setup_code.take(tmp_path, "X", NOON)
    (tmp_path / setup_code.FILE).write_text("{")
    assert not setup_code.take(tmp_path, "X", NOON)


async def test_a_weak_password_does_not_use_up_the_code(studio) -> None:
    code = setup_code.leave(studio.folder, studio.clock.wall)
    await refused(studio.people.set_up(studio.taken, code, "short", TABLET), "12 characters")
    assert await studio.people.set_up(studio.taken, code, PASSWORD, TABLET)


async def test_a_team_member_signs_in_on_a_paired_device_only(studio) -> None:
    token = await studio.people.sign_in(studio.mia, PIN, studio.tablet)
    assert studio.holds(token, secure=True)
    await refused(studio.people.sign_in(studio.mia, PIN, TABLET), "choose your name")
    await refused(studio.people.sign_in(studio.mia, "482916", studio.tablet), "not right")
    await refused(studio.people.sign_in(999, PIN, studio.tablet), "choose your name")
    owner = studio.people.owner
    assert owner is not None
    await refused(studio.people.sign_in(owner.id, PASSWORD, studio.tablet), "choose your name")


async def test_each_sign_in_has_a_token_of_its_own_and_ends_the_one_before(studio) -> None:
    first = await studio.people.sign_in(studio.mia, PIN, studio.tablet)
    second = await studio.people.sign_in(studio.mia, PIN, replace(studio.tablet, session=first))
    assert first != second
    assert not studio.holds(first)
    assert studio.holds(second)
    fixed = await studio.people.sign_in(
        studio.mia, PIN, replace(studio.tablet, session="chosen by somebody else")
    )
    assert not studio.holds("chosen by somebody else")
    assert studio.holds(fixed)


async def test_a_session_lasts_the_working_day_over_a_restart_and_no_longer(studio) -> None:
    token = await studio.people.sign_in(studio.mia, PIN, studio.tablet)
    await studio.restart()
    assert studio.holds(token)
    studio.clock.step(16 * 3600 - 1)
    assert studio.holds(token)
    studio.clock.step(2)
    assert not studio.holds(token)
    await studio.people.tidy()
    await studio.restart()
    studio.clock.step(-3600)
    assert not studio.holds(token)


def test_the_working_day_ends_at_four_in_the_morning_there() -> None:
    assert day_end(NOON, "Europe/London") == NOON + 16 * 3600
    assert day_end(NOON + 15 * 3600, "Europe/London") == NOON + 16 * 3600
    assert day_end(NOON + 16 * 3600, "Europe/London") == NOON + 40 * 3600


async def test_a_clock_that_fell_back_ends_sessions(studio) -> None:
    token = await studio.people.sign_in(studio.mia, PIN, studio.tablet)
    studio.clock.wall -= 7200
    assert not studio.holds(token)


async def test_what_was_shown_openly_is_nothing_on_a_secure_page(studio) -> None:
    token = await studio.people.sign_in(studio.mia, PIN, replace(studio.tablet, secure=False))
    assert studio.holds(token)
    assert not studio.holds(token, secure=True)


async def sessions(studio: Studio) -> dict[str, str]:
    owner = await studio.people.sign_in_owner(PASSWORD, TABLET)
    return {"mia": await studio.people.sign_in(studio.mia, PIN, studio.tablet), "owner": owner}


@pytest.mark.parametrize(
    "deed, left",
    [
        (lambda s: s.people.put_person("mia", "736251"), {"owner"}),
        (lambda s: s.people.drop_person(s.mia), {"owner"}),
        (lambda s: s.people.revoke(s.tablet.device.id), {"owner"}),
        (lambda s: s.people.change_password(PASSWORD, "other calm words", TABLET), {"mia"}),
    ],
    ids=["another PIN", "person removed", "device removed", "another password"],
)
async def test_sessions_die_with_what_they_rest_on_now_and_after_a_restart(
    studio, deed, left
) -> None:
    heard = []
    tokens = await sessions(studio)
    studio.people.changed = lambda: heard.append(1)
    await deed(studio)
    assert heard
    assert {name for name, token in tokens.items() if studio.holds(token)} == left
    await studio.restart()
    assert {name for name, token in tokens.items() if studio.holds(token)} == left


async def test_signing_out_ends_the_session_at_the_box(studio) -> None:
    token = await studio.people.sign_in(studio.mia, PIN, studio.tablet)
    found = studio.people.session_of(token, secure=False)
    assert found is not None
    await studio.people.sign_out(found[0])
    await studio.restart()
    assert not studio.holds(token)


async def test_private_details_lock_after_five_minutes_and_open_with_the_pin(studio) -> None:
    token = await studio.people.sign_in(studio.mia, PIN, studio.tablet)
    (session, _) = studio.people.session_of(token, secure=True) or pytest.fail("no session")
    studio.clock.step(299)
    assert not studio.people.is_locked(session)
    studio.people.touch(session)
    studio.clock.step(299)
    assert not studio.people.is_locked(session)
    studio.clock.step(2)
    assert studio.people.is_locked(session)
    studio.people.touch(session)
    assert studio.people.is_locked(session)
    assert studio.holds(token)
    await refused(studio.people.unlock(session, "000000", studio.tablet), "not right")
    await studio.people.unlock(session, PIN, studio.tablet)
    assert not studio.people.is_locked(session)
    await studio.restart()
    assert studio.people.is_locked(session)


async def test_a_pairing_code_works_once_and_for_ten_minutes(studio) -> None:
    code = studio.people.begin_pairing("front desk")
    token = await studio.people.pair(code, TABLET)
    device = studio.people.device_of(token)
    assert device is not None
    assert device.name == "front desk"
    await refused(studio.people.pair(code, TABLET), "code")
    late = studio.people.begin_pairing("late")
    studio.clock.step(601)
    await refused(studio.people.pair(late, TABLET), "code")
    await studio.restart()
    assert studio.people.device_of(token) == replace(device, seen_wall=device.seen_wall)
    assert studio.people.device_of("guessed") is None


async def test_no_secret_token_or_code_stands_in_the_file(studio) -> None:
    token = await studio.people.sign_in(studio.mia, PIN, studio.tablet)
    device = await studio.people.pair(studio.people.begin_pairing("front desk"), TABLET)
    bodies = b"".join(file.read_bytes() for file in studio.folder.glob("p.db*"))
    assert b"Mia" in bodies
    assert not [word for word in (token, device, PIN, PASSWORD) if word.encode() in bodies]


async def test_ten_thousand_pins_are_five_guesses_and_one_owner_still_gets_in(studio) -> None:
    guesses = [f"{number:06}" for number in range(100000, 110000)]
    said = [await refused(studio.people.sign_in(studio.mia, g, studio.tablet)) for g in guesses]
    assert sum("not right" in words for words in said) == 5
    assert "wait 15 minutes" in said[5]
    assert "Too many" in await refused(studio.people.sign_in(studio.mia, PIN, studio.tablet))
    await studio.restart()
    assert "Too many" in await refused(studio.people.sign_in(studio.mia, PIN, studio.tablet))
    assert await studio.people.sign_in_owner(PASSWORD, studio.tablet)
    studio.clock.step(901)
    assert await studio.people.sign_in(studio.mia, PIN, studio.tablet)


async def test_a_thousand_guesses_in_the_same_moment_are_five_too(studio) -> None:
    work = (studio.people.sign_in(studio.mia, "100000", studio.tablet) for _ in range(1000))
    said = [str(error) for error in await asyncio.gather(*work, return_exceptions=True)]
    assert sum("not right" in words for words in said) == 5


async def test_many_devices_together_have_twenty_guesses_an_hour(studio) -> None:
    wrong = 0
    for number in range(10):
        device = Device(100 + number, "x", "y", NOON, NOON)
        for _ in range(6):
            words = await refused(
                studio.people.sign_in(studio.mia, "100000", replace(studio.tablet, device=device))
            )
            wrong += "not right" in words
    assert wrong == 20


async def test_a_right_pin_costs_no_try(studio) -> None:
    for _ in range(30):
        await studio.people.sign_in(studio.mia, PIN, studio.tablet)


@pytest.mark.parametrize(
    "ages_s, now_wait_s",
    [
        ([], 0.0),
        ([1, 2, 3, 4], 0.0),
        ([10, 20, 30, 40, 50], 850.0),
        ([899, 10, 20, 30, 40], 1.0),
        ([-600, -600, -600, -600, -600], 900.0),  # made before the clock was set back
        (range(1000, 3000, 100), 700.0),
    ],
)
def test_the_wait_is_counted_from_the_tries_that_still_matter(ages_s, now_wait_s) -> None:
    tries = [Try(NOON - age_s, Lock.PIN, "a") for age_s in ages_s]
    assert wait_s(tries, Lock.PIN, "a", NOON) == pytest.approx(now_wait_s)
    assert wait_s(tries, Lock.PASSWORD, "a", NOON) == 0.0
    assert fresh([Try(NOON + 1e7, Lock.PIN, "a")], NOON) == ()


async def test_names_are_cleaned_and_the_owners_is_taken(studio) -> None:
    person = await studio.people.put_person("  Tom\n\x1b[2J  ", "736251")
    assert person.name == "Tom [2J"
    assert [one.name for one in studio.people.staff] == ["Mia", "Tom [2J"]
    await refused(studio.people.put_person("owner", "736251"), "name")
    await refused(studio.people.put_person(" ", "736251"), "name")
    await refused(studio.people.put_person("Ravi", "123"), "six digits|6 digits")
    await refused(studio.people.drop_person(999), "not there")
    await refused(studio.people.revoke(999), "not there")


async def test_the_record_is_chained_and_a_missing_or_changed_line_is_seen(studio) -> None:
    for number in range(4):
        await studio.people.note(Look("Mia", "tablet", "client", f"c{number}"))
    audit = await studio.people.audit()
    assert audit.whole
    assert [one.look.subject for one in audit.entries] == ["c3", "c2", "c1", "c0"]
    studio.people.close()
    path = studio.folder / "p.db"
    body = path.read_bytes()
    for statement in (
        "DELETE FROM audit WHERE number = 2",
        "DELETE FROM audit WHERE number = 4",
        "DELETE FROM audit WHERE number = 1",
        "UPDATE audit SET subject = 'c9' WHERE number = 3",
        "UPDATE audit SET person = '' WHERE number = 4",
        "DELETE FROM chain",
    ):
        path.write_bytes(body)
        with sqlite3.connect(path) as db:
            db.execute(statement)
        db.close()
        file = open_people(str(path), SEAL)
        assert not file.audit().whole, statement
        file.close()
    path.write_bytes(body)
    assert open_people(str(path), SEAL).audit().whole
    await studio.restart()


async def test_the_record_is_kept_for_ninety_days_and_stays_whole(studio) -> None:
    await studio.people.note(Look("Mia", "tablet", "client", "old"))
    studio.clock.step(50 * 86400)
    await studio.people.note(Look("Mia", "tablet", "client", "new"))
    studio.clock.step(41 * 86400)
    await studio.people.tidy()
    audit = await studio.people.audit()
    assert (audit.whole, [one.look.subject for one in audit.entries]) == (True, ["new"])
    studio.clock.step(90 * 86400)
    await studio.people.tidy()
    await studio.people.note(Look("Mia", "tablet", "client", "newer"))
    audit = await studio.people.audit()
    assert (audit.whole, [one.look.subject for one in audit.entries]) == (True, ["newer"])


async def test_another_key_costs_the_proof_and_nothing_else(studio) -> None:
    await studio.people.note(Look("Mia", "tablet", "client", "c1"))
    studio.people.close()
    file = open_people(str(studio.folder / "p.db"), KeySeal(bytes(32), "people"))
    studio.people = People(file, studio.clock, QUICK)
    await studio.people.open()
    await studio.people.note(Look("Mia", "tablet", "client", "c2"))
    audit = await studio.people.audit()
    assert (audit.whole, len(audit.entries)) == (False, 2)
    assert await studio.people.sign_in(studio.mia, PIN, studio.tablet)


def test_a_damaged_file_is_put_aside_and_nobody_is_known(tmp_path) -> None:
    path = tmp_path / "p.db"
    path.write_bytes(b"no database at all" * 100)
    file = open_people(str(path), SEAL)
    assert file.damaged
    assert file.everything().people == ()
    assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "p.db.damaged").exists()
    file.close()


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path) -> None:
    with pytest.raises(DaybookError, match="disk"):
        open_people(str(tmp_path / "none" / "p.db"), SEAL)
