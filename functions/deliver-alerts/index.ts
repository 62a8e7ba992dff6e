import { withSupabase } from "@supabase/server";
import { answer, concealErrors } from "../_shared/answer.ts";
import { deliverAlerts } from "./handler.ts";

export default {
  fetch: concealErrors(withSupabase(
    { auth: "secret:deliver_alerts", cors: "disabled" },
    (request, { supabaseAdmin }) => answer(request, (body) => deliverAlerts(body, supabaseAdmin)),
  )),
};
