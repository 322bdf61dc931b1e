"""Those who work at desks while the portal is killed: rules, requests, datasets, links for a new password."""

import re
import time
from abc import abstractmethod
from collections.abc import Iterator

from sqlalchemy import func, select

from mfaportal.models import AccessRequest, Account, Dataset, EventKind, Membership, Portal, RequestState
from mfaportal.plumbing.db import transaction
from mfaportal.plumbing.passwords import verify_password
from tests.faults.lives import Life, with_apps
from tests.people import PORTAL, Person
from tests.races.arena import UNCOVERED, Arena
from tests.visitor import Visitor

BACK = f"/portals/{PORTAL}/backoffice"
SECURITY = f"/portals/{UNCOVERED}/backoffice/access/security"


class Clerk(Life):
    """Somebody with an app who logs in and then works for as long as it goes well."""

    role = "admin"
    operator = False

    def __init__(self, place: Arena) -> None:
        super().__init__(place)
        self.person, self.phones = with_apps(place, 5, self.role)
        if self.operator:
            with transaction() as session:
                session.get_one(Account, self.person.id).is_operator = True

    @abstractmethod
    def work(self, visitor: Visitor) -> Iterator[None]:
        """What they do once they are logged in."""

    def live(self, visitor: Visitor) -> Iterator[None]:
        if not self.phones:
            time.sleep(0.02)
            return
        code = self.phones.pop().code(self.place.now())
        assert visitor.give_password(self.person).location == "/log-in/code", visitor.text
        yield
        self.heard(visitor.submit("/log-in/code", code=code), "/")
        self.used.append(self.at_the_code(self.person, "/log-in/code", code))
        while True:
            yield
            yield from self.work(visitor)


class Admin(Clerk):
    """Raises and drops the rule of a portal, and decides about requests."""

    operator = True

    def __init__(self, place: Arena) -> None:
        super().__init__(place)
        self.rules = set(place.rows(select(Portal.mfa_rule).where(Portal.slug == UNCOVERED)))
        with transaction() as session:
            here = session.scalars(select(Portal.id).where(Portal.slug == PORTAL)).one()
            made = [
                AccessRequest(
                    portal_id=here, email=f"r{self.person.id}-{n}@example.org", name="New", made_at=place.now()
                )
                for n in range(20)
            ]
            session.add_all(made)
        self.requests = [request.id for request in made]
        self.accepted: list[int] = []
        self.tried: list[int] = []

    def work(self, visitor: Visitor) -> Iterator[None]:
        wanted = "off" if "everyone" in self.rules else "everyone"
        self.rules |= {wanted}
        self.heard(visitor.submit(SECURITY, visibility="private", mfa_rule=wanted))
        self.rules = {wanted}
        yield
        if len(self.tried) < len(self.requests):
            number = self.requests[len(self.tried)]
            self.tried.append(number)
            fields = {"requests": str(number), "role": "reader", "decision": "accept"}
            self.heard(visitor.submit(f"{BACK}/access/requests", **fields))
            self.accepted.append(number)

    def wrong(self) -> list[str]:
        rule = self.place.rows(select(Portal.mfa_rule).where(Portal.slug == UNCOVERED))[0]
        faults = [] if rule in self.rules else [f"the rule is {rule}, not {self.rules}"]
        self.rules = {rule}
        for request in self.place.rows(select(AccessRequest).where(AccessRequest.id.in_(self.tried))):
            account = request.account_id or 0
            members = self.place.rows(select(func.count()).where(Membership.account_id == account))[0]
            events = self.place.events(EventKind.REQUEST_ACCEPTED, Person(account, "", ""))
            done = request.state == RequestState.ACCEPTED
            if (members, events) != ((1, 1) if done else (0, 0)) or (request.id in self.accepted and not done):
                faults.append(f"request {request.id}: {request.state}, {members} memberships, {events} events")
        return faults


class Editor(Clerk):
    """Adds datasets and deletes every other one."""

    role = "editor"

    def __init__(self, place: Arena) -> None:
        super().__init__(place)
        self.added: list[str] = []
        self.deleted: list[str] = []
        self._number = 0

    def work(self, visitor: Visitor) -> Iterator[None]:
        self._number += 1
        path = f"{BACK}/datasets/new"
        content = f"who,what\n{self.person.name},{self._number}\n".encode() * 400
        title = f"Set {self.person.id} {self._number}"
        visitor.get(path)
        self.heard(visitor.upload(path, content, title=title, description="", visibility="public"))
        self.added.append(slug := title.lower().replace(" ", "-"))
        yield
        if self._number % 2:
            self.added.remove(slug)  # it may be there or not, until the answer comes
            self.heard(visitor.submit(f"{BACK}/datasets/{slug}/delete"))
            self.deleted.append(slug)

    def wrong(self) -> list[str]:
        there = set(self.place.rows(select(Dataset.slug)))
        return [f"{slug} is lost" for slug in self.added if slug not in there] + [
            f"{slug} is there again" for slug in self.deleted if slug in there
        ]


class Operator(Clerk):
    """Makes reset links, with which people choose new passwords."""

    operator = True

    def __init__(self, place: Arena) -> None:
        super().__init__(place)
        self.owner, _ = with_apps(place, 1)
        self.passwords = {self.owner.password}

    def work(self, visitor: Visitor) -> Iterator[None]:
        made = visitor.submit(f"{BACK}/access/users/{self.owner.id}/reset-link")
        assert made.status == 200, made.text
        token = re.findall(r"/reset-password/([\w-]+)</code>", made.body)[0]
        yield
        browser = Visitor(self.place.server, address="10.8.0.1")
        password = f"marmalade lantern orbit {self.told}"
        try:
            assert browser.get(f"/reset-password/{token}").location == "/reset-password"
            self.passwords |= {password}
            self.heard(browser.submit("/reset-password", password=password), "/log-in")
        finally:
            browser.close()
            self.bad += [f"reset: {status}" for status in browser.statuses if status >= 500]
        self.passwords = {password}
        content = {"reset_token": token}
        self.used.append(lambda: self.place.browser(content).post("/reset-password", password="another one of us"))

    def wrong(self) -> list[str]:
        digest = self.place.account(self.owner).password_digest
        right = {password for password in self.passwords if verify_password(password, digest)}
        self.passwords = right or self.passwords
        return [] if right else ["no password that the owner was told of works"]
