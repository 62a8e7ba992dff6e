/** One reason why a body was refused. `path` leads to the value at fault. */
export interface Issue {
  code: string;
  path: PropertyKey[];
  message: string;
}

/** An answer other than success, for the caller to read. It must not carry an error message of the database. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly extra: { issues?: Issue[]; headers?: Record<string, string> } = {},
  ) {
    super(message);
  }

  /** The answer as JSON: `code`, `message` and, where there are any, `issues`. */
  toResponse(): Response {
    const { issues, headers } = this.extra;
    const body = { code: this.code, message: this.message, ...(issues && { issues }) };
    return Response.json(body, { status: this.status, ...(headers && { headers }) });
  }
}
