import { readJson } from "./body.ts";
import { Refusal } from "./refusal.ts";

/**
 * Answers a POST of JSON with what `handle` makes of its body, as JSON. A {@link Refusal} answers for itself; any
 * other error goes to the log, and the caller learns only that there was one.
 */
export async function answer(request: Request, handle: (body: unknown) => Promise<unknown>): Promise<Response> {
  try {
    if (request.method !== "POST") {
      throw new Refusal(405, "method_not_allowed", "Only POST is allowed.", { headers: { Allow: "POST" } });
    }
    return Response.json(await handle(await readJson(request)));
  } catch (error) {
    if (error instanceof Refusal) return error.toResponse();
    console.error(error);
    return new Refusal(500, "internal", "The function failed; its log says why.").toResponse();
  }
}
