import { Refusal } from "./refusal.ts";

/** The largest body that is read, in bytes. */
export const BODY_LIMIT = 256 * 1024;

/**
 * Reads the body of a request as JSON. Throws a {@link Refusal}: 415 unless its type is `application/json`; 413 when it or
 * its declared length is over {@link BODY_LIMIT}; 422 when it is not JSON in UTF-8.
 */
export async function readJson(request: Request): Promise<unknown> {
  const mediaType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new Refusal(415, "unsupported_media_type", "The body must be application/json.");
  }
  const bytes = await readLimited(request);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    const message = "The body is not JSON in UTF-8.";
    throw new Refusal(422, "invalid_body", message, { issues: [{ code: "invalid_json", path: [], message }] });
  }
}

async function readLimited(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const tooLong = new Refusal(413, "body_too_long", `The body is longer than ${BODY_LIMIT} bytes.`);
  if (Number(request.headers.get("content-length")) > BODY_LIMIT) throw tooLong;
  const bytes = new Uint8Array(BODY_LIMIT);
  let length = 0;
  for await (const chunk of request.body ?? []) {
    if (length + chunk.length > BODY_LIMIT) throw tooLong;
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.subarray(0, length);
}
