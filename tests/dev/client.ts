import { createClient, type SupabaseClient } from "@supabase/supabase-js";

/** A client as an application makes it, with a key and, for a signed-in user, a token. */
export function openClient(url: string, key: string, token?: string): SupabaseClient {
  return createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    ...(token !== undefined && { global: { headers: { authorization: `Bearer ${token}` } } }),
  });
}

/** A minute of 2025-07-01 in UTC as an application inserts it. */
export function minuteBar(symbol: string, minute: number, close = 1) {
  const time = new Date(Date.UTC(2025, 6, 1, 0, minute)).toISOString();
  return { canonical_symbol: symbol, ts_utc: time, open: 1, high: Math.max(1, close), low: Math.min(1, close), close };
}
