/** The names of the functions' keys, as the code of each asks for its own. */
const NAMES = ["registry_sync", "derive_dxy", "deliver_alerts", "pgbars_metrics"] as const;

/** The keys of a project: those that clients send as `apikey`, and the secret that signs the tokens of users. */
export interface Keys {
  /** Opens the Data API as `anon`. */
  publishable: string;
  /** Opens the Data API as `service_role`. */
  secret: string;
  /** A secret key for each function. */
  named: Record<typeof NAMES[number], string>;
  jwtSecret: string;
}

/** The keys of every stack over an embedded Postgres. They are fixed and public, and valid nowhere else. */
export const KEYS: Keys = {
  publishable: "sb_publishable_local",
  secret: "sb_secret_local",
  named: nameKeys((name) => `local_${name}`),
  jwtSecret: "the-jwt-secret-of-every-local-stack",
};

/** New random keys. */
export function makeKeys(): Keys {
  const random = () => crypto.randomUUID().replaceAll("-", "");
  return {
    publishable: `sb_publishable_${random()}`,
    secret: `sb_secret_${random()}`,
    named: nameKeys(random),
    jwtSecret: random() + random(),
  };
}

function nameKeys(suffixOf: (name: string) => string): Keys["named"] {
  return Object.fromEntries(NAMES.map((name) => [name, `sb_secret_${suffixOf(name)}`])) as Keys["named"];
}
