import { withSupabase } from "@supabase/server";
import { answerText, concealErrors } from "../_shared/answer.ts";
import { CONTENT_TYPE, readMetrics, takeBearer } from "./handler.ts";

const serve = withSupabase(
  { auth: "secret:pgbars_metrics", cors: "disabled" },
  (request, { supabaseAdmin }) => answerText(request, CONTENT_TYPE, () => readMetrics(supabaseAdmin)),
);

export default { fetch: concealErrors((request) => serve(takeBearer(request))) };
