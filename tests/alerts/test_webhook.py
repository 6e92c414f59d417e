import hashlib
import hmac
import json
import socket

import aiohttp
import pytest
from aiohttp import web

from edge_watchdog.alerts import AlertError
from edge_watchdog.alerts.registry import CHANNELS
from edge_watchdog.alerts.webhook import Webhook, WebhookOptions
from edge_watchdog.core.actions import Reason
from edge_watchdog.core.units import FilePath, Url
from tests.alerts.fakes_alerts import Clock, alert
from tests.ports import free_ports

SECRET_PATH = "/T0P/s3cret-path"


class Hook:
    """A service on loopback; *status* and *headers* are its next answer, None = it hangs up."""

    def __init__(self):
        self.status: int | None = 200
        self.headers: dict[str, str] = {}
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    async def answer(self, request):
        self.seen.append((dict(request.headers), await request.read()))
        if self.status is None:
            request.transport.abort()
            return web.Response()
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
async def hook():
    hook = Hook()
    app = web.Application()
    app.router.add_post("/{path:.*}", hook.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener).start()
        hook.url = f"http://127.0.0.1:{listener.getsockname()[1]}{SECRET_PATH}"
        yield hook
        await runner.cleanup()


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


def channel(url, session, secret_file=None):
    options = WebhookOptions(Url(url), secret_file)
    return Webhook(options, lambda: session, clock=Clock(), box="lotus")


async def test_the_message_says_everything_a_machine_needs(hook, session):
    await channel(hook.url, session).send(alert(7, Reason.FIRST, "No internet.", said=1000.0))
    ((headers, body),) = hook.seen
    data = json.loads(body)
    assert data == {
        "v": 1,
        "box": "lotus",
        "incident": 7,
        "reason": "first",
        "severity": "outage",
        "cause": "provider down",
        "headline": "No internet.",
        "body": "Yes.",
        "steps": ["Wait."],
        "since": "2026-09-21T14:30:00Z",
        "said": "2026-09-21T14:30:00Z",
        "sent": "2026-09-21T14:30:00Z",
        "delayed": False,
    }
    assert headers["Content-Type"].startswith("application/json")
    assert headers["Idempotency-Key"].startswith("lotus-7-")
    assert "X-Edge-Watchdog-Signature" not in headers


@pytest.mark.parametrize("status", [201, 202, 204])
async def test_any_success_will_do(hook, session, status):
    hook.status = status
    await channel(hook.url, session).send(alert(7, Reason.FIRST))


async def test_a_late_message_says_so(hook, session):
    await channel(hook.url, session).send(alert(7, Reason.FIRST, said=900.0))
    assert json.loads(hook.seen[0][1])["delayed"] is True


async def test_with_a_secret_the_message_is_signed(hook, session, tmp_path):
    (tmp_path / "secret").write_text("k3y\n")
    await channel(hook.url, session, FilePath(str(tmp_path / "secret"))).send(
        alert(7, Reason.FIRST)
    )
    headers, body = hook.seen[0]
    seconds, _, signature = headers["X-Edge-Watchdog-Signature"].partition(",v1=")
    signed = seconds.removeprefix("t=").encode() + b"." + body
    assert signature == hmac.new(b"k3y", signed, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("content", [None, " \n"], ids=["missing", "empty"])
async def test_a_secret_that_cannot_be_used_is_named_and_nothing_is_sent(
    hook, session, tmp_path, content
):
    path = tmp_path / "secret"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AlertError, match=str(path)) as caught:
        await channel(hook.url, session, FilePath(str(path))).send(alert(7, Reason.FIRST))
    assert not caught.value.again
    assert hook.seen == []


@pytest.mark.parametrize(
    "status, again, unsure, said",
    [
        (301, False, False, "refuses the message (301 Moved Permanently)"),
        (400, False, False, "refuses the message (400 Bad Request)"),
        (401, False, False, "refuses our key (401 Unauthorized)"),
        (403, False, False, "refuses our key (403 Forbidden)"),
        (404, False, False, "refuses the message (404 Not Found)"),
        (408, True, False, "answers 408"),
        (429, True, False, "answers 429 Too Many Requests"),
        (499, False, False, "refuses the message (499)"),
        (500, True, True, "answers 500"),
        (503, True, True, "answers 503 Service Unavailable"),
    ],
)
async def test_what_an_answer_means(hook, session, status, again, unsure, said):
    hook.status = status
    hook.headers = {"Location": "/elsewhere"} if status == 301 else {}
    error = await error_of(channel(hook.url, session))
    assert (error.again, error.unsure) == (again, unsure)
    assert said in str(error)
    assert len(hook.seen) == 1


async def error_of(webhook):
    with pytest.raises(AlertError) as caught:
        await webhook.send(alert(7, Reason.FIRST))
    assert "s3cret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "text, after_s",
    [
        ("120", 120.0),
        ("999999", 3600.0),
        ("Mon, 21 Sep 2026 14:35:00 GMT", 300.0),
        ("Mon, 21 Sep 2020 14:35:00 GMT", 0.0),
        ("soon", None),
    ],
)
async def test_retry_after_is_understood(hook, session, text, after_s):
    hook.status, hook.headers = 503, {"Retry-After": text}
    error = await error_of(channel(hook.url, session))
    assert error.after_s == after_s


async def test_a_service_that_hangs_up_may_have_taken_it(hook, session):
    hook.status = None
    error = await error_of(channel(hook.url, session))
    assert (error.again, error.unsure) == (True, True)


async def test_a_port_where_nobody_listens_has_not_taken_it(session):
    (port,) = free_ports(1)
    error = await error_of(channel(f"http://127.0.0.1:{port}{SECRET_PATH}", session))
    assert (error.again, error.unsure) == (True, False)
    assert str(error) == "127.0.0.1 cannot be reached"


async def test_without_a_way_out_it_waits(hook, session):
    closed = aiohttp.ClientSession()
    await closed.close()
    for way in (None, closed):
        error = await error_of(channel(hook.url, way))
        assert (error.again, error.unsure) == (True, False)
    assert hook.seen == []


def test_the_registry_builds_it(tmp_path):
    options = CHANNELS["webhook"](Url("https://hooks.example/x"))
    assert options.build(lambda: None).name == "webhook"
