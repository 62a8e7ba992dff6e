/** The keys of a project: those that clients send as `apikey`, and the secret that signs the tokens of users. */
export interface Keys {
  /** Opens the Data API as `anon`. */
  publishable: string;
  /** Opens the Data API as `service_role`. */
  secret: string;
  /** A secret key for each function, by the name of the key in the function's code. */
  named: { registry_sync: string; derive_dxy: string; deliver_alerts: string; pgbars_metrics: string };
  jwtSecret: string;
}

/** The keys of every stack over an embedded Postgres. They are fixed and public, and valid nowhere else. */
export const KEYS: Keys = {
  publishable: "sb_publishable_local",
  secret: "sb_secret_local",
  named: {
    registry_sync: "sb_secret_local_registry_sync",
    derive_dxy: "sb_secret_local_derive_dxy",
    deliver_alerts: "sb_secret_local_deliver_alerts",
    pgbars_metrics: "sb_secret_local_pgbars_metrics",
  },
  jwtSecret: "the-jwt-secret-of-every-local-stack",
};

/** New random keys. */
export function makeKeys(): Keys {
  const random = () => crypto.randomUUID().replaceAll("-", "");
  return {
    publishable: `sb_publishable_${random()}`,
    secret: `sb_secret_${random()}`,
    named: {
      registry_sync: `sb_secret_${random()}`,
      derive_dxy: `sb_secret_${random()}`,
      deliver_alerts: `sb_secret_${random()}`,
      pgbars_metrics: `sb_secret_${random()}`,
    },
    jwtSecret: random() + random(),
  };
}
