// A way for messages to go and come: over a port, whose memory can be handed over, or over a channel between tabs.

/** One end of it. What is sent arrives in order, or the other end is gone. */
export interface Link {
  /** Sends; the memory of `handed` may be gone from here afterwards. */
  post(message: unknown, handed?: ArrayBuffer[]): void;
  /** From here on, what arrives. To be called once. */
  listen(take: (message: unknown) => void): void;
  close(): void;
}

/** A link over one port of a `MessageChannel`. */
export function portLink(port: MessagePort): Link {
  return {
    post: (message, handed = []) => port.postMessage(message, handed),
    listen(take) {
      port.onmessage = ({ data }) => take(data);
    },
    close: () => port.close(),
  };
}

/** A link over a channel whose name only two know. It copies everything. */
export function channelLink(name: string): Link {
  const channel = new BroadcastChannel(name);
  return {
    post: (message) => channel.postMessage(message),
    listen(take) {
      channel.onmessage = ({ data }) => take(data);
    },
    close: () => channel.close(),
  };
}
