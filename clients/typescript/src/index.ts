export { createClient } from "./client.js";
export { CloakroomError } from "./error.js";
export { memoryStore, type Store, sessionStore, type Ticket } from "./store.js";
export type {
  AnyCode,
  ApiKey,
  AuthState,
  Client,
  ClientOptions,
  Code,
  Credentials,
  Input,
  Options,
  Output,
  Project,
  RequestOptions,
  Session,
  User,
  Why,
} from "./types.js";
