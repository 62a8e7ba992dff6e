/** An array as Postgres writes it: the driver does not know the type of a parameter. */
export function arrayLiteral(values: readonly unknown[]): string {
  return `{${values.map((value) => `"${String(value).replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;
}
