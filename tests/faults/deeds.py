"""What people do once they are in, what operators do to them, and what happens to clocks and servers.

After each step `look_around` asks every browser who it is, the gateway whom it would let in, and the database what it
holds: the invariants of security.md §4.
"""

import re
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from sqlalchemy import func, select

from mfaportal.domain import access_security, accounts, authenticators, members, one_time_links
from mfaportal.domain.outcomes import AccountRefusal, AppsReset, Done, LinkMade
from mfaportal.models import Account, Authenticator, EventKind, Login, RecoveryCode
from mfaportal.models.authenticator import owner_of
from mfaportal.plumbing.db import db, reading
from mfaportal.plumbing.runtime import runtime
from mfaportal.rules.mfa_rule import MfaRule
from mfaportal.rules.roles import MemberRole
from tests.browser_client import Browser, Page
from tests.faults.machine import ACCOUNT, CODES, HOME, METHODS, Entering, which, who
from tests.faults.model import ANONYMOUS, SET_UP, WHOLE, App, Human, Session, is_fresh
from tests.guarded import STRANGER, GuardedHost, identity
from tests.people import PORTAL, on_the_command_line
from tests.phone import Phone

KEY = re.compile(r'<code class="key">([A-Z2-7 ]+)</code>')
COUNTED = (
    EventKind.LOGIN_PASSWORD_RIGHT,
    EventKind.LOGIN_PASSWORD_WRONG,
    EventKind.LOGIN_REFUSED,
    EventKind.LOGIN_COMPLETED,
    EventKind.LOGIN_CONFIRMED,
    EventKind.LOGIN_ENDED,
    EventKind.CODE_WRONG,
    EventKind.AUTHENTICATOR_ADDED,
    EventKind.AUTHENTICATOR_DELETED,
    EventKind.RECOVERY_CODES_MADE,
    EventKind.RECOVERY_CODE_USED,
    EventKind.RECOVERY_CODES_REPLACED,
    EventKind.LINK_MADE,
    EventKind.PASSWORD_SET,
    EventKind.MFA_RESET,
    EventKind.ACCOUNT_SUSPENDED,
    EventKind.ACCOUNT_RESTORED,
    EventKind.ACCOUNT_UNLOCKED,
    EventKind.OPERATOR_CHANGED,
    EventKind.ROLE_CHANGED,
)
APPS = 4
SECONDS = (10, 31, 95, 301, 660, 1260, 1860, 3 * 3600, 12 * 3600 + 1, 25 * 3600, -45, -600)


