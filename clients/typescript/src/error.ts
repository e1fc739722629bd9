import type { AnyCode } from "./types.js";

/** What the server's failures look like, as far as they are as they should be. */
export interface Failure {
  error?: string;
  code?: string;
  errors?: string[];
  fields?: Record<string, string[]>;
  request_id?: string;
}

/** Why a call failed. It holds nothing of what was sent: no password, no token, no link. */
export class CloakroomError extends Error {
  override readonly name = "CloakroomError";
  readonly code: AnyCode;
  /** Full sentences, if the input was at fault. */
  readonly errors: string[];
  /** What is wrong with which field. */
  readonly fields: Record<string, string[]>;
  readonly requestId: string | undefined;

  constructor(
    /** Of HTTP; 0 if there was no reply. */
    readonly status: number,
    failure: Failure,
    /** Seconds after which it is worth trying again. */
    readonly retryAfter?: number,
  ) {
    super(failure.error ?? "Something went wrong");
    this.code = (failure.code ?? "unexpected_reply") as AnyCode;
    this.errors = failure.errors ?? [];
    this.fields = failure.fields ?? {};
    this.requestId = failure.request_id;
  }

  /** Whether it is one, also if it comes from another copy of this package. */
  static is(value: unknown): value is CloakroomError {
    return value instanceof Error && value.name === "CloakroomError" && "code" in value;
  }
}
