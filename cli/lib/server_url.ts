// Connection strings of libpq may leave the host empty, which the URL parser refuses.
function parseUrl(url: string): URL {
  return new URL(url.replace(/@(?=[/:])/, "@localhost"));
}

/** The socket folder that a connection string names, as an option of postgres.js; nothing where it names a host. */
export function socketFolder(url: string): { host?: string } {
  const parsed = parseUrl(url);
  const host = parsed.searchParams.get("host") ?? decodeURIComponent(parsed.hostname);
  return host.startsWith("/") ? { host } : {};
}

/** The same connection string as postgres.js can read it, to go with {@link socketFolder}. */
export function withoutSocketFolder(url: string): string {
  if (socketFolder(url).host === undefined) return url;
  const parsed = parseUrl(url);
  const port = parsed.searchParams.get("port");
  if (port !== null) parsed.port = port;
  for (const name of ["host", "port"]) parsed.searchParams.delete(name);
  parsed.hostname = "localhost";
  return parsed.href;
}

/** The server and database that a connection string names, for people: no user, no password. */
export function describeServer(url: string): string {
  const { host, pathname } = parseUrl(url);
  return `${socketFolder(url).host ?? host}${pathname}`;
}
