export { createClient } from "./client.js";
export { type AnyCode, CloakroomError } from "./error.js";
export type { Code, Input, Output } from "./operations.js";
export { memoryStore, type StoredTokens, sessionStore, type TokenStore } from "./store.js";
export type {
  ApiKey,
  AuthState,
  CallOptions,
  Client,
  ClientOptions,
  CredentialMode,
  Project,
  RequestOptions,
  SecondFactor,
  SecondFactorInput,
  SecondFactorRequired,
  Session,
  SignedIn,
  SignInInput,
  SignOutReason,
  User,
} from "./types.js";
