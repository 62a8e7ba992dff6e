import { withSupabase } from "@supabase/server";
import { answer } from "../_shared/answer.ts";
import { deriveDxy } from "./handler.ts";

export default {
  fetch: withSupabase(
    { auth: "secret:derive_dxy", cors: "disabled", errors: { detailed: false } },
    (request, { supabaseAdmin }) => answer(request, (body) => deriveDxy(body, supabaseAdmin, new Date())),
  ),
};
