import { withSupabase } from "@supabase/server";
import { answer, concealErrors } from "../_shared/answer.ts";
import { deriveDxy } from "./handler.ts";

export default {
  fetch: concealErrors(withSupabase(
    { auth: "secret:derive_dxy", cors: "disabled" },
    (request, { supabaseAdmin }) => answer(request, (body) => deriveDxy(body, supabaseAdmin, new Date())),
  )),
};
