"""The blueprint that the views of this package hang on."""

from flask import Blueprint

blueprint = Blueprint("account", __name__, url_prefix="/account")
