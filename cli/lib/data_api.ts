import { setTimeout } from "node:timers/promises";
import { describeError } from "./error.ts";
import { Failure } from "./failure.ts";

/** A project's Data API, and a key for it. */
export interface DataApi {
  url: string;
  key: string;
}

/** What the Data API answered. */
export interface ApiAnswer {
  status: number;
  text: string;
  /** The text as JSON; undefined where it is not JSON. */
  value: unknown;
}

/** How long the Data API may take for a call, in milliseconds: longer than functions of pgbars limit themselves to. */
const TIME_LIMIT_MS = 90_000;

/** Sends one request to a path below `/rest/v1`: a POST with `body`, or else a GET. Throws a {@link Failure} when no answer comes. */
export async function requestDataApi({ url, key }: DataApi, path: string, body?: string): Promise<ApiAnswer> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}/rest/v1/${path}`, {
      headers: { apikey: key, authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body }),
      signal: AbortSignal.timeout(TIME_LIMIT_MS),
    });
    const text = await response.text();
    return { status: response.status, text, value: parse(text) };
  } catch (cause) {
    // The message of fetch says only that it failed; its cause says why.
    const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
    throw new Failure(`Cannot reach the Data API at ${url}: ${describeError(reason)}`);
  }
}

/** As {@link requestDataApi}, up to four times where the failure may pass. For a request that may be repeated. */
export async function requestPatiently(api: DataApi, path: string, body?: string): Promise<ApiAnswer> {
  for (let pause = 500;; pause *= 3) {
    let failure: unknown;
    try {
      const answer = await requestDataApi(api, path, body);
      if (!isTransient(answer) || pause > 10_000) return answer;
    } catch (error) {
      failure = error;
    }
    if (failure !== undefined && pause > 10_000) throw failure;
    await setTimeout(pause);
  }
}

/** What went wrong, in the words of the answer. */
export function describeAnswer({ status, text, value }: ApiAnswer): string {
  const { message, hint } = (value ?? {}) as { message?: string; hint?: string | null };
  return `status ${status}: ${message ?? text.slice(0, 200)}${hint ? `\n${hint}` : ""}`;
}

/** No connection behind the API, a deadlock, no room, a restart, or a lock that was not free. */
function isTransient({ status, value }: ApiAnswer): boolean {
  const { code } = (value ?? {}) as { code?: string };
  return (status >= 502 && status <= 504) || status >= 520 || /^(08|40|53|57P|58|55P03)/.test(code ?? "");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
