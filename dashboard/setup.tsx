import { useState } from "preact/hooks";
import { useApp } from "./context.ts";
import { type Connection, connectionProblem, storeConnection } from "./connection.ts";
import { Dialog } from "./dialog.tsx";

/** Asks for the project. */
export function ConnectForm({ onConnect }: { onConnect(connection: Connection): void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const connection = { url: String(fields.get("url")).trim(), key: String(fields.get("key")).trim() };
    const problem = connectionProblem(connection);
    setProblem(problem);
    if (problem !== null) return;
    storeConnection(connection);
    onConnect(connection);
  };
  return (
    <main class="setup">
      <h1>pgbars</h1>
      <p>Which project? The browser keeps both. A file config.json beside this page can name them for everyone.</p>
      <form onSubmit={submit}>
        <label>
          URL of the project <input name="url" type="url" required placeholder="https://abc.supabase.co" />
        </label>
        <label>
          Publishable key{" "}
          <input name="key" required autocomplete="off" spellcheck={false} placeholder="sb_publishable_..." />
        </label>
        {problem && <p class="problem" role="alert">{problem}</p>}
        <button type="submit">Connect</button>
      </form>
    </main>
  );
}

/** Signs a user in. */
export function SignInForm({ onClose }: { onClose(): void }) {
  const { project } = useApp();
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.target as HTMLFormElement);
    const { error } = await project.auth.signInWithPassword({
      email: String(fields.get("email")),
      password: String(fields.get("password")),
    });
    if (error) setProblem(error.message);
    else onClose();
  };
  return (
    <Dialog title="Sign in" onClose={onClose}>
      <form onSubmit={submit}>
        <label>
          E-mail <input name="email" type="email" required autocomplete="username" />
        </label>
        <label>
          Password <input name="password" type="password" required autocomplete="current-password" />
        </label>
        {problem && <p class="problem" role="alert">{problem}</p>}
        <button type="submit">Sign in</button>
      </form>
    </Dialog>
  );
}
