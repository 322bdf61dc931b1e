"""The least that Flask can say to a proxy: yes, to everybody, with the same four headers."""

from flask import Flask, Response

app = Flask(__name__)


@app.get("/gateway/nginx")
def yes() -> Response:
    """Without asking anybody."""
    return Response(
        status=200,
        headers={
            "Remote-User": "bench@example.org",
            "Remote-Name": "Bench",
            "Remote-Email": "bench@example.org",
            "Remote-Groups": "editor,reader",
        },
    )
