"""What a worker does beside coding: it makes numbered events of the outbox. `python -m campaigns.streams.post`"""

from __future__ import annotations

import signal
import threading

from server.parts import join
from server.settings import read_settings
from server.store import open_store
from server.subscriptions.post import Post


def main() -> None:
    """Work until a signal."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = read_settings()
    store = open_store(settings.database_url)
    post = Post(join(store, settings).fhir, settings)
    post.start()
    print("campaign: up", flush=True)
    stop.wait()
    post.stop()
    store.close()


if __name__ == "__main__":
    main()
