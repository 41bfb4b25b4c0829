// Uses the client that bin/clients made: node use.js ADDRESS KEY. Writes what it read and made.
import { connect, launch, progress, report, tell } from "./example.js";

const [address = "", key = ""] = process.argv.slice(2);
const client = connect(address, key);
const customer = await tell(client, "ada");
const campaign = await launch(client, "Tea");
const { status, audience } = await progress(client, campaign);
console.log(customer.external_id, campaign.name, status, audience, (await report(client, campaign)) ?? "no report yet");
