"""Run inside a system's environment: `coldstart.py MODULE:CALLABLE PATH`.

Prints, as JSON, the seconds to import the WSGI application and then to answer
a first request for PATH, in a new interpreter with bytecode and files cached.
"""

import io
import json
import os
import sys
from importlib import import_module
from time import perf_counter

start = perf_counter()
module, _, name = sys.argv[1].partition(":")
application = getattr(import_module(module), name)
imported = perf_counter()

environ = {
    "REQUEST_METHOD": "GET", "PATH_INFO": sys.argv[2], "QUERY_STRING": "", "SCRIPT_NAME": "",
    "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "127.0.0.1", "HTTP_ACCEPT": "text/html", "REMOTE_ADDR": "127.0.0.1",
    "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
    "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}  # fmt: skip
statuses = []
answer = application(environ, lambda status, *_rest: statuses.append(status))
b"".join(answer)
answered = perf_counter()

if statuses != ["200 OK"]:
    raise SystemExit(f"no page: {statuses}")
print(json.dumps({"import_s": imported - start, "first_s": answered - imported}))
sys.stdout.flush()
os._exit(0)
