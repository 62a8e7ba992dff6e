import { KEYS, type Keys } from "../../scripts/lib/stack/keys.ts";

/** Functions that take webhooks and read or write bars. */
export type BarFunctionName = "registry-sync" | "derive-dxy";

export type FunctionName = BarFunctionName | "deliver-alerts" | "pgbars-metrics";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any -- tests look into answers of every shape
  body: any;
}

export interface FunctionClient {
  /** Sends a request to a function, by default a POST of JSON with the function's own key. */
  send(name: FunctionName, init?: RequestInit): Promise<Answer>;
  /** Posts a value as JSON with the function's own key. */
  post(name: FunctionName, body: unknown): Promise<Answer>;
}

/** Calls functions below `url`, that of the project. */
export function functionClient(url: string): FunctionClient {
  const send = async (name: FunctionName, init: RequestInit = {}): Promise<Answer> => {
    const headers = new Headers({ apikey: keyOf(name), "content-type": "application/json" });
    new Headers(init.headers).forEach((value, header) => headers.set(header, value));
    const response = await fetch(`${url}/functions/v1/${name}`, { method: "POST", ...init, headers });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  };
  return { send, post: (name, body) => send(name, { body: JSON.stringify(body) }) };
}

/** The secret key that opens a function. */
export function keyOf(name: FunctionName): string {
  return KEYS.named[name.replaceAll("-", "_") as keyof Keys["named"]];
}
