import asyncio
import contextlib
import itertools
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_watchdog.alerts.outbox import Outbox
from edge_watchdog.core.actions import Reason, Severity
from tests.alerts.fakes_alerts import Clock, Service, alert
from tests.patience import soon

FIRST, CHANGED, DUE, OVER, NOTICE = (
    Reason.FIRST, Reason.CHANGED, Reason.UPDATE_DUE, Reason.RESOLVED, Reason.NOTICE,
)  # fmt: skip


class Post:
    """An outbox with one channel or more, on one file, with a clock to step."""

    def __init__(self, path, names=("hook",)):
        self.path = path
        self.clock = Clock()
        self.services = {name: Service(self.clock) for name in names}
        self.service = next(iter(self.services.values()))
        self.outbox = self.restart()

    def restart(self):
        self.outbox = Outbox(self.path, self.services, self.clock)
        for lane in self.outbox._lanes.values():
            lane.jitter = lambda: 1.0
        return self.outbox

    async def put(self, *alerts):
        for one in alerts:
            await self.outbox.put(one)

    async def flush(self, name="hook"):
        return await self.outbox.flush(name)

    async def later(self, seconds):
        """Let time pass as deliver() would: flush whenever a wait is over."""
        end = self.clock.mono + seconds
        while True:
            waits = [await self.outbox.flush(name) for name in self.services]
            due = min((w for w in waits if w is not None), default=None)
            if due is None or self.clock.mono + due > end:
                break
            self.clock.mono += max(due, 0.001)
        self.clock.mono = end


@pytest.fixture
async def post(tmp_path):
    post = Post(tmp_path / "watch" / "outbox.db")
    yield post
    await post.outbox.close()


async def test_what_comes_with_a_link_goes_out_at_once(post):
    await post.put(alert(1, FIRST))
    assert await post.flush() is None
    await post.put(alert(1, CHANGED), alert(2, FIRST))
    await post.flush()
    await post.put(alert(1, OVER))
    await post.flush()
    assert post.service.headlines == ["1 first", "1 changed", "2 first", "1 resolved"]


async def test_the_same_alert_twice_is_sent_once(post):
    await post.put(alert(1, FIRST), alert(1, FIRST))
    await post.flush()
    await post.put(alert(1, FIRST))
    await post.flush()
    assert post.service.headlines == ["1 first"]


