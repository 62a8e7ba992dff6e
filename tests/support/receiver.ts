import { Webhook } from "standardwebhooks";

/** The signing secret of the test receiver. */
export const SIGNING_SECRET = "whsec_cGdiYXJzLXRlc3Qta2V5LTI0LWJ5dGVz";

/** A request that a receiver has taken. */
export interface Received {
  path: string;
  method: string;
  headers: Record<string, string>;
  text: string;
  at: number;
}

/** Serves on 127.0.0.1 and keeps every request. `answer` says what it answers; by default 200. */
export function serveReceiver(): Receiver {
  const received: Received[] = [];
  const receiver: { answer: Receiver["answer"] } = { answer: () => new Response("ok") };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const one = {
      path: new URL(request.url).pathname,
      method: request.method,
      headers: Object.fromEntries(request.headers),
      text: await request.text(),
      at: Date.now(),
    };
    received.push(one);
    return await receiver.answer(one);
  });
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${server.addr.port}`,
    received,
    take: () => received.splice(0),
    [Symbol.asyncDispose]: () => server.shutdown(),
  });
}

export interface Receiver {
  readonly url: string;
  answer: (request: Received) => Response | Promise<Response>;
  readonly received: Received[];
  /** All requests since the last call. */
  take(): Received[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** The body of a Standard Webhook. Throws where its signature or its time is wrong. */
// deno-lint-ignore no-explicit-any -- tests look into bodies of every shape
export function verified({ text, headers }: Received, secret = SIGNING_SECRET): any {
  return new Webhook(secret).verify(text, headers);
}
