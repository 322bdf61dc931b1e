"""Access > Users > Invite: addresses in, links out; what is open is listed, sent again, revoked."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from mfaportal.domain import invitations
from mfaportal.models import Account, Event, EventKind, Invitation
from mfaportal.plumbing.tokens import digest
from mfaportal.rules.roles import MemberRole
from tests import rows
from tests.browser_client import Browser
from tests.clock import MovableClock
from tests.invitations import CHOSEN, INVITE, USERS, invited, links_on, second_portal
from tests.links import is_gone
from tests.looking import Seen
from tests.mailing import link_in, mails, with_mail
from tests.people import Cast, add_person, on_the_command_line
from tests.stored import stored, the_one


def test_several_addresses_each_get_a_link_that_is_shown_once(browser: Browser, app: Flask, people: Cast) -> None:
    browser.log_in(people.admin)
    seen = Seen(browser.get(USERS))
    assert seen.links["Invite"] == INVITE
    page = browser.submit(
        INVITE, emails="One@Example.org, two@example.org;three@example.org\r\n\r\n four@example.org one@example.org"
    )
    links = links_on(page)
    assert page.status == 200
    assert page.response.headers["Cache-Control"] == "no-store"
    assert list(links) == ["one@example.org", "two@example.org", "three@example.org", "four@example.org"]
    found = stored(app, Invitation)
    assert [(row.email, row.role, row.made_by, row.used_at) for row in found] == [
        (email, "reader", people.admin.id, None) for email in links
    ]
    assert {row.expires_at - row.made_at for row in found} == {timedelta(days=7)}
    assert [row.token_digest for row in found] == [digest(link.rpartition("/")[2]) for link in links.values()]
    listed = browser.get(INVITE)
    assert all(email in listed.text for email in links)
    assert "/invitations/" not in listed.html.replace(f"{USERS}/invitations/", ""), "no link is shown again"
    events = rows.events(app, EventKind.INVITATION_MADE)
    assert [(event.actor_id, event.account_id, event.details) for event in events] == [
        (people.admin.id, None, {"invitation": row.id, "role": "reader"}) for row in found
    ]


def test_lines_from_a_mail_program_are_understood(browser: Browser, app: Flask, people: Cast) -> None:
    """And what stands before a name is never left out in silence."""
    browser.log_in(people.admin)
    typed = 'Zoë New <Zoe@example.org>, <b@example.org>;c@example.org d@example.org\n "Kim Li"  <kim@example.org> '
    assert list(links_on(browser.submit(INVITE, emails=typed))) == [
        *("zoe@example.org", "b@example.org", "c@example.org", "d@example.org", "kim@example.org")
    ]
    for bad in ("a@example.org Zoë <zoe@example.org>", "Zoë <zoe@example.org", "Zoë <>", "<a@example.org> <b@b.org>"):
        page = browser.submit(INVITE, emails=bad)
        assert (page.status, len(stored(app, Invitation))) == (422, 5), bad


def test_where_mail_works_links_go_to_their_addresses_and_nobody_else_sees_them(
    make_app: Callable[..., Flask], people: Cast, clock: MovableClock
) -> None:
    app = with_mail(make_app)
    browser = Browser(app, clock)
    browser.log_in(people.admin)
    assert "the portal sends no mail" not in browser.get(INVITE).text
    page = browser.submit(INVITE, emails=f"one@example.org, two@example.org, {people.reader.email}", role="editor")
    assert (page.status, page.location) == (303, INVITE)
    page = browser.get(INVITE)
    assert "2 invitations are on their way by e-mail. One address is that of a member already." in page.text
    one, two = mails(app, "invitation")
    assert [(mail.recipient, mail.about) for mail in (one, two)] == [
        ("one@example.org", "invitation:1"),
        ("two@example.org", "invitation:2"),
    ]
    assert [one.facts[fact] for fact in ("portal", "role", "inviter")] == ["City data", "editor", "Admin"]
    assert "/invitations/" not in page.html.replace(f"{USERS}/invitations/", "")
    page = browser.send(page, button="Send again", follow=True)  # the newest stands first
    assert "The invitation is on its way by e-mail." in page.text
    one, again = mails(app, "invitation")
    assert (again.recipient, again.facts["link"] != two.facts["link"]) == ("two@example.org", True)
    assert is_gone(Browser(app, clock).get(link_in(two), follow=True))
    browser.send(page, button="Revoke")
    assert mails(app, "invitation") == [one], "what links to nothing does not leave any more"
    assert is_gone(Browser(app, clock).get(link_in(again), follow=True))
    browser.submit(INVITE, emails="one@example.org")
    (replacing,) = mails(app, "invitation")
    guest = Browser(app, clock)
    page = guest.get(link_in(replacing), follow=True)
    assert guest.send(page, name="One", password=CHOSEN).location == "/log-in"
    assert the_one(app, Account, email="one@example.org").email_confirmed_at == clock(), "nobody was shown the link"
    printed = invited(app, clock, "three@example.org")
    assert mails(app, "invitation")[-1].recipient != "three@example.org"
    page = guest.get(printed, follow=True)
    guest.send(page, name="Three", password=CHOSEN)
    assert the_one(app, Account, email="three@example.org").email_confirmed_at is None


def test_an_account_that_takes_a_mailed_invitation_has_shown_its_address(
    make_app: Callable[..., Flask], people: Cast, clock: MovableClock
) -> None:
    app = with_mail(make_app)
    with app.app_context():
        late = add_person(clock, "late@example.org", "Late", None)
    rows.put(app, update(Account).values(email_confirmed_at=None))
    admin, browser = Browser(app, clock), Browser(app, clock)
    admin.log_in(people.admin)
    admin.submit(INVITE, emails=late.email)
    browser.log_in(late)
    browser.send(browser.get(link_in(mails(app, "invitation")[0]), follow=True), button="Accept")
    assert (rows.role(app, late), rows.account(app, late).email_confirmed_at) == ("reader", clock())


def test_members_are_named_and_get_no_link_whatever_account_others_have(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    with app.app_context():
        add_person(clock, "elsewhere@example.org", "Elsewhere", None)
    browser.log_in(people.admin)
    page = browser.submit(INVITE, emails=f"{people.reader.email} elsewhere@example.org", role="editor")
    assert list(links_on(page)) == ["elsewhere@example.org"]
    assert f"A member already, so without a link: {people.reader.email}" in page.text
    assert (the_one(app, Invitation).email, the_one(app, Invitation).role) == ("elsewhere@example.org", "editor")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("good@example.org, bad, <b>@x", "These are no e-mail addresses: bad, &lt;b&gt;@x. Nobody was invited yet."),
        (" ,;\n", "Enter at least one e-mail address."),
        (" ".join(f"p{n}@example.org" for n in range(51)), "Enter at most 50 addresses at a time."),
        ("p@example.org " + "x" * 5000, "Use at most 5000 characters."),
    ],
    ids=["two bad ones", "nothing", "51", "too long"],
)
def test_a_bad_list_is_refused_with_the_reason_and_kept_in_the_field(
    browser: Browser, app: Flask, people: Cast, typed: str, sentence: str
) -> None:
    browser.log_in(people.admin)
    page = browser.submit(INVITE, emails=typed)
    assert page.status == 422
    assert f'id="emails-error">{sentence}' in page.html
    assert typed.split(maxsplit=1)[0].replace("<", "&lt;") in page.html.partition("<textarea")[2]
    assert stored(app, Invitation) == []


def test_fifty_addresses_cost_as_many_selects_as_one(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.admin)
    page = browser.get(INVITE)
    counts = []
    for number in (1, 50):
        typed = " ".join(f"n{number}p{n}@example.org" for n in range(number))
        with rows.counted_statements(app) as statements:
            assert browser.send(page, emails=typed).status == 200
        counts.append(sum(statement.startswith(("SELECT", "DELETE")) for statement in statements))
    assert counts[0] == counts[1]


def test_a_new_invitation_of_an_address_replaces_the_open_one(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    old = invited(app, clock)
    browser.log_in(people.admin)
    page = browser.submit(INVITE, emails="new@example.org", role="editor")
    assert the_one(app, Invitation).role == "editor"
    assert is_gone(new_browser().get(old, follow=True))
    assert new_browser().get(links_on(page)["new@example.org"], follow=True).status == 200


def test_an_open_one_is_sent_again_with_a_new_link_and_seven_new_days(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    old = invited(app, clock)
    clock.advance(days=7)
    browser.log_in(people.admin)
    page = browser.get(INVITE)
    assert "new@example.org reader" in Seen(page).main
    assert "expired" in Seen(page).main
    page = browser.send(page, button="Send again")
    link = links_on(page)["new@example.org"]
    row = the_one(app, Invitation)
    assert (page.status, row.expires_at, row.made_by) == (200, clock() + timedelta(days=7), people.admin.id)
    assert is_gone(new_browser().get(old, follow=True))
    assert new_browser().get(link, follow=True).status == 200
    assert "expired" not in Seen(browser.get(INVITE)).main
    (event,) = rows.events(app, EventKind.INVITATION_MADE_AGAIN)
    assert event.details == {"invitation": row.id}


def test_a_revoked_one_is_gone_from_the_list_and_its_link_is_dead(
    browser: Browser, new_browser: Callable[[], Browser], app: Flask, people: Cast, clock: MovableClock
) -> None:
    link = invited(app, clock)
    row = the_one(app, Invitation)
    browser.log_in(people.admin)
    page = browser.submit(INVITE, button="Revoke")
    assert (page.status, page.location) == (303, INVITE)
    assert stored(app, Invitation) == []
    assert "new@example.org" not in browser.get(INVITE).text
    assert is_gone(new_browser().get(link, follow=True))
    (event,) = rows.events(app, EventKind.INVITATION_REVOKED)
    assert (event.details, event.actor_id) == ({"invitation": row.id}, people.admin.id)


@pytest.mark.parametrize("action", ["again", "revoke"])
def test_only_an_open_invitation_of_this_portal_can_be_acted_on(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, action: str
) -> None:
    harbour = second_portal(app, clock)
    invited(app, clock, slug=harbour)
    invited(app, clock, "used@example.org")
    rows.put(app, update(Invitation).where(Invitation.email == "used@example.org").values(used_at=clock()))
    browser.log_in(people.admin)
    csrf = browser.csrf(INVITE)
    before = (stored(app, Invitation), len(stored(app, Event)))
    for number in (before[0][0].id, before[0][1].id, 99):
        page = browser.open("POST", f"{USERS}/invitations/{number}/{action}", data={"csrf_token": csrf})
        assert page.status == 404
    other = INVITE.replace("city-data", harbour)
    assert browser.get(other).status == 403
    assert (stored(app, Invitation), len(stored(app, Event))) == before
    assert "new@example.org" not in browser.get(INVITE).text, "the other portal's is not listed here"


@pytest.mark.parametrize("button", ["Send again", "Revoke"])
def test_a_button_of_the_list_that_comes_too_late_does_nothing_and_leads_back_to_the_list(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, button: str
) -> None:
    invited(app, clock)
    browser.log_in(people.admin)
    page = browser.get(INVITE)
    clock.advance(minutes=10, seconds=1)
    before = stored(app, Invitation)
    answer = browser.send(page, button=button)
    assert answer.location.startswith("/confirm?next=")
    assert stored(app, Invitation) == before
    back = browser.submit(answer.location, password=people.admin.password, follow=True)
    assert Seen(back).h1 == "Invite"


def test_the_list_is_paged_and_costs_one_statement(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock, a_crowd_invited: list[int]
) -> None:
    browser.log_in(people.admin)
    first = browser.get(INVITE)
    following = Seen(first).links["Next page"]
    second = browser.get(following)
    assert first.text.count("Send again") == 50
    assert second.text.count("Send again") == 1
    assert f"after={a_crowd_invited[1]}" in following
    assert "Next page" not in second.text


@pytest.fixture
def a_crowd_invited(app: Flask, people: Cast, clock: MovableClock) -> list[int]:
    for start in (0, 25):
        with app.app_context():
            emails = [f"guest{number}@example.org" for number in range(start, start + 26)]
            invitations.invite(on_the_command_line(clock), "city-data", emails, MemberRole.READER)
    return [row.id for row in stored(app, Invitation)]


def test_who_invited_is_named_until_their_account_is_gone(
    browser: Browser, app: Flask, people: Cast, clock: MovableClock
) -> None:
    browser.log_in(people.admin)
    browser.submit(INVITE, emails="guest@example.org")
    assert "guest@example.org reader Admin" in Seen(browser.get(INVITE)).main
    rows.put(app, update(Invitation).values(made_by=999))
    assert "guest@example.org reader Admin" not in Seen(browser.get(INVITE)).main
