/** Keys of the test stack; the named ones are each the key of one function. */
export const KEYS = {
  publishable: "sb_publishable_of_the_tests",
  secret: "sb_secret_default_of_the_tests",
  named: { registry_sync: "sb_secret_registry_sync_of_the_tests", derive_dxy: "sb_secret_derive_dxy_of_the_tests" },
};

export type FunctionName = "registry-sync" | "derive-dxy";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any -- tests look into answers of every shape
  body: any;
}

export interface FunctionServer {
  /** Sends a request to a function, by default a POST of JSON with the function's own key. */
  send(name: FunctionName, init?: RequestInit): Promise<Answer>;
  /** Posts a value as JSON with the function's own key. */
  post(name: FunctionName, body: unknown): Promise<Answer>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the functions in a process of their own, with a Data API at `apiUrl` and further settings in `env`. */
export async function serveFunctions(apiUrl: string, env: Record<string, string> = {}): Promise<FunctionServer> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", new URL("serve.ts", import.meta.url).pathname],
    env: {
      SUPABASE_URL: apiUrl,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: KEYS.publishable }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: KEYS.secret, ...KEYS.named }),
      ...env,
    },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: url } = await output.read();
  if (url === undefined) throw new Error("the functions did not start");
  const send = async (name: FunctionName, init: RequestInit = {}): Promise<Answer> => {
    const headers = new Headers({ apikey: keyOf(name), "content-type": "application/json" });
    new Headers(init.headers).forEach((value, header) => headers.set(header, value));
    const response = await fetch(`${url.trim()}/functions/v1/${name}`, { method: "POST", ...init, headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  };
  return {
    send,
    post: (name, body) => send(name, { body: JSON.stringify(body) }),
    async [Symbol.asyncDispose]() {
      process.kill();
      await output.cancel();
      await process.status;
    },
  };
}

/** The secret key that opens a function. */
export function keyOf(name: FunctionName): string {
  return name === "registry-sync" ? KEYS.named.registry_sync : KEYS.named.derive_dxy;
}
