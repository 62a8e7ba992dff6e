/** One reason why a body was refused; `path` leads to the offending value. */
export interface Issue {
  code: string;
  path: PropertyKey[];
  message: string;
}

/** An answer other than success that the caller is meant to read: nothing in it may come from the database's own text. */
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

  toResponse(): Response {
    const { issues, headers } = this.extra;
    const body = { code: this.code, message: this.message, ...(issues && { issues }) };
    return Response.json(body, { status: this.status, ...(headers && { headers }) });
  }
}
