// The API keys of the user, as the server tells them.

import type { Client } from "@cloakroom/client";

export interface ApiKey {
  id: number;
  name: string;
  prefix: string;
  last_four: string;
  scopes: string[];
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface NewKey {
  name: string;
  scopes: string[];
  expires_at: string | null;
}

interface Options {
  signal?: AbortSignal;
}

export async function listKeys(client: Client, options: Options): Promise<ApiKey[]> {
  const reply = await client.request<{ api_keys: ApiKey[] }>("GET", "/v1/api_keys", options);
  return reply.api_keys;
}

/** The key itself is in this reply and in no other. */
export function createKey(client: Client, body: NewKey, options: Options) {
  return client.request<{ key: string; api_key: ApiKey }>("POST", "/v1/api_keys", { body, ...options });
}

export async function renameKey(client: Client, id: number, name: string, options: Options): Promise<ApiKey> {
  const body = { name };
  const reply = await client.request<{ api_key: ApiKey }>("PATCH", `/v1/api_keys/${id}`, {
    body,
    ...options,
  });
  return reply.api_key;
}

export function revokeKey(client: Client, id: number, options: Options) {
  return client.request("DELETE", `/v1/api_keys/${id}`, options);
}
