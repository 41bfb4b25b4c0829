// What a program of yours looks like; compiled against the types whenever they are made.
import createClient from "openapi-fetch";
import type { paths } from "./bespoke";

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
