"""What the guarded page shows in every system (the template reads the same in
Jinja and in Django's template language).
"""

TEMPLATE = "guarded.html"
ROWS = [{"key": f"row {number}", "value": "<escaped> & rendered"} for number in range(1, 11)]
