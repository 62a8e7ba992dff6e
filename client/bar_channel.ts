import type { RealtimeChannel, SupabaseClient } from "@supabase/supabase-js";

/** The part of a supabase-js client that receives broadcasts. Without it, bars are polled. */
export type Realtime = Pick<SupabaseClient, "channel" | "removeChannel" | "realtime">;

/** What listens to a topic. */
export interface Listener {
  /** Takes the payload of a message. */
  receive(payload: unknown): void;
  /** Takes whether messages come; first when it is known. */
  become(isLive: boolean): void;
  fail(error: unknown): void;
}

interface Topic {
  listeners: Set<Listener>;
  channel?: RealtimeChannel | undefined;
  isLive?: boolean | undefined;
  /** Joins and leaves, one after the other: a topic can only be joined when it has been left. */
  work: Promise<void>;
}

const topics = new WeakMap<object, Map<string, Topic>>();

/**
 * Listens to a private topic until the result is called, which resolves when it has been left. A supabase-js client has one
 * channel a topic, so that all listeners of a client share it.
 */
export function listen(realtime: Realtime, name: string, listener: Listener): () => Promise<void> {
  const own = topics.get(realtime) ?? new Map<string, Topic>();
  topics.set(realtime, own);
  const topic: Topic = own.get(name) ?? { listeners: new Set(), work: Promise.resolve() };
  own.set(name, topic);

  const settle = () =>
    topic.work = topic.work.then(async () => {
      if (topic.listeners.size > 0 && topic.channel === undefined) await join(realtime, name, topic);
      else if (topic.listeners.size === 0 && topic.channel !== undefined) {
        const { channel } = topic;
        topic.channel = topic.isLive = undefined;
        // supabase-js 2.58 fails where it has never connected.
        await realtime.removeChannel(channel).catch(() => {});
      }
    }).catch((error) => topic.listeners.forEach(({ fail }) => fail(error)));

  topic.listeners.add(listener);
  if (topic.isLive !== undefined) listener.become(topic.isLive);
  void settle();
  return () => {
    topic.listeners.delete(listener);
    return settle();
  };
}

async function join(realtime: Realtime, name: string, topic: Topic): Promise<void> {
  // A private topic asks who joins.
  await realtime.realtime?.setAuth();
  if (topic.listeners.size === 0) return;
  const channel = topic.channel = realtime.channel(name, { config: { private: true } });
  channel.on("broadcast", { event: "bars" }, ({ payload }) => topic.listeners.forEach((one) => one.receive(payload)));
  channel.subscribe((status) => {
    if (topic.channel !== channel) return;
    topic.isLive = status === "SUBSCRIBED";
    for (const one of topic.listeners) one.become(topic.isLive);
  });
}