class Days(Entering):
    """All rules together."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, int] = {}
        """Set-up keys that were shown, and the login that each was shown to."""
        self.passwords = 0

    @initialize(people=st.sets(who))
    def begin(self, people: set[int]) -> None:
        """Some of them have set up an app; half of those are still inside."""
        for person in sorted(people):
            self.enter(person, person)
            found = self.at(person, WHOLE)
            assert found is not None
            self.set_up_in(*found)
            if person % 2:
                self.log_out_of(person)

    # apps and codes

    @rule(number=which, offset=st.sampled_from([0, 0, 0, -1, 5]), replace=st.booleans())
    def set_up(self, number: int, offset: int, replace: bool) -> None:
        """The first app, a further one, or one in place of the oldest."""
        found = self.at(number, SET_UP) or self.at(number, WHOLE)
        if found is not None:
            self.set_up_in(*found, offset=offset, replace=replace)

    def set_up_in(self, number: int, session: Session, *, offset: int = 0, replace: bool = False) -> None:
        human, at = session.human, self.stage(number)
        replace = replace and at == WHOLE and bool(human.apps)
        if len(human.apps) >= APPS and not replace:
            return
        path = HOME.get(at) or (self.app_page(number, 0, "replace") if replace else f"{METHODS}/add")
        page = self.ask(number, "GET", path)
        allowed = at == SET_UP or is_fresh(session, self.clock()) or session.recovered
        assert (page.status == 200) == allowed, f"{path}: {page.status} {page.location}"
        if page.status != 200:
            return
        shown = KEY.search(page.html)
        assert shown
        phone = Phone(shown[1])
        self.offered(session, phone.key)
        name = f"App {len(self.keys)} {self.told[EventKind.AUTHENTICATOR_ADDED]}"
        code = phone.code(self.clock(), offset)
        page = self.ask(number, "POST", path, data={**page.form().fields, "code": code, "name": name})
        if page.status == 429:
            return
        near = [step for step in (1, 0, -1) if phone.code(self.clock(), step) == code]
        assert (page.status == 303) == bool(near), page.text
        self.told[EventKind.CODE_WRONG] += not near
        if near:
            step = int(self.clock().timestamp()) // 30 + near[0]
            self.added(number, session, App(phone, name, step), at, replace=replace)

    def offered(self, session: Session, key: str) -> None:
        """The key is this login's alone, and the same for half an hour."""
        if session.key and self.clock() - session.key_at <= timedelta(minutes=30):
            assert key == session.key
        else:
            assert key not in self.keys, "a key was offered twice"
            session.key, session.key_at = key, self.clock()
        self.keys[key] = session.number

    def added(self, number: int, session: Session, app: App, at: str, *, replace: bool) -> None:
        human, first = session.human, not session.human.apps
        self.told[EventKind.AUTHENTICATOR_ADDED] += 1
        self.taken.add((app.phone.key, app.step))
        if replace:
            human.apps.pop(0)
            self.told[EventKind.AUTHENTICATOR_DELETED] += 1
        human.apps.append(app)
        self.end(human, but=session)
        if session.confirmed_at is None:
            session.confirmed_at = self.clock()
            self.told[EventKind.LOGIN_COMPLETED] += 1
        session.second_factor_at = session.seen_at = self.clock()
        session.recovered, session.key = False, ""
        if first:
            self.told[EventKind.RECOVERY_CODES_MADE] += 1
            self.new_codes(number, human)

    def new_codes(self, number: int, human: Human) -> None:
        """Read them, if this login may: one whose step-up is old is asked for it first."""
        human.old_codes += sorted(human.codes | human.used_codes)
        page = self.ask(number, "GET", CODES)
        human.codes, human.used_codes = set(re.findall(r"<li><code>([^<]+)</code>", page.html)), set()
        assert len(human.codes) in ((10,) if page.status == 200 else (0,)), page.text

    def app_page(self, number: int, index: int, action: str) -> str:
        """The page about one of one's apps, oldest first."""
        page = self.ask(number, "GET", METHODS)
        found = re.findall(rf"{METHODS}/(\d+)/rename", page.html)
        assert found, page.text
        return f"{METHODS}/{found[index]}/{action}"

    @rule(number=which, index=st.integers(0, APPS - 1))
    def delete_app(self, number: int, index: int) -> None:
        found = self.at(number, WHOLE, app=True)
        if found is None:
            return
        number, session = found
        human = session.human
        index %= len(human.apps)
        path = self.app_page(number, index, "delete")
        page = self.ask(number, "GET", path)
        assert (page.status == 200) == is_fresh(session, self.clock()), page.text
        if page.status != 200:
            return
        stays = len(human.apps) == 1 and self.rule.since(human.role) is not None
        csrf = {"csrf_token": page.form("Log out").fields["csrf_token"], "end_others": "on"}
        page = self.ask(number, "POST", path, data=csrf)
        assert page.status == (409 if stays else 303), page.text
        if stays:
            return
        human.apps.pop(index)
        self.told[EventKind.AUTHENTICATOR_DELETED] += 1
        self.end(human, but=session)
        if not human.apps:
            human.old_codes += sorted(human.codes)
            human.codes, human.used_codes, session.recovered = set(), set(), False

    @rule(number=which)
    def replace_codes(self, number: int) -> None:
        found = self.at(number, WHOLE, app=True)
        if found is None:
            return
        number, session = found
        page = self.ask(number, "GET", CODES)
        assert (page.status == 200) == is_fresh(session, self.clock())
        if page.status != 200:
            return
        token = page.form("Log out").fields["csrf_token"]
        page = self.ask(number, "POST", CODES, data={"csrf_token": token, "replace": "yes"})
        assert page.status == 303, page.text
        self.told[EventKind.RECOVERY_CODES_REPLACED] += 1
        self.new_codes(number, session.human)

    # passwords

    def password(self) -> str:
        self.passwords += 1
        return f"marmalade lantern orbit {self.passwords}"

    @rule(number=which)
    def change_password(self, number: int) -> None:
        found = self.at(number, WHOLE)
        if found is None or found[1].human.password is None:
            return
        number, session = found
        fields = {"current_password": session.human.password or "", "password": self.password()}
        page = self.send(number, "/account/security/password", **fields)
        if page.status == 429:
            return
        assert page.status == 303, page.text
        if page.location.startswith("/confirm"):
            assert not is_fresh(session, self.clock())
            return
        session.human.password = fields["password"]
        self.told[EventKind.PASSWORD_SET] += 1
        self.end(session.human, but=session)

    @rule(person=who)
    def reset_password(self, person: int) -> None:
        """By a link, in a browser of its own: it logs nobody in, and everybody out."""
        human = self.humans[person]
        with self.app.app_context():
            made = one_time_links.make_reset_link(on_the_command_line(self.clock), human.person.id)
        assert isinstance(made, LinkMade)
        self.told[EventKind.LINK_MADE] += 1
        browser = Browser(self.app, self.clock)
        page = browser.get(f"/reset-password/{made.token}", follow=True)
        human.password = self.password()
        assert browser.send(page, password=human.password).location == "/log-in"
        assert browser.get(f"/reset-password/{made.token}", follow=True).status == 410, "a link was good twice"
        assert browser.get(ACCOUNT).status == 303
        self.told[EventKind.PASSWORD_SET] += 1
        self.end(human)

    # operators

    @rule(person=who)
    def suspend_or_restore(self, person: int) -> None:
        """Anybody but the last operator who is left (invariant 6)."""
        human = self.humans[person]
        do = accounts.restore if human.suspended else accounts.suspend
        with self.app.app_context():
            done = do(on_the_command_line(self.clock), human.person.id)
        assert done == (AccountRefusal.LAST_OPERATOR if self.is_last_operator(human) else Done())
        if done != Done():
            return
        self.told[EventKind.ACCOUNT_RESTORED if human.suspended else EventKind.ACCOUNT_SUSPENDED] += 1
        human.suspended = not human.suspended
        self.end(human)

    def is_last_operator(self, human: Human) -> bool:
        return [each for each in self.humans if each.operator and not each.suspended] == [human]

    @rule(person=who)
    def make_operator_or_no_longer(self, person: int) -> None:
        """Invariant 6: the last one stays. Who is in no portal stays, too: they could log in nowhere."""
        human = self.humans[person]
        last = human.operator and not any(
            each.operator and not each.suspended and each is not human for each in self.humans
        )
        if human.member is None and not last:
            return
        with self.app.app_context():
            done = accounts.change_operator(
                on_the_command_line(self.clock), human.person.id, operator=not human.operator
            )
        assert done == (AccountRefusal.LAST_OPERATOR if last else Done())
        if done == Done():
            human.operator = not human.operator
            self.told[EventKind.OPERATOR_CHANGED] += 1
            self.end(human)

    @rule(person=who, new_password_too=st.booleans())
    def reset_mfa(self, person: int, new_password_too: bool) -> None:
        human = self.humans[person]
        with self.app.app_context():
            caller = on_the_command_line(self.clock)
            done = authenticators.reset(caller, human.person.id, "lost", new_password_too=new_password_too)
        assert isinstance(done, AppsReset)
        self.told[EventKind.MFA_RESET] += 1
        self.told[EventKind.LINK_MADE] += new_password_too
        human.old_codes += sorted(human.codes)
        human.apps, human.codes, human.used_codes = [], set(), set()
        human.password = None if new_password_too else human.password
        self.end(human)

    @rule(person=st.integers(0, 2), role=st.sampled_from(["reader", "editor", "admin"]))
    def change_role(self, person: int, role: str) -> None:
        human = self.humans[person]
        if human.member == role:
            return
        with self.app.app_context():
            members.change_role(on_the_command_line(self.clock), PORTAL, human.person.id, MemberRole(role))
        human.member = role
        self.told[EventKind.ROLE_CHANGED] += 1
        self.end(human)

    @rule(covers=st.sampled_from(list(MfaRule)), apply_now=st.booleans())
    def change_rule(self, covers: MfaRule, apply_now: bool) -> None:
        with self.app.app_context():
            access_security.change(
                on_the_command_line(self.clock), PORTAL, visibility=None, rule=covers, apply_now=apply_now
            )
        self.rule = self.rule.becomes(covers.value, self.clock(), apply_now=apply_now)

    # guarded hosts

    @rule(number=which)
    def come_to_a_guarded_page(self, number: int) -> None:
        found = self.at(number, WHOLE)
        if found is None or found[1].password_at > self.clock():
            return  # the clock went back: a real browser's cookie would not be believed either
        number, session = found
        page = GuardedHost(self.browsers[number]).open("/table")
        assert page.status in (200, 429), f"{page.status} {page.text}"
        self.let_in(page, session)

    def let_in(self, page: Page, session: Session | None) -> None:
        """By their own name; at a public portal also without one."""
        if page.status != 200 or (self.public and identity(page) == STRANGER):
            return
        assert session is not None
        assert identity(page)["Remote-User"] == session.human.person.email

    def ask_the_gateway(self, number: int, session: Session | None, at: str) -> None:
        """Invariant 7: a 200 is somebody who is whole, by their own name, and for their own role.

        The front of a public portal lets everybody pass, with four empty headers.
        """
        host = GuardedHost(self.browsers[number])
        front, back = host.ask("/table", at="nginx"), host.ask("/admin", at="nginx")
        self.world.requests += 2
        nobody = front.status == 401 or (front.status == 200 and identity(front) == STRANGER)
        assert not self.public or front.status == 200, f"a public portal says {front.status}"
        if nobody:
            assert self.public == (front.status == 200), f"{front.status} to nobody, public is {self.public}"
            assert back.status == 401
            return
        assert (front.status, at) == (200, WHOLE), f"the gateway says {front.status} to somebody at {at}"
        assert session is not None
        self.let_in(front, session)
        assert back.status == (403 if session.human.role == "reader" else 200)

    # clocks and servers

    @rule(seconds=st.sampled_from(SECONDS))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(number=which)
    def restart(self, number: int) -> None:
        """Another process answers from now on, with the same folder and the browsers' cookies."""
        self.app = self.world.apps[(self.world.apps.index(self.app) + 1) % len(self.world.apps)]
        with self.app.app_context():
            db.engine.dispose()
        for browser in self.browsers:
            cookies = dict(browser.client._cookies or {})
            browser.client = self.app.test_client()
            browser.client._cookies = cookies

    # what must be true after each step

    @invariant()
    def look_around(self) -> None:
        self.world.steps += 1
        for number, session in enumerate(self.sessions):
            page, at = self.ask(number, "GET", ACCOUNT), self.stage(number)
            where = page.location.partition("?")[0]
            expected = {WHOLE: (200, ""), ANONYMOUS: (303, "/log-in")}.get(at) or (303, HOME[at])
            assert (page.status, where) == expected, f"browser {number} is at {where or page.status}, not {at}"
            if session and at == WHOLE and self.clock() - session.seen_at >= timedelta(minutes=1):
                session.seen_at = self.clock()
            self.ask_the_gateway(number, session, at)
        self.look_into_the_database()

    def look_into_the_database(self) -> None:
        with self.app.app_context(), reading() as session:
            apps = list(session.scalars(select(Authenticator).order_by(Authenticator.id)))
            open_ = select(Login).where(Login.pending_secret.is_not(None), Login.ended_at.is_(None))
            pending = list(session.scalars(open_))
            sealer = runtime().keys.sealer
            keys = [sealer.open(owner_of(app.account_id), app.sealed_secret) for app in apps]
            keys += [sealer.open(owner_of(login.account_id), login.pending_secret or b"") for login in pending]
            codes = session.execute(select(RecoveryCode.account_id, RecoveryCode.used_at)).all()
            operators = session.scalar(
                select(func.count()).where(Account.is_operator, Account.suspended_at.is_(None))
            )
        assert len(keys) == len(set(keys)), "two secrets are equal"
        assert operators
        for human in self.humans:
            theirs = [app.name for app in apps if app.account_id == human.person.id]
            assert theirs == [app.name for app in human.apps]
            unused = [code.used_at is None for code in codes if code.account_id == human.person.id]
            assert bool(theirs) == bool(unused), "an app without recovery codes, or the reverse"
            assert not human.codes or sum(unused) == len(human.codes)
        events = self.count_events()
        events[EventKind.CODE_WRONG] += events.pop(
            EventKind.CODE_REUSED, 0
        )  # which of the two, the model leaves open
        assert {kind: events[kind] for kind in COUNTED} == {kind: self.told[kind] for kind in COUNTED}
        assert events.total() >= self.events, "events went"
        self.events = events.total()
