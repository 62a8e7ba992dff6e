/** The keys of a project: what clients send as `apikey`, and what tokens of signed-in users are signed with. */
export interface Keys {
  /** Opens the Data API as `anon`. */
  publishable: string;
  /** Opens the Data API as `service_role`. */
  secret: string;
  /** A secret key for each function, by the name that the function asks for. */
  named: { registry_sync: string; derive_dxy: string };
  jwtSecret: string;
}

/** The keys of every stack over an embedded Postgres. They are fixed and public, and so are worth nothing anywhere else. */
export const KEYS: Keys = {
  publishable: "sb_publishable_local",
  secret: "sb_secret_local",
  named: { registry_sync: "sb_secret_local_registry_sync", derive_dxy: "sb_secret_local_derive_dxy" },
  jwtSecret: "the-jwt-secret-of-every-local-stack",
};

/** Keys that nobody can guess. */
export function makeKeys(): Keys {
  const random = () => crypto.randomUUID().replaceAll("-", "");
  return {
    publishable: `sb_publishable_${random()}`,
    secret: `sb_secret_${random()}`,
    named: { registry_sync: `sb_secret_${random()}`, derive_dxy: `sb_secret_${random()}` },
    jwtSecret: random() + random(),
  };
}
