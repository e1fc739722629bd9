export interface Served {
  /** Where it answers; `localhost`, so that an API there is of the same site. */
  url: string;
  /** Tells pages that are loaded from now on where the API is. */
  setApi(url: string): void;
  stop(): Promise<void>;
}

export function start(options?: { port?: number; api?: string; folder?: string }): Promise<Served>;
