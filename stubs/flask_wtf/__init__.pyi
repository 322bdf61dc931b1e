# What the portal uses of Flask-WTF 1.3, which carries no types of its own.
from flask_wtf.csrf import CSRFProtect as CSRFProtect
from flask_wtf.form import FlaskForm as FlaskForm
