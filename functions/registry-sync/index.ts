import { withSupabase } from "@supabase/server";
import { answer } from "../_shared/answer.ts";
import { syncRegistry } from "./handler.ts";

export default {
  fetch: withSupabase(
    { auth: "secret:registry_sync", cors: "disabled", errors: { detailed: false } },
    (request, { supabaseAdmin }) => answer(request, (body) => syncRegistry(body, supabaseAdmin)),
  ),
};
