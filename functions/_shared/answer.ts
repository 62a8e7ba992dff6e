import { ErrorCodeHeader } from "@supabase/server";
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
    return failure();
  }
}

/**
 * Answers for the library that guards `fetch`, whose own errors name keys: 401 where it refuses a caller. What is wrong
 * with the function's settings goes to the log.
 */
export function concealErrors(fetch: (request: Request) => Promise<Response>): (request: Request) => Promise<Response> {
  return async (request) => {
    const response = await fetch(request);
    if (!response.headers.has(ErrorCodeHeader)) return response;
    if (response.status === 401) {
      return new Refusal(401, "unauthorized", "The header apikey is not the key of this function.").toResponse();
    }
    console.error(await response.text());
    return failure();
  };
}

function failure(): Response {
  return new Refusal(500, "internal", "The function failed; its log says why.").toResponse();
}
