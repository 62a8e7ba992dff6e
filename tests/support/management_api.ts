/** A server that the Supabase CLI takes for Supabase's management API. */
export interface ManagementApi {
  /** A file for the CLI's `--profile` or `SUPABASE_PROFILE`, which names this server. */
  readonly profile: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The domain of the hosts of a project. No such host exists, so that nothing here reaches a real one. */
export const PROJECT_HOST = "standin.invalid";

/** A token of the form that the CLI asks for. */
export const ACCESS_TOKEN = `sbp_${"0".repeat(40)}`;

/** Serves `answer` on 127.0.0.1 in place of the management API. */
export async function serveManagementApi(
  answer: (request: Request) => Response | Promise<Response>,
): Promise<ManagementApi> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const url = `http://127.0.0.1:${server.addr.port}`;
  const profile = await Deno.makeTempFile({ prefix: "pgbars-", suffix: ".yaml" });
  const settings = {
    ...{ name: "standin", api_url: url, dashboard_url: url, docs_url: url },
    ...{ project_host: PROJECT_HOST, pooler_host: PROJECT_HOST },
  };
  await Deno.writeTextFile(profile, Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`).join(""));
  return {
    profile,
    async [Symbol.asyncDispose]() {
      await Deno.remove(profile);
      await server.shutdown();
    },
  };
}
