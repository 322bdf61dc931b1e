"""Whose events somebody looks for, by a part of a name or an address, and which of theirs are the newest."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from ..models import Account, Event, PortalPerson
from ..models.account_search import Among, SearchText, among

FEW = 2000
"""Of so many people the newest events of each are looked up; of more it is quicker to look who is in the newest."""
_SOME = 50_000
"""So many are put together first, and the newest events held against them."""
_DIGITS_MAX = 18
_SIDES = (Event.account_id, Event.actor_id)
Stream = tuple[ColumnElement[bool], ...]


class EventPeople:
    """Those whose name or e-mail holds the text, or who has this number: of a deleted account.

    `portal_id`: an e-mail is looked for only where this portal's list of users shows it: else one could guess it
    letter by letter. None: everywhere.
    """

    def __init__(self, session: Session, text: str, portal_id: int | None) -> None:
        self._session, self._text, self._portal_id = session, SearchText.of(text), portal_id
        self._number = int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else None

    def few(self) -> Among | None:
        """They, where they are few."""
        return among(self._session, self._text, FEW)

    def may_be_in_it(self) -> ColumnElement[bool] | None:
        """In SQL: whether an event may be one of theirs, to save looking at each; None where they are too many."""
        some = among(self._session, self._text, _SOME)
        return None if some is None else or_(*map(some, _SIDES), *self._has_number())

    def newest(self, few: Among, conditions: Stream, at_most: int) -> list[Stream]:
        """One stream for each side of each of these people, but only of those with the newest events of all."""
        fits = (few(Account.id), self._fits(Account))
        newest = (
            select(Event.id)
            .where(side == Account.id, *conditions)
            .order_by(Event.id.desc())
            .limit(1)
            .correlate(Account)
            .scalar_subquery()
            for side in _SIDES
        )
        found = self._session.execute(select(Account.id, *newest).where(*fits)).all()
        ranked = sorted(
            ((last, side, row[0]) for row in found for last, side in zip(row[1:], _SIDES, strict=True) if last),
            key=lambda each: each[0],
            reverse=True,
        )
        streams: list[Stream] = [(side == number,) for _last, side, number in ranked[:at_most]]
        if self._number is not None:
            streams += [(side == self._number,) for side in _SIDES]
        return streams

    def are_in_it(self) -> ColumnElement[bool]:
        """In SQL: whether an event was done by or to one of them."""
        return or_(*(self._is_one(side) for side in _SIDES), *self._has_number())

    def _has_number(self) -> Sequence[ColumnElement[bool]]:
        return [] if self._number is None else [side == self._number for side in _SIDES]

    def _is_one(self, side: Any) -> ColumnElement[bool]:
        who = aliased(Account)
        return select(who.id).where(who.id == side, self._fits(who)).exists()

    def _fits(self, who: Any) -> ColumnElement[bool]:
        email = self._text.fits_email(who.email)
        if self._portal_id is not None:
            listed = (PortalPerson.account_id == who.id, PortalPerson.portal_id == self._portal_id)
            email = and_(email, select(PortalPerson.account_id).where(*listed).exists())
        return or_(self._text.fits_name(who.name_key), email)
