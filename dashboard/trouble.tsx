import { useEffect, useState } from "preact/hooks";
import { useApp } from "./context.ts";
import { messageOf, troubleOf } from "./connection.ts";
import { formatTime } from "./format.ts";

/** The function of the database that opens what a view reads. */
type Grant = "grant_operations_access" | "grant_read_access";

interface TroubleProps {
  error: unknown;
  /** When what is shown came; null where nothing is shown. */
  at: Date | null;
  grant: Grant;
}

/** Says plainly what is wrong, and what to do; renders nothing without an error. */
export function Trouble({ error, at, grant }: TroubleProps) {
  const { project, zone } = useApp();
  if (error === null || error === undefined) return null;
  const trouble = troubleOf(error);
  if (trouble === "rights") return <MissingGrant grant={grant} />;
  const shown = at && <>What is shown is of {formatTime(at, zone, true)} ({zone}).</>;
  if (trouble === "away") {
    return (
      <div class="trouble" role="alert">
        <strong>The database is away.</strong> {shown} {project.url} does not answer; the page tries again by itself.
        <span class="detail">{messageOf(error)}</span>
      </div>
    );
  }
  if (trouble === "key") {
    return (
      <div class="trouble" role="alert">
        <strong>The project does not accept this key or this session.</strong>{" "}
        Sign in again, or give another key under Help. <span class="detail">{messageOf(error)}</span>
      </div>
    );
  }
  if (trouble === "older") {
    return (
      <div class="trouble" role="alert">
        <strong>The database is older than this page.</strong> Apply the migrations of the same version.
        <span class="detail">{messageOf(error)}</span>
      </div>
    );
  }
  return (
    <div class="trouble" role="alert">
      <strong>A call failed.</strong> {shown} <span class="detail">{messageOf(error)}</span>
    </div>
  );
}

const OPENS: Record<Grant, string> = {
  grant_operations_access: "states, alerts and runs",
  grant_read_access: "bars",
};

/** Names the statements that are missing for the role of the page. */
export function MissingGrant({ grant }: { grant: Grant }) {
  const { project, role, session, signIn } = useApp();
  const [grants, setGrants] = useState<Grant[]>([grant]);
  useEffect(() => {
    const other = grant === "grant_read_access"
      ? project.pgbars.getAlerts()
      : project.pgbars.getBars({ symbols: ["*"], timeframe: "5m", last: 1 });
    other.catch((error) => {
      if (troubleOf(error) === "rights") setGrants(["grant_operations_access", "grant_read_access"]);
    });
  }, [project, grant]);
  const opens = (role: string) => grants.map((grant) => `select ${grant}('${role}');`).join("\n");
  return (
    <div class="trouble rights" role="alert">
      <strong>This key reads nothing here.</strong> {session
        ? `You are signed in as ${session.user.email}, whose role is ${role}.`
        : `You are not signed in; the role of the key is ${role}.`} It may not read {grants.map((grant) =>
          OPENS[grant]
        ).join(", nor ")}. The owner of the database opens them with
      <Statement text={opens(role)} />
      {!session && (
        <>
          or, better, for users who are signed in, with
          <Statement text={opens("authenticated")} />
          <button type="button" onClick={signIn}>Sign in</button>
        </>
      )}
    </div>
  );
}

function Statement({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => navigator.clipboard?.writeText(text).then(() => setCopied(true));
  return (
    <span class="statement">
      <code>{text}</code>
      <button type="button" class="quiet" onClick={copy}>{copied ? "Copied" : "Copy"}</button>
    </span>
  );
}
