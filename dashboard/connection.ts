import { createClient, type Session, type SupabaseClient } from "@supabase/supabase-js";
import { createPgbars, type Pgbars, PgbarsError } from "../client/mod.ts";

/** The project that the page talks to. */
export interface Connection {
  url: string;
  key: string;
  /** Seconds between two calls; `refresh_seconds` of `config.json`. */
  refresh?: number;
  /** Whether the project sends bars by Realtime broadcast; `broadcast` of `config.json`. */
  broadcast?: boolean;
}

/** Seconds between two calls, where nothing else is said. */
const REFRESH = 5;

/** A connection in use. */
export interface Project extends Connection {
  /** The time between two calls, in milliseconds. */
  refreshMs: number;
  pgbars: Pgbars;
  auth: SupabaseClient["auth"];
}

/** What a failed call means for the user. */
export type Trouble = "away" | "key" | "rights" | "older" | "other";

const STORED = "pgbars.connection";

/** A call that has no answer after this time, in milliseconds, has failed. */
const PATIENCE_MS = 20_000;

/** The connection that the user gave, or that of `config.json` beside the page; null where there is neither. */
export async function findConnection(): Promise<Connection | null> {
  const stored = localStorage.getItem(STORED);
  if (stored !== null) return JSON.parse(stored);
  const answer = await fetch("config.json", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return null;
  const config = await answer.json().catch(() => null);
  if (!config?.key) return null;
  const { key, refresh_seconds: refresh, broadcast } = config;
  return { url: config.url || location.origin, key, refresh, broadcast };
}

export function storeConnection(connection: Connection): void {
  localStorage.setItem(STORED, JSON.stringify(connection));
}

export function forgetConnection(): void {
  localStorage.removeItem(STORED);
}

/** Why a connection cannot be used, or null. */
export function connectionProblem({ url, key }: Connection): string | null {
  if (!/^https?:\/\/[^\s/]+/.test(url)) return "The URL begins with https://, such as https://abc.supabase.co.";
  if (key === "") return "The publishable key is missing.";
  if (key.startsWith("sb_secret_") || roleOfKey(key) === "service_role") {
    return "This is a secret key: it may write everything, and a web page must not hold it. Give the publishable key.";
  }
  return null;
}

export function connect({ url, key, refresh, broadcast }: Connection): Project {
  const client = createClient(url.replace(/\/+$/, ""), key, {
    global: {
      fetch: (input, init) => {
        const signal = AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ...(init?.signal ? [init.signal] : [])]);
        return fetch(input, { ...init, signal });
      },
    },
  });
  const refreshMs = 1000 * Math.max(1, refresh ?? REFRESH);
  return {
    url,
    key,
    ...(broadcast !== undefined && { broadcast }),
    refreshMs,
    pgbars: createPgbars(client),
    auth: client.auth,
  };
}

/** The role of the database that requests run as. */
export function roleOf({ key }: Connection, session: Session | null): string {
  return (session ? roleOfKey(session.access_token) : roleOfKey(key)) ?? "anon";
}

/** The claim `role` of a token; null for a key that is not one. */
function roleOfKey(key: string): string | null {
  try {
    const claims = key.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).role ?? null;
  } catch {
    return null;
  }
}

export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof PgbarsError)) return "other";
  const { status, code } = error;
  if (code === "42501") return "rights";
  if (status === 401) return "key";
  if (status === 404) return "older";
  return status === 0 || status >= 500 || status === 429 ? "away" : "other";
}

/** The first line of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}
