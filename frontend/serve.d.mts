export interface FrontendServer {
  /** On `localhost`, so that an API there is same-site. */
  url: string;
  /** Sets the API's URL for pages that are loaded from now on. */
  setApi(url: string): void;
  stop(): Promise<void>;
}

export function start(options?: {
  port?: number;
  api?: string;
  /** Whether the page offers codes by mail. */
  mailCodes?: boolean;
  folder?: string;
}): Promise<FrontendServer>;
