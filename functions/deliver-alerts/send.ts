import { Webhook } from "standardwebhooks";
import { z } from "zod";

/** Times in milliseconds. */
export interface DeliveryLimits {
  /** How long the database may take for a call. */
  database: number;
  /** How long a target may take for a message. */
  message: number;
  /** How long to wait after a message to Slack, which takes one a second. */
  gap: number;
  /** No message is sent later than this. */
  total: number;
}

/** A message as the database gives it out. `url` and `secret` are null where Vault does not hold them. */
export const messageSchema = z.object({
  target: z.string(),
  kind: z.enum(["slack", "webhook", "heartbeat"]),
  url: z.string().nullable(),
  secret: z.string().nullable(),
  message_id: z.uuid().nullable(),
  body: z.string().nullable(),
});

export type Message = z.output<typeof messageSchema>;

/** What became of a message, for the database. Without status and error it was not tried. */
export interface Outcome {
  target: string;
  message_id: string | null;
  status: number | null;
  retry_after: number | null;
  /** Shows neither URL nor secret nor body. */
  error: string | null;
}

type Answer = Pick<Outcome, "status" | "retry_after" | "error">;

const UNTRIED: Answer = { status: null, retry_after: null, error: null };

/**
 * Sends the messages of one target one after the other. After one that fails, and from `until` on, the rest are not tried:
 * the database decides when they are. Does not throw.
 */
export async function sendAll(messages: Message[], limits: DeliveryLimits, until: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let goesOn = true;
  for (const message of messages) {
    const { target, message_id, kind } = message;
    goesOn &&= Date.now() < until;
    const answer: Answer = goesOn ? await send(message, limits.message) : UNTRIED;
    outcomes.push({ target, message_id, ...answer });
    goesOn &&= answer.error === null;
    if (goesOn && kind === "slack") await new Promise((resolve) => setTimeout(resolve, limits.gap));
  }
  return outcomes;
}

/** Sends a message within `timeLimitMs`. Redirects are not followed. */
export async function send(message: Message, timeLimitMs: number): Promise<Answer> {
  let request: Request;
  try {
    request = toRequest(message);
  } catch (error) {
    return { ...UNTRIED, error: (error as NotConfigured).message };
  }
  try {
    const response = await fetch(request, { redirect: "manual", signal: AbortSignal.timeout(timeLimitMs) });
    const { status } = response;
    const reason = await readReason(response);
    if (response.ok) return { ...UNTRIED, status };
    const retry_after = readRetryAfter(response.headers.get("retry-after"));
    return { status, retry_after, error: ["HTTP", status, reason].filter((part) => part !== undefined).join(" ") };
  } catch (error) {
    // The text of the error names the URL, which is a secret.
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    return { ...UNTRIED, error: isLate ? `no answer within ${timeLimitMs} ms` : "the host could not be reached" };
  }
}

class NotConfigured extends Error {
  constructor(problem: string) {
    super(`not configured: ${problem}`);
  }
}

function toRequest(message: Message): Request {
  const url = readSecret(message, "url");
  if (!/^https?:\/\/[^\s/?#]/.test(url) || !URL.canParse(url)) throw new NotConfigured("its URL is not an http(s) URL");
  if (message.kind === "heartbeat") return new Request(url);
  const { body } = message;
  const headers = { "content-type": "application/json", ...message.kind === "webhook" && sign(message) };
  return new Request(url, { method: "POST", headers, body });
}

/** The headers of Standard Webhooks. A secret may be several, separated by spaces, while one replaces another. */
function sign(message: Message): Record<string, string> {
  const id = `msg_${message.message_id}`;
  const at = new Date();
  const secrets = readSecret(message, "secret").split(" ");
  try {
    return {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, message.body!)).join(" "),
    };
  } catch {
    throw new NotConfigured("its secret is not whsec_ and base64");
  }
}

/** From Vault, or else from the environment of this function. */
function readSecret(message: Message, what: "url" | "secret"): string {
  const variable = `PGBARS_ALERT_${message.target}_${what}`.toUpperCase();
  const value = message[what] ?? Deno.env.get(variable);
  if (value) return value;
  throw new NotConfigured(`neither Vault has pgbars_alert_${message.target}_${what} nor the function ${variable}`);
}

/** The word that Slack answers, such as channel_not_found. Any other text may repeat what was sent, and is not kept. */
async function readReason(response: Response): Promise<string | undefined> {
  const reader = response.body?.getReader();
  const { value } = await reader?.read() ?? {};
  await reader?.cancel();
  return /^[a-z_]{1,50}$/.exec(new TextDecoder().decode(value).trim())?.[0];
}

/** Seconds, from seconds or a date. */
function readRetryAfter(header: string | null): number | null {
  if (header === null) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}
