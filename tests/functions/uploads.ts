/** One function as the Supabase CLI uploads it. */
export interface Upload {
  slug: string;
  /** Contents by name. */
  files: Record<string, string>;
  metadata: Record<string, unknown>;
}

/** Answers the requests of the CLI that deploy functions, and adds what they upload to `uploads`. */
export async function answerDeployment(request: Request, uploads: Upload[]): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  if (!pathname.endsWith("/functions/deploy")) {
    return Response.json(request.method === "PUT" ? { functions: [] } : []);
  }
  const slug = searchParams.get("slug")!;
  uploads.push(await readUpload(slug, await request.formData()));
  const id = crypto.randomUUID();
  const deployed = { id, slug, name: slug, status: "ACTIVE", version: 1, created_at: 1, updated_at: 1 };
  return Response.json({ ...deployed, verify_jwt: false }, { status: 201 });
}

async function readUpload(slug: string, form: FormData): Promise<Upload> {
  const files = form.getAll("file") as File[];
  return {
    slug,
    files: Object.fromEntries(await Promise.all(files.map(async (file) => [file.name, await file.text()]))),
    metadata: JSON.parse(String(form.get("metadata"))),
  };
}
