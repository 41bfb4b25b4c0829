"""Uses the client that bin/clients made: use.py FOLDER ADDRESS KEY. Writes the customer it read."""

import importlib
import pkgutil
import sys

folder, address, key = sys.argv[1:]
sys.path.insert(0, folder)

import bespoke_client  # noqa: E402
from bespoke_client.api.customers import customers_retrieve  # noqa: E402
from bespoke_client.api.events import track  # noqa: E402
from bespoke_client.models import TrackCall  # noqa: E402

for module in pkgutil.walk_packages(bespoke_client.__path__, "bespoke_client."):
    importlib.import_module(module.name)
client = bespoke_client.AuthenticatedClient(base_url=address, token=key)
call = {"userId": "ada", "event": "Order Completed", "messageId": "order-1", "properties": {"revenue": 42}}
assert track.sync(client=client, body=TrackCall.from_dict(call)).success
sys.stdout.write(customers_retrieve.sync(external_id="ada", client=client).external_id + "\n")
