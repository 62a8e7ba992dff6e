import { z } from "zod";
import { type Database, unwrap } from "../_shared/database.ts";
import { parse } from "../_shared/validation.ts";
import { isWebhook, readWebhookRows } from "../_shared/webhook.ts";

const REGISTRY = "core_asset_registry_all";

const envSchema = z.string().regex(/^[A-Za-z][\w-]{0,31}$/, "is not the name of an environment");
const byHandSchema = z.strictObject({ env: envSchema });
const assetSchema = z.object({ canonical_symbol: z.string() });

const countSchema = z.number().int();
const resultSchema = z.object({
  env: z.string(),
  inserted: countSchema,
  updated: countSchema,
  reenabled: countSchema,
  disabled: countSchema,
  inserted_or_updated: countSchema,
  refused: z.array(z.object({ canonical_symbol: z.string(), problem: z.string() })),
});

/** What a sync did: tasks counted, assets left out for bad metadata, and the assets that the caller said had changed. */
export type SyncAnswer = { symbols: string[] } & z.output<typeof resultSchema>;

/**
 * Makes tasks follow the registry after a change of it (a payload of a database webhook) or by hand
 * (`{ "env": "prod" }`). The sync is of all assets, so that repeated, late and lost payloads end in the same state.
 * Payloads name no environment: the database knows its own.
 */
export async function syncRegistry(body: unknown, database: Database): Promise<SyncAnswer> {
  const { env, symbols } = readRequest(body);
  const result = unwrap(await database.rpc("sync_agg_state_from_registry", { p_env: env }));
  return { symbols, ...resultSchema.parse(result) };
}

function readRequest(body: unknown): { env: string | null; symbols: string[] } {
  if (!isWebhook(body)) return { ...parse(byHandSchema, body), symbols: [] };
  const rows = readWebhookRows(body, REGISTRY, assetSchema);
  return { env: null, symbols: [...new Set(rows.map((row) => row.canonical_symbol))] };
}
