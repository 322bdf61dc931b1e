"""The same server for both: two sync workers, nothing else."""

bind = "127.0.0.1:8471"
workers = 2
worker_class = "sync"
loglevel = "error"
control_socket_disable = True
