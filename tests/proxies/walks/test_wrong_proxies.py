"""A proxy that is set up wrongly: nobody is sent round and round, and a page says what is missing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.proxies.conftest import FILES
from tests.proxies.fronts import Front
from tests.proxies.walks.conftest import Town
from tests.proxies.walks.mistakes import MISTAKES, Mistake, wrong_front

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]

NewFront = Callable[[Mistake], Front]


@pytest.fixture
def beside(town: Town, tmp_path: Path) -> Iterator[NewFront]:
    """Starts a proxy of the same kind with a mistake in it, which is guarded, too."""
    started: list[Front] = []

    def start(mistake: Mistake) -> Front:
        front = wrong_front(town.guarded.front, tmp_path / f"etc-{len(started)}", FILES, mistake)
        started.append(front)
        town.watch.allow(front.url(FILES))
        return front.start()

    yield start
    for front in started:
        front.stop()


def test_a_page_says_what_is_missing_instead_of_a_loop(town: Town, beside: NewFront) -> None:
    reader = town.comes(town.people.reader, javascript=False)
    reader.give_password()
    for what, mistake in MISTAKES.items():
        address = beside(mistake).url(FILES)
        answer = reader.visits(f"{address}/notes?of=today")
        assert answer.status == mistake.status, what
        reader.sees(mistake.heading.format(host=address.removeprefix("https://")))
        reader.reads(mistake.told)
