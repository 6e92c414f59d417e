"""What a network says of itself (RFC 8908): read strictly, and only where the certificate holds."""

import json

import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

from edge_watchdog.clock import SystemClock
from edge_watchdog.core.instant import Instant
from edge_watchdog.core.model import CaptiveWord
from edge_watchdog.probes.bind import trust
from edge_watchdog.probes.captive import ANSWER_BYTES, UNRESTRICTED, ask_captive, read_word
from tests.vendors.servers import Authority, serving

THEN = Instant(1.0, 2.0)
SIGN_IN = "https://welcome.guest.example/welcome?next=1"
WANTS = {"captive": True, "user-portal-url": SIGN_IN, "venue-info-url": "https://guest.example"}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (json.dumps(WANTS), CaptiveWord(THEN, captive=True, sign_in_url=SIGN_IN)),
        ('{"captive": true}', CaptiveWord(THEN, captive=True)),
        (json.dumps(WANTS | {"captive": False}), CaptiveWord(THEN, captive=False)),
        ("{}", None),
        ('{"captive": "true"}', None),
        ('{"captive": 1}', None),
        ('{"captive": null}', None),
        ("[true]", None),
        ("", None),
        ("<html>", None),
        ("\xff", None),
        ("[" * ANSWER_BYTES, None),
    ],
)
def test_only_a_plain_yes_or_no_is_a_word(body: str, word: CaptiveWord | None) -> None:
    assert read_word(THEN, body.encode("latin-1")) == word


@pytest.mark.parametrize(
    "url",
    [
        "http://welcome.guest.example/",
        "javascript:alert(1)",
        "https://",
        "https://[welcome/",
        "https://bank.example@welcome.guest.example/",
        "https://welcome.guest.example/{backup}",
        "https://welcome.guest.example/ Call 0123",
        "https://welcome.guest.example/\n",
        "https://wélcome.example/",
        "https://welcome.guest.example/" + "x" * 200,
        7,
        None,
    ],
)
def test_people_are_sent_to_a_plain_secure_page_or_to_none(url: object) -> None:
    body = json.dumps({"captive": True, "user-portal-url": url}).encode()
    assert read_word(THEN, body) == CaptiveWord(THEN, captive=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


async def ask(api: str, root: str | None) -> CaptiveWord | None:
    connector = TCPConnector(ssl=trust(root))
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar()) as session:
        return await ask_captive(session, api, clock=SystemClock())


async def test_it_is_asked_over_tls_with_its_own_media_type(authority: Authority) -> None:
    accepted: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        accepted.append(request.headers["Accept"])
        return web.json_response(WANTS, content_type="application/captive+json")

    async with serving(answer, context=authority.context("127.0.0.1")) as port:
        word = await ask(f"https://127.0.0.1:{port}/api", str(authority.root))
        assert await ask(f"https://127.0.0.1:{port}/api", None) is None  # nobody vouches for it
        assert await ask(f"http://127.0.0.1:{port}/api", str(authority.root)) is None
    assert word is not None
    assert (word.captive, word.sign_in_url) == (True, SIGN_IN)
    assert accepted == ["application/captive+json"]


@pytest.mark.parametrize(
    ("status", "text"),
    [(302, '{"captive": true}'), (404, '{"captive": true}'), (200, " " * ANSWER_BYTES + "{}")],
    ids=["a redirect", "nothing there", "too long"],
)
async def test_any_other_answer_is_no_word(authority: Authority, status: int, text: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers={"Location": "/"})

    async with serving(answer, context=authority.context("127.0.0.1")) as port:
        assert await ask(f"https://127.0.0.1:{port}/api", str(authority.root)) is None
        gone = port
    assert await ask(f"https://127.0.0.1:{gone}/api", str(authority.root)) is None


async def test_a_network_may_say_that_it_never_wants_one() -> None:
    word = await ask(UNRESTRICTED, None)
    assert word is not None
    assert word.captive is False
