"""What a web process serves: the application, ready before the first request."""

from importlib import import_module
from multiprocessing.util import Finalize

from personalization.config.wsgi import application

__all__ = ["application"]
# Not at the top, where imports are sorted: models can be imported only once the application is made.
preload = import_module("personalization.config.preload")
preload.preload()
preload.preload_pages()
import_module("campaigns.onsite.warming").warm_up()
answering = import_module("campaigns.onsite.answering")
answering.refresher.start()
# The server's processes are children of multiprocessing, which end by this and call no atexit handler.
Finalize(None, answering.close, exitpriority=0)
