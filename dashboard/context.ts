import type { Session } from "@supabase/supabase-js";
import { createContext } from "preact";
import { useContext, useEffect } from "preact/hooks";
import type { Project } from "./connection.ts";
import type { Zone } from "./format.ts";

/** What every view needs. */
export interface Context {
  project: Project;
  /** The role of the database that requests run as. */
  role: string;
  session: Session | null;
  zone: Zone;
  /** Changes when the colours do. */
  theme: Theme;
  signIn(): void;
}

export type Theme = "light" | "dark";

export const AppContext = createContext<Context | null>(null);

export function useApp(): Context {
  return useContext(AppContext)!;
}

/** How attention is called, from 0 on. */
export const LEVELS = ["good", "waiting", "warning", "critical"];

/** Where an asset is shown. */
export function assetLink(symbol: string, timeframe: string): string {
  return `#/asset/${encodeURIComponent(symbol)}/${encodeURIComponent(timeframe)}`;
}

/** Calls `onKey` for keys that are pressed outside of fields and without modifiers. It says whether it used the key. */
export function useKeys(onKey: (key: string) => boolean): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const isField = (event.target as HTMLElement).closest("input, select, textarea, dialog") !== null;
      if (isField || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (onKey(event.key)) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [onKey]);
}
