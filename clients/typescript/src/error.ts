import type { Code } from "./operations.js";

/** Every code of a `CloakroomError`: those of the server and those of the client itself. */
export type AnyCode =
  | Code
  /** No response: the server is unreachable or the connection broke. */
  | "network_error"
  /** The response is not Cloakroom's, for example a proxy's error page. */
  | "unexpected_reply"
  /** The `store` given to the client threw. */
  | "store_failed";

/** The body of the server's error responses. Every field is optional because a proxy may have sent it. */
export interface ErrorBody {
  error?: string;
  code?: string;
  errors?: string[];
  fields?: Record<string, string[]>;
  request_id?: string;
}

/** Why a call failed. Holds nothing that was sent: no password, token or link. */
export class CloakroomError extends Error {
  override readonly name = "CloakroomError";
  readonly code: AnyCode;
  /** Validation errors as full sentences. */
  readonly errors: string[];
  /** Validation messages by field. */
  readonly fields: Record<string, string[]>;
  readonly requestId: string | undefined;

  constructor(
    /** HTTP status; 0 without a response. */
    readonly status: number,
    body: ErrorBody,
    /** Seconds to wait before the next attempt. */
    readonly retryAfter?: number,
  ) {
    super(body.error ?? "Something went wrong");
    this.code = (body.code ?? "unexpected_reply") as AnyCode;
    this.errors = body.errors ?? [];
    this.fields = body.fields ?? {};
    this.requestId = body.request_id;
  }

  /** Type guard. Unlike `instanceof` it accepts errors of another copy of this package. */
  static is(value: unknown): value is CloakroomError {
    return value instanceof Error && value.name === "CloakroomError" && "code" in value;
  }
}
