import type { SupabaseClient } from "@supabase/supabase-js";
import type { Database } from "./database_types.ts";

/** The Data API of the schema public. */
export type Api = Pick<SupabaseClient<Database>, "from" | "rpc">;
