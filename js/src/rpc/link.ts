// A way for messages to go and come: over a port, which memory can be handed over by.

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
