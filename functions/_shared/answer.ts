import { ErrorCodeHeader } from "@supabase/server";
import { readJson } from "./body.ts";
import { Refusal } from "./refusal.ts";

/**
 * Answers a POST of JSON with the result of `handle` as JSON. A {@link Refusal} becomes its own answer. Any other error
 * goes to the log, and the answer is a 500 without its text. Does not throw.
 */
export async function answer(request: Request, handle: (body: unknown) => Promise<unknown>): Promise<Response> {
  return await respond(request, "POST", async () => Response.json(await handle(await readJson(request))));
}

/** Answers a GET with the text that `read` returns, and errors as {@link answer} does. Does not throw. */
export async function answerText(request: Request, type: string, read: () => Promise<string>): Promise<Response> {
  return await respond(request, "GET", async () => new Response(await read(), { headers: { "content-type": type } }));
}

async function respond(request: Request, method: string, make: () => Promise<Response>): Promise<Response> {
  try {
    if (request.method !== method) {
      throw new Refusal(405, "method_not_allowed", `Only ${method} is allowed.`, { headers: { Allow: method } });
    }
    return await make();
  } catch (error) {
    if (error instanceof Refusal) return error.toResponse();
    console.error(error);
    return failure();
  }
}

/**
 * Replaces the answers of the library that guards `fetch`, since its errors name keys. A refused caller gets a 401. An error
 * in the function's settings goes to the log, and the answer is a 500.
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
  return new Refusal(500, "internal", "The function failed; the reason is in its log.").toResponse();
}
