// What a program of yours looks like; compiled against the types whenever they are made.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./bespoke";

type Schemas = components["schemas"];
type Answer<T> = { data?: T; error?: Partial<Schemas["Problem"]> };

export function connect(baseUrl: string, key: string): Client<paths> {
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
}

// What was answered; a refusal says why.
function answered<T>({ data, error }: Answer<T>): T {
  if (data === undefined) throw new Error([error?.title, error?.detail].filter(Boolean).join(": "));
  return data;
}

// Who somebody is, and what they did.
export async function tell(client: Client<paths>, userId: string): Promise<Schemas["Customer"]> {
  const traits = { email: `${userId}@shop.example`, plan: "gold" };
  answered(await client.POST("/v1/identify", { body: { userId, traits } }));
  const order = { messageId: `order-of-${userId}`, properties: { revenue: 42 } };
  answered(await client.POST("/v1/track", { body: { userId, event: "Order Completed", ...order } }));
  const path = { external_id: userId };
  return answered(await client.GET("/api/v1/customers/{external_id}", { params: { path } }));
}

// Three variants for everybody who matches the rule; a tenth gets nothing, and shows what it brought.
export async function launch(client: Client<paths>, name: string): Promise<Schemas["Campaign"]> {
  const definition = { trait: "plan", op: "is", value: "gold" };
  const segment = answered(await client.POST("/api/v1/segments", { body: { name, definition } }));
  const body = "<p>Hello {{ customer.first_name }}</p> <a href='{{ unsubscribe_url }}'>No more</a>";
  const messages = ["Tea", "Coffee", "Cocoa"].map((subject) => ({ key: subject.toLowerCase(), subject, body }));
  const plan = { name, segment: segment.id, control_share: 0.1, messages };
  const draft = answered(await client.POST("/api/v1/campaigns", { body: plan }));
  const path = { id: draft.id };
  return answered(await client.POST("/api/v1/campaigns/{id}/launch", { params: { path }, body: {} }));
}

// How far it is.
export async function progress(client: Client<paths>, campaign: Schemas["Campaign"]): Promise<Schemas["Progress"]> {
  const path = { id: campaign.id };
  return answered(await client.GET("/api/v1/campaigns/{id}/progress", { params: { path } }));
}

// What it brought, in one sentence; undefined before a worker has counted for the first time.
export async function report(client: Client<paths>, campaign: Schemas["Campaign"]): Promise<string | undefined> {
  const path = { key: campaign.experiment ?? "" };
  const found = answered(await client.GET("/api/v1/experiments/{key}/report", { params: { path } }));
  return "summary" in found ? found.summary : undefined;
}
