"""A tablet in the studio of a box: a browser whose sockets live in the network of the desk PC."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp

from tests.desk.doors import PASSWORD, PIN, Browser, device_of, sign_in
from tests.lab.netns import open_socket
from tests.system.box import Box
from tests.system.steps import PROGRAM

ADDRESS = "192.168.50.1"


def _socket_in(namespace: str, info: Any) -> Any:
    made = open_socket(namespace, info[0], info[1])
    made.setblocking(False)
    return made


@dataclass
class Tablet(Browser):
    """One browser of the studio; *world* is the namespace around the box."""

    world: str = ""
    ssl: bool = False  # the certificate's authority was made by the box a moment ago

    def move_to(self, box: Box) -> None:
        """Go on at *box*, the same one after it was started again."""
        self.world = box.world_space

    async def bytes_of(self, path: str) -> tuple[int, bytes]:
        """Get what is no text."""
        async with (
            self._session() as session,
            session.get(self.url + path, ssl=self.ssl) as answer,
        ):
            return answer.status, await answer.read()

    def _session(self) -> aiohttp.ClientSession:
        factory = partial(_socket_in, self.world)
        return aiohttp.ClientSession(
            cookie_jar=self.jar,
            connector=aiohttp.TCPConnector(socket_factory=factory),
            timeout=aiohttp.ClientTimeout(total=30),
        )


async def team_member_at(box: Box, name: str = "Mia") -> Tablet:
    """Set the box up as its owner, add *name* and sign them in on a tablet of their own."""
    secure = f"https://{ADDRESS}:8443"
    owner = Tablet(secure, world=box.world_space)
    code = box.out(f"{PROGRAM} setup-code").splitlines()[0]
    said = await owner.post("/setup", code=code, password=PASSWORD, again=PASSWORD)
    assert said == (303, "/owner/people"), said
    await owner.get("/owner/people")
    assert (await owner.post("/owner/people/add", name=name, pin=PIN))[0] == 303
    tablet = await device_of(owner, "tablet", world=box.world_space)
    assert await sign_in(tablet, name) == 303
    return tablet