@pytest.mark.parametrize(
    "waiting, heard",
    [
        ([FIRST, CHANGED, DUE], [("first", "1 update due")]),
        ([FIRST, OVER], [("notice", "1 resolved")]),
        ([NOTICE, OVER], [("notice", "1 resolved")]),
        ([FIRST, OVER, FIRST], [("first", "1 first")]),
        ([OVER], [("notice", "1 resolved")]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else None,
)
async def test_of_what_could_not_be_sent_only_the_newest_state_is(post, waiting, heard):
    post.service.mood = "no link"
    for number, reason in enumerate(waiting):
        await post.put(alert(1, reason, said=1000.0 + number))
        await post.flush()
    post.service.mood = "well"
    await post.later(20)
    assert list(zip(post.service.reasons, post.service.headlines, strict=True)) == heard


@pytest.mark.parametrize(
    "waiting, heard",
    [
        ([CHANGED, DUE], ["1 first", "1 update due"]),
        ([CHANGED, OVER], ["1 first", "1 resolved"]),
        ([OVER, FIRST], ["1 first", "1 first"]),
    ],
)
async def test_who_was_told_of_the_beginning_is_told_how_it_goes_on(post, waiting, heard):
    await post.put(alert(1, FIRST, said=999.0))
    await post.flush()
    post.service.mood = "no link"
    for reason in waiting:
        await post.put(alert(1, reason))
    await post.flush()
    post.service.mood = "well"
    await post.later(20)
    assert post.service.headlines == heard
    assert post.service.wrong == []


async def test_a_digest_says_that_it_is_late_and_makes_no_noise(post):
    post.service.mood = "no link"
    await post.put(alert(1, FIRST, "No internet."))
    await post.put(alert(1, OVER, "Broadband works again. It took 17 minutes."))
    post.service.mood = "well"
    await post.flush()
    ((_, digest),) = post.service.heard
    assert (digest.reason, digest.severity) == (NOTICE, Severity.NOTICE)
    assert digest.headline == "Broadband works again. It took 17 minutes."
    assert "nothing could be sent while it lasted. It began with: No internet." in digest.body
    assert digest.steps == ()


async def test_several_troubles_that_are_over_make_one_digest(post):
    post.service.mood = "no link"
    for number in range(1, 41):
        await post.put(alert(number, FIRST), alert(number, OVER, f"{number} is back"))
    await post.put(alert(50, FIRST, "still down"))
    post.service.mood = "well"
    await post.later(20)
    (_, digest), (_, still) = post.service.heard
    assert digest.headline == "40 troubles came and went while nothing could be sent."
    assert digest.body.splitlines() == [f"{n} is back" for n in range(1, 41)]
    assert still.headline == "still down"


async def test_one_bad_channel_does_not_hold_up_another(tmp_path):
    post = Post(tmp_path / "outbox.db", ("bad", "good"))
    post.services["bad"].mood = "no link"
    await post.put(alert(1, FIRST), alert(2, FIRST))
    assert await post.flush("bad") == pytest.approx(5)
    assert await post.flush("good") is None
    assert post.services["good"].headlines == ["1 first", "2 first"]
    await post.outbox.close()


async def test_a_refusal_is_shown_and_does_not_hold_up_the_rest(post):
    post.service.mood = "refuses"
    await post.put(alert(1, FIRST))
    assert await post.flush() is None
    assert post.outbox.problems() == ("hook: refuses our key (401).",)
    post.service.mood = "well"
    await post.put(alert(2, FIRST))
    await post.flush()
    assert post.service.headlines == ["2 first"]
    assert post.outbox.problems() == ()


async def test_an_owed_end_that_is_refused_is_tried_every_hour(post):
    await post.put(alert(1, FIRST))
    await post.flush()
    post.service.mood = "refuses"
    await post.put(alert(1, OVER))
    assert await post.flush() == pytest.approx(3600)
    await post.put(alert(2, FIRST))
    post.service.mood = "well"
    await post.flush()
    assert post.service.headlines == ["1 first", "2 first"]
    await post.later(3700)
    assert post.service.headlines[-1] == "1 resolved"


async def test_the_pause_doubles_to_five_minutes_and_a_link_shortens_it(post):
    post.service.mood = "no link"
    await post.put(alert(1, FIRST))
    pauses = []
    for _ in range(9):
        pauses.append(await post.flush())
        post.clock.mono += pauses[-1] + 0.001
    assert [round(p) for p in pauses] == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    await post.flush()
    post.outbox.wake()
    assert await post.flush() == pytest.approx(10)


async def test_a_service_that_asks_for_time_gets_it(post):
    post.service.mood = "busy"
    await post.put(alert(1, FIRST))
    assert await post.flush() == pytest.approx(100)
    post.outbox.wake()
    assert await post.flush() == pytest.approx(100)


async def test_a_channel_that_fails_for_long_is_a_problem(post):
    post.service.mood = "no link"
    await post.put(alert(1, FIRST))
    await post.later(600)
    assert post.outbox.problems() == ()
    await post.later(900)
    (said,) = post.outbox.problems()
    assert said.startswith("hook: nothing could be sent for 25 minutes")


async def test_a_storm_is_cut_to_a_bearable_rate(post):
    for number in range(200):
        await post.put(alert(number, FIRST), alert(number, OVER))
        await post.later(18)
    times = [at for at, _ in post.service.heard]
    in_any_hour = max(sum(t <= u < t + 3600 for u in times) for t in times)
    assert in_any_hour <= 42
    await post.later(12 * 3600)
    assert post.service.open == {}


async def test_what_was_accepted_outlives_a_restart(post):
    post.service.mood = "no link"
    await post.put(alert(1, FIRST), alert(2, FIRST))
    await post.flush()
    post.restart()
    post.service.mood = "well"
    await post.flush()
    assert post.service.headlines == ["1 first", "2 first"]
    post.restart()
    await post.put(alert(1, OVER))
    await post.flush()
    assert post.service.headlines[-1] == "1 resolved"


async def test_a_beginning_that_may_have_arrived_is_owed_its_end(post):
    post.service.mood = "drops"
    await post.put(alert(1, FIRST))
    await post.flush()
    await post.put(alert(1, OVER))
    post.service.mood = "well"
    await post.later(20)
    assert post.service.reasons == ["first", "resolved"]


@pytest.mark.parametrize(
    "error, then",
    [(TimeoutError(), ["first", "resolved"]), (ConnectionError("no broker"), ["notice"])],
)
async def test_a_plain_error_of_the_world_is_tried_again(post, error, then):
    class Broken(Service):
        async def send(self, alert):
            if isinstance(error, TimeoutError):
                self._take(alert)
            raise error

    post.services["hook"] = broken = Broken(post.clock)
    await post.put(alert(1, FIRST))
    assert await post.flush() == pytest.approx(5)
    await post.put(alert(1, OVER))
    post.services["hook"] = post.service
    await post.later(20)
    assert broken.reasons + post.service.reasons == then


async def test_a_crash_while_sending_counts_as_maybe(post):
    post.service.mood = "crash"
    await post.put(alert(1, FIRST))
    with pytest.raises(asyncio.CancelledError):
        await post.flush()
    post.restart()
    post.service.mood = "well"
    await post.put(alert(1, OVER))
    await post.flush()
    assert (post.service.reasons, post.service.open) == (["first", "resolved"], {})


async def test_news_that_come_while_a_message_is_on_its_way_are_not_lost(post):
    started, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Service):
        async def send(self, alert):
            started.set()
            await go_on.wait()
            await super().send(alert)

    post.services["hook"] = post.service = Slow(post.clock)
    await post.put(alert(1, FIRST))
    flush = asyncio.create_task(post.flush())
    await started.wait()
    await post.put(alert(1, OVER))
    go_on.set()
    await flush
    assert (post.service.reasons, post.service.wrong) == (["first", "resolved"], [])


async def test_the_outbox_is_bounded_and_keeps_what_is_owed(post):
    post.outbox.limit = 20
    await post.put(*(alert(n, FIRST) for n in range(5)))
    await post.later(3600)
    post.service.mood = "no link"
    await post.put(*(alert(n, OVER) for n in range(5)))
    await post.put(*(alert(n, FIRST) for n in range(100, 200)))
    await post.put(*(alert(n, OVER) for n in range(100, 150)))
    post.service.mood = "well"
    await post.later(24 * 3600)
    assert {n for n in post.service.open if n < 5} == set()
    assert len(post.service.heard) < 40


async def test_after_thirty_days_nothing_is_kept(post):
    post.service.mood = "no link"
    await post.put(alert(1, FIRST))
    post.clock.mono += 31 * 86400
    await post.put(alert(2, FIRST))
    post.service.mood = "well"
    await post.flush()
    assert post.service.headlines == ["2 first"]


async def test_a_spoilt_file_is_moved_aside(post):
    post.path.parent.mkdir()
    post.path.write_bytes(b"nothing of ours" * 100)
    await post.put(alert(1, FIRST))
    await post.flush()
    assert post.service.headlines == ["1 first"]
    assert post.path.with_name("outbox.db.aside").exists()


async def test_a_disk_that_fails_leaves_the_outbox_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    post = Post(tmp_path / "file" / "outbox.db")
    await post.put(alert(1, FIRST))
    await post.flush()
    assert post.service.headlines == ["1 first"]
    assert "cannot be kept on the disk" in post.outbox.problems()[0]
    (tmp_path / "file").unlink()
    await post.put(alert(2, FIRST))
    assert post.outbox.problems() == ()
    with contextlib.closing(sqlite3.connect(post.path)) as db:
        assert db.execute("SELECT count(*) FROM slot").fetchone() == (2,)
    await post.outbox.close()


async def test_run_delivers_by_all_channels_and_wakes_for_news(tmp_path):
    post = Post(tmp_path / "outbox.db", ("a", "b"))
    run = asyncio.create_task(post.outbox.run())
    await post.put(alert(1, FIRST))
    await soon(lambda: all(s.heard for s in post.services.values()))
    await post.put(alert(1, OVER))
    await soon(lambda: all(s.open == {} for s in post.services.values()))
    run.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await run
    await post.outbox.close()


moods = st.sampled_from(["well", "no link", "busy", "drops", "crash", "restart"])
news = st.none() | st.tuples(st.integers(1, 2), st.sampled_from([FIRST, CHANGED, DUE, OVER, OVER]))
steps = st.tuples(moods, news, st.sampled_from([0, 0, 20, 700, 4000]), st.booleans())


@given(st.lists(steps, max_size=25))
@settings(max_examples=120, deadline=None)
def test_whatever_happens_people_know_the_truth_in_the_end(tmp_path_factory, script):
    asyncio.run(play(tmp_path_factory.mktemp("outbox") / "outbox.db", script))


async def play(path, script):
    post, saids = Post(path), itertools.count(1000)
    truth: dict[int, str | None] = {}
    for mood, said, seconds, wakes in script:
        post.service.mood = mood.replace("restart", "well")
        if mood == "restart":
            post.restart()
        if said is not None:
            incident, reason = said[0], honest(truth.get(said[0]), said[1])
            at = next(saids)
            headline = f"{incident} {reason} {at}"
            truth[incident] = None if reason is OVER else headline
            await post.put(alert(incident, reason, headline, said=at))
        if wakes:
            post.outbox.wake()
        try:
            await post.later(seconds)
        except asyncio.CancelledError:
            post.restart()
    post.service.mood = "well"
    await post.later(24 * 3600)
    await post.outbox.close()
    assert post.service.wrong == []
    assert post.service.open == {n: text for n, text in truth.items() if text is not None}
    times = [at for at, _ in post.service.heard]
    restarts = sum(step[0] in ("restart", "crash") for step in script)
    limit = 42 + 12 * restarts  # a fresh start may speak a dozen times again
    assert all(sum(t <= u < t + 3600 for u in times) <= limit for t in times)


def honest(open_headline, reason):
    """Give the reason the mind could give: nothing ends or changes that has not begun."""
    if open_headline is None:
        return FIRST
    return CHANGED if reason is FIRST else reason
