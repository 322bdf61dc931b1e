"""What the lists of datasets of front and back office share: the query of their address."""

from flask import request

from ..domain.catalogue import DatasetsQuery
from ..rules.names import SLUG
from . import query


def wanted() -> DatasetsQuery:
    """The search and the place in the list; what cannot be read is as good as not there."""
    after = request.args.get("after", "")
    return DatasetsQuery(query.text("q"), after if SLUG.fullmatch(after) else None)
