import { withSupabase } from "@supabase/server";
import { answer, concealErrors } from "../_shared/answer.ts";
import { syncRegistry } from "./handler.ts";

export default {
  fetch: concealErrors(withSupabase(
    { auth: "secret:registry_sync", cors: "disabled" },
    (request, { supabaseAdmin }) => answer(request, (body) => syncRegistry(body, supabaseAdmin)),
  )),
};
