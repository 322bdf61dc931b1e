"""From a guarded page to the log-in and back, through each proxy, as people do it in Chromium."""

import pytest
from playwright.sync_api import expect

from mfaportal.rules.mfa_rule import MfaRule
from tests.browser.pages import CODE, SET_UP
from tests.people import set_rule
from tests.proxies.walks.conftest import Town
from tests.proxies.walks.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "faketime", "oathtool", "zbarimg")]


def test_a_stranger_comes_to_the_table_by_way_of_set_up_and_stays_until_the_log_out(town: Town) -> None:
    """On a small screen, without JavaScript."""
    set_rule(MfaRule.EVERYONE, town.clock)
    reader = town.comes(town.people.reader, width=360, javascript=False)
    _comes_to_the_table_by_way_of_set_up(town, reader)
    _may_not_into_the_back_office(town, reader)
    _is_known_on_the_other_host(town, reader)
    _takes_no_pass_along(town, reader)
    _is_out_everywhere_after_the_log_out(town, reader)
    _comes_back_by_code(town, reader)


def _comes_to_the_table_by_way_of_set_up(town: Town, reader: Visitor) -> None:
    reader.visits(town.table)
    reader.is_asked_to_log_in_at(town.portal)
    reader.gives_password_here()
    reader.sees(SET_UP)
    reader.submit_app(reader.scan(), "My phone")
    reader.sees("Recovery codes")
    reader.click("Continue")
    _sees_the_table(town, reader)


def _sees_the_table(town: Town, one: Visitor) -> None:
    expect(one.page.locator("table.rows-and-columns")).to_be_visible()
    one.is_at(town.table)


def _may_not_into_the_back_office(town: Town, reader: Visitor) -> None:
    answer = reader.visits(town.back_office)
    assert answer.status == 403
    reader.sees_a_page_of_ours("No access", town.data)
    reader.is_at(town.back_office)
    expect(reader.page.get_by_role("main").get_by_role("link")).not_to_have_count(0)


def _is_known_on_the_other_host(town: Town, reader: Visitor) -> None:
    """Another guarded host of the same installation asks nothing, and is told who it is."""
    wanted = f"{town.files}/notes?of=today&of=yesterday"
    reader.visits(wanted)
    reader.is_at(wanted)
    assert town.told(reader)["remote-user"] == reader.email
    assert "mfaportal" not in town.told(reader).get("cookie", "")


def _takes_no_pass_along(town: Town, reader: Visitor) -> None:
    """The cookie that opens one host is worth nothing on another."""
    [opens] = [cookie for cookie in reader.page.context.cookies(town.data) if "-pass" in cookie["name"]]
    thief = town.comes(town.people.reader, javascript=False)
    for host, let_in in ((town.files, False), (town.data, True)):
        copied = {"name": opens["name"], "value": opens["value"], "url": f"{host}/", "secure": True}
        thief.page.context.add_cookies([copied])  # type: ignore[list-item]
        thief.visits(f"{host}/")
        assert thief.page.url.startswith(f"{host}/" if let_in else f"{town.portal}/log-in?")


def _is_out_everywhere_after_the_log_out(town: Town, reader: Visitor) -> None:
    reader.visits(town.table)
    other = reader.second_tab()
    other.visits(town.portal)
    other.log_out()
    other.page.close()
    reader.visits(f"{town.files}/")
    reader.is_asked_to_log_in_at(town.portal)
    reader.visits(town.table)
    reader.is_asked_to_log_in_at(town.portal)


def _comes_back_by_code(town: Town, reader: Visitor) -> None:
    """Once: the other host lets in without further questions."""
    reader.clock.next_step()
    reader.gives_password_here()
    reader.sees(CODE)
    reader.give_code("My phone")
    _sees_the_table(town, reader)
    reader.visits(f"{town.files}/")
    reader.is_at(f"{town.files}/")


def test_a_rule_that_applies_now_leads_from_the_next_page_to_set_up_and_back(town: Town) -> None:
    editor = town.comes(town.people.editor)
    editor.visits(town.table)
    editor.gives_password_here()
    _sees_the_table(town, editor)
    set_rule(MfaRule.EVERYONE, town.clock, apply_now=True)
    editor.visits(town.back_office)
    editor.sees(SET_UP)
    editor.submit_app(editor.scan(), "My phone")
    editor.saves_codes()
    editor.page.wait_for_url(town.back_office)
    expect(editor.page.locator("h1")).not_to_have_text("No access")


def test_somebody_who_is_no_member_is_led_to_where_one_asks_for_access(town: Town) -> None:
    town.lets_people_ask()
    nora = town.comes(town.member_elsewhere())
    nora.visits(town.table)
    nora.gives_password_here()
    nora.sees_a_page_of_ours("No access", town.data)
    nora.click("Request access")
    nora.sees("Request access")
    assert nora.page.url.startswith(f"{town.portal}/portals/")
    nora.press("Request access")
    nora.sees("Your request is waiting")
    nora.visits(town.table)
    nora.sees_a_page_of_ours("No access", town.data)
