"""HTTP: forms in, pages out. No rules of its own, and it never commits."""

from urllib.parse import urlsplit

from flask import Flask
from flask.typing import ResponseReturnValue

from ..plumbing.runtime import runtime
from ..rules.access import Audience
from . import client, errors, form_token, gate, headers, login_session, page, static_files, template_cache, uploads
from .account import blueprint as account_blueprint
from .admin.access_activity import blueprint as access_activity_blueprint
from .admin.access_requests import blueprint as access_requests_blueprint
from .admin.access_security import blueprint as access_security_blueprint
from .admin.access_signup import blueprint as access_signup_blueprint
from .admin.access_users import blueprint as access_users_blueprint
from .admin.invitations import blueprint as access_invitations_blueprint
from .admin.people_csv import blueprint as people_csv_blueprint
from .auth import blueprint as auth_blueprint
from .back_office import blueprint as back_office_blueprint
from .converters import NumberConverter, SlugConverter
from .front_office import blueprint as front_office_blueprint
from .gateway import blueprint as gateway_blueprint
from .guarded_host import blueprint as guarded_host_blueprint
from .hand_off import blueprint as hand_off_blueprint
from .health import blueprint as health_blueprint
from .installation import accounts_blueprint as installation_accounts_blueprint
from .installation import activity_blueprint as installation_activity_blueprint
from .installation import mail_blueprint as installation_mail_blueprint
from .installation import portals_blueprint as installation_portals_blueprint

_BLUEPRINTS = (
    auth_blueprint,
    account_blueprint,
    front_office_blueprint,
    back_office_blueprint,
    access_users_blueprint,
    access_invitations_blueprint,
    people_csv_blueprint,
    access_requests_blueprint,
    access_security_blueprint,
    access_signup_blueprint,
    access_activity_blueprint,
    installation_portals_blueprint,
    installation_accounts_blueprint,
    installation_activity_blueprint,
    installation_mail_blueprint,
    health_blueprint,
    gateway_blueprint,
    guarded_host_blueprint,
    hand_off_blueprint,
)


def register(app: Flask) -> None:
    """Build the web side, then refuse to start if an endpoint has no audience."""
    app.url_map.converters.update(number=NumberConverter, slug=SlugConverter)
    with app.app_context():
        login_session.register(app)
        headers.register(app)
        # Addresses are matched against this, not against `Host`: one that no name can be would break every page.
        app.config["SERVER_NAME"] = urlsplit(runtime().settings.public_url).netloc
    uploads.register(app)
    client.register(app)
    app.before_request(gate.stand_guard)
    gate.csrf.init_app(app)
    with app.app_context():
        form_token.register(app)
        template_cache.register(app)
    static_files.register(app)
    app.add_url_rule("/static/<path:filename>", "static", _static)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    errors.register(app)
    page.register(app)
    gate.check_all(app)


@gate.audience(Audience.PUBLIC)
def _static(filename: str) -> ResponseReturnValue:
    """Files of the look."""
    return static_files.answer(filename)
