"""The only door from outside: port 8000.

Edge authenticates MLflow's tracking and artifact traffic and streams it to the tracking server;
everything else it hands to web. It runs without Django: it holds many slow connections cheaply,
so that web's few threads never wait for a slow client.
"""

from controlplane.edge.application import Edge

app = Edge()

__all__ = ["app"]
