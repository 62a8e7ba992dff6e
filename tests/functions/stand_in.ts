import type { Handler } from "../../scripts/lib/stack/gateway.ts";
import { serveStack } from "../../scripts/lib/stack/stack.ts";
import { type FunctionClient, functionClient } from "../support/function_client.ts";

/** The functions over a Data API that a test makes up; `env` is over what the functions find in their environment. */
export async function serveFunctionsOver(
  dataApi: Handler,
  env: Record<string, string> = {},
): Promise<FunctionClient & AsyncDisposable> {
  const stack = await serveStack(dataApi, { env, isLazy: true });
  return { ...functionClient(stack.url), [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}
