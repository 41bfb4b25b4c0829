// What a program of yours looks like; compiled against the types whenever they are made.
import createClient from "openapi-fetch";
import type { components, paths } from "./bespoke";

export async function tellAndAsk(baseUrl: string, key: string): Promise<string> {
  const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
  const told = await client.POST("/v1/track", {
    body: { userId: "ada", event: "Order Completed", messageId: "order-1", properties: { revenue: 42 } },
  });
  if (told.error) throw new Error(`${told.error.title}: ${told.error.detail ?? ""}`);
  const asked = await client.GET("/api/v1/customers/{external_id}", { params: { path: { external_id: "ada" } } });
  if (asked.error) throw new Error(asked.error.title);
  return asked.data.external_id ?? "";
}

// A draft for everybody who matches the rule, and what became of it.
export async function planAndLaunch(baseUrl: string, key: string): Promise<components["schemas"]["Progress"]> {
  const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
  const rule = { trait: "plan", op: "is", value: "gold" };
  const segment = await client.POST("/api/v1/segments", { body: { name: "Gold", definition: rule } });
  if (segment.error) throw new Error(segment.error.title);
  const message = { key: "a", subject: "Tea", body: "<p>Tea</p> <a href='{{ unsubscribe_url }}'>No more</a>" };
  const campaign = await client.POST("/api/v1/campaigns", {
    body: { name: "Tea", channel: "email", segment: segment.data.id, control_share: 0.1, messages: [message] },
  });
  if (campaign.error) throw new Error(campaign.error.title);
  const path = { id: campaign.data.id };
  const launched = await client.POST("/api/v1/campaigns/{id}/launch", { params: { path }, body: {} });
  if (launched.error) throw new Error(launched.error.title);
  const progress = await client.GET("/api/v1/campaigns/{id}/progress", { params: { path } });
  if (progress.error) throw new Error(progress.error.title);
  return progress.data;
}
