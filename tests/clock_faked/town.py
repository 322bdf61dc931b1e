"""A running portal at a time of the test's choice, with people in it."""

from datetime import datetime

from tests.browser.server_clock import ServerClock
from tests.people import Cast, Person
from tests.server import Server
from tests.visitor import Visitor


class Town:
    """Its rule lets nobody in without an app, and all but the reader have one."""

    def __init__(self, server: Server, clock: ServerClock, people: Cast) -> None:
        self.server = server
        self.clock = clock
        self.people = people

    def go_to(self, instant: datetime) -> None:
        self.clock.advance(seconds=(instant - self.clock()).total_seconds())

    def visitor(self) -> Visitor:
        return Visitor(self.server)

    def enter(self, visitor: Visitor, person: Person) -> Visitor:
        """Give the password and the code that the person's app shows now; where it leads is the test's to look at."""
        assert person.phone is not None
        assert visitor.give_password(person).location == "/log-in/code", visitor.text
        return visitor.submit("/log-in/code", code=person.phone.code(self.clock()))
