import { z } from "zod";
import { type Database, unwrap } from "../_shared/database.ts";
import { parse, symbolSchema } from "../_shared/validation.ts";
import { isWebhook, readWebhookRows } from "../_shared/webhook.ts";

const REGISTRY = "core_asset_registry_all";

const envSchema = z.string().regex(/^[A-Za-z][\w-]{0,31}$/, "is not the name of an environment");
const byHandSchema = z.strictObject({ env: envSchema });
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
  refused: z.array(z.object({ canonical_symbol: z.string(), problem: z.string() })),
});

/**
 * What a sync did: tasks counted, and assets left out for bad metadata. `symbols` are the assets that the payload names
 * and those whose tasks the sync changed, each once, in the order of their code units.
 */
export type SyncAnswer = z.output<typeof resultSchema>;

/** How long the database may take, in milliseconds: longer than it gives a sync itself, which is 60 s. */
const TIME_LIMIT_MS = 70_000;

/**
 * Makes tasks follow the registry after a change of it (a payload of a database webhook) or by hand
 * (`{ "env": "prod" }`). The sync is of all assets, so that repeated, late and lost payloads end in the same state.
 * Payloads name no environment: the database knows its own. Throws a Refusal for a body that is none of both, and when
 * the database is away or takes longer than `timeLimitMs`.
 */
export async function syncRegistry(
  body: unknown,
  database: Database,
  timeLimitMs = TIME_LIMIT_MS,
): Promise<SyncAnswer> {
  const { env, symbols } = readRequest(body);
  const response = await database.rpc("sync_agg_state_from_registry", { p_env: env })
    .abortSignal(AbortSignal.timeout(timeLimitMs));
  const result = resultSchema.parse(unwrap(response));
  return { ...result, symbols: [...new Set([...symbols, ...result.symbols])].sort() };
}

function readRequest(body: unknown): { env: string | null; symbols: string[] } {
  if (!isWebhook(body)) return { ...parse(byHandSchema, body), symbols: [] };
  const rows = readWebhookRows(body, REGISTRY, assetSchema);
  return { env: null, symbols: rows.map((row) => row.canonical_symbol) };
}
