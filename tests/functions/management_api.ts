/** One function as the Supabase CLI uploads it. */
export interface Upload {
  slug: string;
  /** Contents by name. */
  files: Record<string, string>;
  metadata: Record<string, unknown>;
}

/** Stands in for the part of Supabase's management API that deploying functions needs, and keeps what it is sent. */
export interface ManagementApi {
  readonly uploads: Upload[];
  /** A file for the CLI's `--profile`, which sends it here. */
  readonly profile: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function serveManagementApi(): Promise<ManagementApi> {
  const uploads: Upload[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (!pathname.endsWith("/functions/deploy")) {
      return Response.json(request.method === "PUT" ? { functions: [] } : []);
    }
    const slug = searchParams.get("slug")!;
    uploads.push(await readUpload(slug, await request.formData()));
    const id = crypto.randomUUID();
    const deployed = { id, slug, name: slug, status: "ACTIVE", version: 1, created_at: 1, updated_at: 1 };
    return Response.json({ ...deployed, verify_jwt: false }, { status: 201 });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const profile = await Deno.makeTempFile({ prefix: "pgbars-", suffix: ".yaml" });
  await Deno.writeTextFile(
    profile,
    `name: standin\napi_url: ${url}\ndashboard_url: ${url}\ndocs_url: ${url}\nproject_host: localhost\n`,
  );
  return {
    uploads,
    profile,
    async [Symbol.asyncDispose]() {
      await Deno.remove(profile);
      await server.shutdown();
    },
  };
}

async function readUpload(slug: string, form: FormData): Promise<Upload> {
  const files = form.getAll("file") as File[];
  return {
    slug,
    files: Object.fromEntries(await Promise.all(files.map(async (file) => [file.name, await file.text()]))),
    metadata: JSON.parse(String(form.get("metadata"))),
  };
}
