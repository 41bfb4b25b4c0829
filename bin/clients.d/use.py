"""Uses the client that bin/clients made: use.py FOLDER ADDRESS KEY. Writes what it read and made."""

import importlib
import pkgutil
import sys

folder, address, key = sys.argv[1:]
sys.path.insert(0, folder)

import bespoke_client  # noqa: E402
from bespoke_client.api.campaigns import campaigns_create  # noqa: E402
from bespoke_client.api.customers import customers_get  # noqa: E402
from bespoke_client.api.events import track  # noqa: E402
from bespoke_client.api.segments import segments_create  # noqa: E402
from bespoke_client.models import CampaignRequest, MessageRequest, SegmentRequest, TrackCall  # noqa: E402

for module in pkgutil.walk_packages(bespoke_client.__path__, "bespoke_client."):
    importlib.import_module(module.name)
client = bespoke_client.AuthenticatedClient(base_url=address, token=key)
call = {"userId": "ada", "event": "Order Completed", "messageId": "order-1", "properties": {"revenue": 42}}
assert track.sync(client=client, body=TrackCall.from_dict(call)).success
customer = customers_get.sync(external_id="ada", client=client)
segment = segments_create.sync(client=client, body=SegmentRequest(name="All", definition={"all": []}))
message = MessageRequest(key="a", subject="Tea", body="<p>Tea, {{ unsubscribe_url }}</p>")
plan = CampaignRequest(name="Tea", segment=segment.id, messages=[message], control_share=0.1)
campaign = campaigns_create.sync(client=client, body=plan)
sys.stdout.write(f"{customer.external_id} {campaign.name} {campaign.status.value} {campaign.experiment}\n")
