import { z } from "zod";
import { type Database, unwrap } from "../_shared/database.ts";
import { Refusal } from "../_shared/refusal.ts";
import { parse, symbolSchema } from "../_shared/validation.ts";
import { isWebhook, readWebhookRows } from "../_shared/webhook.ts";

const REGISTRY = "core_asset_registry_all";

const envSchema = z.string().regex(/^[A-Za-z][\w-]{0,31}$/, "is not the name of an environment");
const callSchema = z.strictObject({ env: envSchema.optional() });
const assetSchema = z.object({ canonical_symbol: symbolSchema });

const countSchema = z.number().int();
const resultSchema = z.object({
  env: z.string(),
  inserted: countSchema,
  updated: countSchema,
  reenabled: countSchema,
  disabled: countSchema,
  inserted_or_updated: countSchema,
  symbols: z.array(z.string()),
  refused: z.array(z.object({ canonical_symbol: z.string(), problem: z.string(), leaves_out: z.string() })),
});

/**
 * Tasks counted by what a sync did to them, and the assets that it left out for bad metadata. `symbols` are the assets
 * that the payload names and those whose tasks changed, each once, in the order of their code units.
 */
export type SyncAnswer = z.output<typeof resultSchema>;

/** How long the database may take for a call, in milliseconds: longer than its own limit for a sync, which is 60 s. */
const TIME_LIMIT_MS = 70_000;

/**
 * Makes the tasks follow the registry in the database's own environment. It takes:
 * - a payload of a database webhook for a change of the registry;
 * - `{}`;
 * - `{ "env": "prod" }`, which says that the caller means this environment.
 *
 * A sync looks at every asset, so that repeated, late and lost payloads end in the same state. Throws a Refusal: 422 for
 * any other body; 409 where `env` looks at the other flag of the registry than the database does, with nothing changed;
 * 503 when the database is away or takes longer than `timeLimitMs` for a call.
 */
export async function syncRegistry(
  body: unknown,
  database: Database,
  timeLimitMs = TIME_LIMIT_MS,
): Promise<SyncAnswer> {
  const sync = async (symbols: string[] | null) => {
    const response = await database.rpc("sync_agg_state_from_registry", { p_symbols: symbols })
      .abortSignal(AbortSignal.timeout(timeLimitMs));
    return resultSchema.parse(unwrap(response));
  };
  const { env, symbols } = readRequest(body);
  if (env !== undefined) {
    // A sync of no asset changes nothing and returns the database's environment.
    refuseOther(env, (await sync([])).env);
  }
  const result = await sync(null);
  return { ...result, symbols: [...new Set([...symbols, ...result.symbols])].sort() };
}

function readRequest(body: unknown): { env: string | undefined; symbols: string[] } {
  if (!isWebhook(body)) return { env: parse(callSchema, body).env, symbols: [] };
  const rows = readWebhookRows(body, REGISTRY, assetSchema);
  return { env: undefined, symbols: rows.map((row) => row.canonical_symbol) };
}

function refuseOther(asked: string, own: string): void {
  if (isTest(asked) === isTest(own)) return;
  const message = `This database is of the environment "${own}", not "${asked}". Nothing was changed. ` +
    `Send {} to sync the database's own environment.`;
  throw new Refusal(409, "other_environment", message);
}

/** Whether an environment looks at `test_active` rather than `active`, as `agg.is_test` decides in the database. */
function isTest(env: string): boolean {
  return ["DEV", "TEST"].includes(env.toUpperCase());
}
