// Written by `npm run generate` from openapi.json, which `cloakroom openapi` prints.

export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the keys that verify access tokens */
        get: operations["listKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check that the server is ready */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/up": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check that the process is up */
        get: operations["up"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api_keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the user's API keys */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Create an API key
         * @description The key is shown once. It may do what its scopes name, and never manages the account.
         */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api_keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke an API key */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        /** Rename an API key */
        patch: operations["renameApiKey"];
        trace?: never;
    };
    "/v1/confirmations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Request a verification link by mail */
        post: operations["requestConfirmation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/confirmations/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Verify the address that the link was mailed to */
        put: operations["confirmAddress"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/introspect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Introspect a token (RFC 7662)
         * @description A user's key sees tokens of that user only, a service's key all.
         */
        post: operations["introspect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/passwords": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Request a password reset link by mail */
        post: operations["requestPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/passwords/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check a reset link */
        get: operations["showPasswordReset"];
        /**
         * Set a new password by a link
         * @description The link is valid once. All sessions of the user end.
         */
        put: operations["resetPassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Set a new password by a link
         * @description The link is valid once. All sessions of the user end.
         */
        patch: operations["patchPassword"];
        trace?: never;
    };
    "/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the user's projects */
        get: operations["listProjects"];
        put?: never;
        /** Create a project */
        post: operations["createProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/projects/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a project */
        get: operations["showProject"];
        /**
         * Change a project
         * @description Changes the fields in the body and leaves the others.
         */
        put: operations["replaceProject"];
        post?: never;
        /** Delete a project */
        delete: operations["deleteProject"];
        options?: never;
        head?: never;
        /**
         * Change a project
         * @description Changes the fields in the body and leaves the others.
         */
        patch: operations["updateProject"];
        trace?: never;
    };
    "/v1/registrations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign up
         * @description Also signs in, unless the address must be verified first.
         */
        post: operations["signUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the user and the session */
        get: operations["showSession"];
        put?: never;
        /**
         * Sign in
         * @description Always starts a new session; the session of the request's cookie ends.
         */
        post: operations["signIn"];
        /** Sign out */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/reauthenticate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Reauthenticate the session
         * @description For 15 minutes, sensitive changes on this session need no `password_challenge`. The session gets a new token, carried as the old one, which is revoked at once.
         */
        post: operations["reauthenticate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get a new token for the session
         * @description The old token is revoked at once. The new one is returned the way the old one was presented.
         */
        post: operations["rotateSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the user's sessions */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        /** End all sessions, or all others */
        delete: operations["endSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a session */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get an access token and a refresh token
         * @description By signing in, or for the session that the request presents. Where that is the cookie's, there is no refresh token: a script could read it.
         */
        post: operations["createTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew an access token
         * @description The refresh token is spent, and another takes its place. The same one again gives the same again within 10 seconds; later its session ends, for it may have been stolen.
         */
        post: operations["refreshTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tokens/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Revoke a token (RFC 7009) */
        post: operations["revokeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/unlocks/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Unlock sign-in to an address */
        put: operations["unlock"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the user */
        get: operations["showUser"];
        put?: never;
        post?: never;
        /** Delete the account and all its data */
        delete: operations["deleteAccount"];
        options?: never;
        head?: never;
        /** Update the user's name and profile */
        patch: operations["updateUser"];
        trace?: never;
    };
    "/v1/user/email_address": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Request a change of email address
         * @description A link goes to the new address, and nothing changes before it is used. One's own address withdraws what was asked for before.
         */
        put: operations["changeAddress"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change the password
         * @description All other sessions end.
         */
        put: operations["changePassword"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Verify the credential of a request
         * @description For nginx's `auth_request` and the forward auth of Caddy and Traefik, by whatever method. The answer is in `X-User-Id`, `X-User-Email`, `X-User-Email-Confirmed`, `X-Credential`, `X-Session-Id` and `X-Scopes`.
         */
        get: operations["verify"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Where a mail is to go. */
        AddressInput: {
            /** Format: email */
            email_address: string;
        };
        /** @description A credential for a program. */
        ApiKey: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            /** Format: int64 */
            id: number;
            /** @description What it ends with. */
            last_four: string;
            /**
             * Format: date-time
             * @description To the minute.
             */
            last_used_at: string | null;
            name: string;
            /** @description What the key begins with: `crk_`. */
            prefix: string;
            /** Format: date-time */
            revoked_at: string | null;
            scopes: string[];
        };
        /** @description What is to change about an API key. */
        ApiKeyChangesInput: {
            name: string;
        };
        /** @description A new API key. */
        ApiKeyInput: {
            /**
             * Format: date-time
             * @description Absent or `null`: never.
             */
            expires_at?: string | null;
            name: string;
            /** @description Words of the form `name:action`, or `introspect`. One text with a space between them is taken as well. */
            scopes: string[];
        };
        /** @description The user's API keys. */
        ApiKeyList: {
            /** @description The newest first, for a while also those that are revoked or expired. */
            api_keys: components["schemas"]["ApiKey"][];
        };
        /** @description A new address, and the password. */
        ChangeAddressInput: {
            /** Format: email */
            email_address: string;
            /**
             * Format: password
             * @description The password in force. Needed unless it was given on this session within the last 15 minutes.
             */
            password_challenge?: string;
        };
        /** @description A new password, and the one in force. */
        ChangePasswordInput: {
            /** Format: password */
            password: string;
            /**
             * Format: password
             * @description The password in force. Needed unless it was given on this session within the last 15 minutes.
             */
            password_challenge?: string;
            /**
             * Format: password
             * @description Not checked when absent.
             */
            password_confirmation?: string;
        };
        /** @description The password, before everything goes. */
        DeleteAccountInput: {
            /**
             * Format: password
             * @description The password in force. Needed unless it was given on this session within the last 15 minutes.
             */
            password_challenge?: string;
        };
        /** @description A failure, in the one shape that all have. */
        Failure: {
            /** @description Stable, for programs. */
            code: string;
            /** @description One sentence for people. */
            error: string;
            /** @description Whole sentences, when the input was at fault (422) or a link (401 `link_invalid`). */
            errors?: string[];
            /** @description What is wrong with which field, when the input was at fault (422). */
            fields?: {
                [key: string]: string[];
            };
            /** @description Names the request in the server's log. */
            request_id: string;
        };
        /** @description How the server is. */
        Health: {
            /** @description `up` or `ready`. */
            status: string;
        };
        /** @description What is known of a credential (RFC 7662). Of one that is not active, only that. */
        Introspection: {
            active: boolean;
            aud?: string;
            /** @description `session`, `api_key`, `access_token` or `refresh_token`. */
            credential?: string;
            /** @description Whether it was proved to be theirs; there with `username`. */
            email_verified?: boolean;
            /** Format: int64 */
            exp?: number;
            /**
             * Format: int64
             * @description Seconds since 1970, as all times here.
             */
            iat?: number;
            iss?: string;
            jti?: string;
            /** Format: int64 */
            nbf?: number;
            /** @description With a space between. */
            scope?: string;
            /** @description The session's id. */
            sid?: string;
            /** @description The user's id; absent for a service's key. */
            sub?: string;
            /** @description `Bearer`, for sessions and access tokens. */
            token_type?: string;
            /** @description The user's email address. */
            username?: string;
        };
        /** @description The keys that verify access tokens (RFC 7517). */
        KeySet: {
            /** @description The current one first, then those before it. */
            keys: components["schemas"]["VerifyingKey"][];
        };
        /** @description That something was done, for people. */
        Message: {
            message: string;
        };
        /** @description An API key that was made a moment ago. */
        NewApiKey: {
            api_key: components["schemas"]["ApiKey"];
            /** @description The key itself, shown this once. */
            key: string;
        };
        /** @description A password in the forgotten one's place. */
        NewPasswordInput: {
            /** Format: password */
            password: string;
            /**
             * Format: password
             * @description Not checked when absent.
             */
            password_confirmation?: string;
        };
        /** @description The password in force. */
        PasswordInput: {
            /** Format: password */
            password: string;
        };
        /** @description Something that a user owns. */
        Project: {
            /** Format: date-time */
            created_at: string;
            description: string | null;
            /** Format: int64 */
            id: number;
            title: string;
            /** Format: date-time */
            updated_at: string;
        };
        /** @description What is to change about a project; the rest stays. */
        ProjectChangesInput: {
            description?: string | null;
            title?: string;
        };
        /** @description A new project. */
        ProjectInput: {
            description?: string | null;
            title: string;
        };
        /** @description One page of one's projects. */
        ProjectList: {
            /** @description Asks for the next page; `null` on the last one. */
            next_cursor: string | null;
            /** @description The newest first. */
            projects: components["schemas"]["Project"][];
        };
        /** @description The token that renews an access token. */
        RefreshInput: {
            refresh_token: string;
        };
        /** @description A link that may still be used. */
        ResetLink: {
            /** @description Masked: `o…@example.com`. */
            email_address: string;
            /** Format: date-time */
            expires_at: string;
        };
        /** @description A signed-in device. */
        Session: {
            /** Format: date-time */
            created_at: string;
            /** @description Whether it is the one that the request came with. */
            current: boolean;
            /**
             * Format: date-time
             * @description When it ends at the latest, used or not.
             */
            expires_at: string;
            /** Format: int64 */
            id: number;
            /** @description The client's address at sign-in. */
            ip_address: string;
            /**
             * Format: date-time
             * @description To the minute.
             */
            last_active_at: string;
            /** @description What the client called itself at sign-in. */
            user_agent: string | null;
        };
        /** @description The user's live sessions. */
        SessionList: {
            /** @description The most recently used first. */
            sessions: components["schemas"]["Session"][];
        };
        /** @description How many sessions there were to end. */
        SessionsEnded: {
            message: string;
            /** Format: int64 */
            sessions_ended: number;
        };
        /** @description Who asks, and in which session. */
        Shown: {
            session: components["schemas"]["Session"] | null;
            user: components["schemas"]["User"];
        };
        /** @description One API key. */
        ShownApiKey: {
            api_key: components["schemas"]["ApiKey"];
        };
        /** @description One project. */
        ShownProject: {
            project: components["schemas"]["Project"];
        };
        /** @description One's own account. */
        ShownUser: {
            user: components["schemas"]["User"];
        };
        /** @description Address and password. */
        SignInInput: {
            /** Format: email */
            email_address: string;
            /** Format: password */
            password: string;
            /** @description Asks for the longer lifetime. */
            remember?: boolean;
            /**
             * @description How a new token is handed over: in the body, or in a cookie that no script can read.
             * @enum {string}
             */
            transport?: "bearer" | "cookie";
        };
        /** @description A new account. */
        SignUpInput: {
            /** Format: email */
            email_address: string;
            /** Format: password */
            password: string;
            /**
             * Format: password
             * @description Not checked when absent.
             */
            password_confirmation?: string;
            /**
             * @description How a new token is handed over: in the body, or in a cookie that no script can read.
             * @enum {string}
             */
            transport?: "bearer" | "cookie";
        };
        /** @description A session and its new token. */
        SignedIn: {
            /**
             * Format: date-time
             * @description The session's.
             */
            expires_at: string;
            session: components["schemas"]["Session"];
            /** @description Shown once; absent where the token went into the cookie. */
            token?: string;
            user: components["schemas"]["User"];
        };
        /** @description A new account and its first session, if it has one yet. */
        SignedUp: {
            /**
             * Format: date-time
             * @description Absent where the address has to be confirmed first.
             */
            expires_at?: string;
            /** @description Absent where the address has to be confirmed first. */
            session?: components["schemas"]["Session"];
            /** @description Absent with `"transport": "cookie"`, and where the address has to be confirmed first. */
            token?: string;
            user: components["schemas"]["User"];
        };
        /** @description A token, whatever its kind: a `token_type_hint` is not needed, and not looked at. */
        TokenInput: {
            token: string;
        };
        /** @description An access token, and the token that renews it. */
        Tokens: {
            /** @description A JWT (RFC 9068). */
            access_token: string;
            /**
             * Format: int64
             * @description Seconds until the access token expires.
             */
            expires_in: number;
            /**
             * Format: int64
             * @description Seconds until the refresh token expires if it is not used: its session ends then, or has been idle for too long.
             */
            refresh_expires_in?: number;
            /** @description Good once. Absent where the session came in the cookie, which asks for another access token instead. */
            refresh_token?: string;
            /** @description What the access token may do, with a space between. */
            scope: string;
            /** @description `Bearer`. */
            token_type: string;
        };
        /** @description Address and password, or neither where a session is presented. */
        TokensInput: {
            /** Format: email */
            email_address?: string;
            /** Format: password */
            password?: string;
            /** @description Asks for the longer lifetime. */
            remember?: boolean;
            /** @description The scopes that the access token is to have, with a space between; absent: all that there are. */
            scope?: string;
        };
        /** @description Someone with an account. */
        User: {
            /** Format: date-time */
            created_at: string;
            /** @description In lower case. */
            email_address: string;
            /** @description Whether the address was proved to be theirs. */
            email_confirmed: boolean;
            /** Format: int64 */
            id: number;
            /** @description What operators record about the user, at most 4 KiB. */
            metadata: {
                [key: string]: unknown;
            };
            /** @description The full name or a nickname: one line of at most 255 characters. */
            name: string | null;
            /** @description What the user states about themselves, at most 4 KiB. */
            profile: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            updated_at: string;
        };
        /** @description Changes to the user; absent fields stay as they are. */
        UserChangesInput: {
            /** @description One line of at most 255 characters; `null` or blank removes it. */
            name?: string | null;
            /** @description An object of at most 4 KiB; `null` empties it. */
            profile?: {
                [key: string]: unknown;
            } | null;
        };
        /** @description An Ed25519 public key (RFC 8037). */
        VerifyingKey: {
            alg: string;
            crv: string;
            kid: string;
            kty: string;
            use: string;
            x: string;
        };
    };
    responses: {
        /** @description `cross_origin`: a page of another origin sent the session's cookie. */
        CrossOrigin: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "cross_origin";
                };
            };
        };
        /** @description `cross_origin`: a page of another origin sent the session's cookie. `forbidden`: sign-up is closed, or a credential of this kind may not do this. */
        CrossOriginOrForbidden: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "cross_origin" | "forbidden";
                };
            };
        };
        /** @description `cross_origin`: a page of another origin sent the session's cookie. `forbidden`: sign-up is closed, or a credential of this kind may not do this. `email_unconfirmed`: the address must be confirmed first, by the link that was mailed to it. */
        CrossOriginOrForbiddenOrEmailUnconfirmed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "cross_origin" | "forbidden" | "email_unconfirmed";
                };
            };
        };
        /** @description `forbidden`: sign-up is closed, or a credential of this kind may not do this. `cross_origin`: a page of another origin sent the session's cookie. */
        ForbiddenOrCrossOrigin: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "forbidden" | "cross_origin";
                };
            };
        };
        /** @description `forbidden`: sign-up is closed, or a credential of this kind may not do this. `cross_origin`: a page of another origin sent the session's cookie. `insufficient_scope`: the credential lacks a scope: see `WWW-Authenticate`. */
        ForbiddenOrCrossOriginOrInsufficientScope: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "forbidden" | "cross_origin" | "insufficient_scope";
                };
            };
        };
        /** @description `internal_error`: a fault of the server: look for `request_id` in its log. */
        InternalError: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "internal_error";
                };
            };
        };
        /** @description `invalid_credentials`: address and password do not match. */
        InvalidCredentials: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_credentials";
                };
            };
        };
        /** @description `invalid_credentials`: address and password do not match. `token_invalid`: the token is malformed, unknown or revoked. `token_expired`: the token has expired. `invalid_api_key`: the API key is malformed, unknown, revoked or expired. */
        InvalidCredentialsOrTokenInvalidOrTokenExpiredOrInvalidApiKey: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_credentials" | "token_invalid" | "token_expired" | "invalid_api_key";
                };
            };
        };
        /** @description `invalid_request`: the body or query cannot be read, or there are two credentials. */
        InvalidRequest: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_request";
                };
            };
        };
        /** @description `invalid_request`: the body or query cannot be read, or there are two credentials. `invalid_grant`: the refresh token is unknown, expired or used up. */
        InvalidRequestOrInvalidGrant: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_request" | "invalid_grant";
                };
            };
        };
        /** @description `invalid_request`: the body or query cannot be read, or there are two credentials. `invalid_scope`: the scope is malformed, or more than the settings allow. */
        InvalidRequestOrInvalidScope: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_request" | "invalid_scope";
                };
            };
        };
        /** @description `link_invalid`: the link from a mail is forged, used or expired. */
        LinkInvalid: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "link_invalid";
                };
            };
        };
        /** @description `method_not_allowed`: the path has other methods: see `Allow`. */
        MethodNotAllowed: {
            headers: {
                Allow: components["headers"]["Allow"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "method_not_allowed";
                };
            };
        };
        /** @description `not_found`: it does not exist, or belongs to another user. */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "not_found";
                };
            };
        };
        /** @description The server cannot do its work; `code` is the reason: `database_busy`, `disk_full` and the like. */
        NotReady: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
        /** @description `payload_too_large`: the body is over 64 KiB. */
        PayloadTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "payload_too_large";
                };
            };
        };
        /** @description `rate_limited`: too many requests: see `Retry-After`. */
        RateLimited: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "rate_limited";
                };
            };
        };
        /** @description `request_timeout`: the body did not arrive in time. */
        RequestTimeout: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "request_timeout";
                };
            };
        };
        /** @description `unauthorized`: no credential. `token_invalid`: the token is malformed, unknown or revoked. `token_expired`: the token has expired. `invalid_api_key`: the API key is malformed, unknown, revoked or expired. */
        UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "unauthorized" | "token_invalid" | "token_expired" | "invalid_api_key";
                };
            };
        };
        /** @description `unavailable`: password hashing is saturated, the database is busy or the disk is full: see `Retry-After`. */
        Unavailable: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "unavailable";
                };
            };
        };
        /** @description `unsupported_media_type`: the body is neither JSON nor a form. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "unsupported_media_type";
                };
            };
        };
        /** @description `validation_failed`: the input cannot be used: see `fields`. */
        ValidationFailed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed";
                };
            };
        };
        /** @description `validation_failed`: the input cannot be used: see `fields`. `account_not_created`: the address is taken. */
        ValidationFailedOrAccountNotCreated: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "account_not_created";
                };
            };
        };
        /** @description `validation_failed`: the input cannot be used: see `fields`. `too_many_api_keys`: the user has the maximum number of API keys. */
        ValidationFailedOrTooManyApiKeys: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "too_many_api_keys";
                };
            };
        };
        /** @description `validation_failed`: the input cannot be used: see `fields`. `too_many_projects`: the user has the maximum number of projects. */
        ValidationFailedOrTooManyProjects: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "too_many_projects";
                };
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description The methods that the path has */
        Allow: string;
        /** @description How many seconds to wait before the next try */
        "Retry-After": number;
        /** @description What is wrong with the credential, as RFC 6750 has it */
        "WWW-Authenticate": string;
        /** @description Names the request in the server's log */
        "X-Request-Id": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/jwk-set+json": components["schemas"]["KeySet"];
                };
            };
            /** @description Unchanged since `If-None-Match` */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Database is writable */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            500: components["responses"]["InternalError"];
            503: components["responses"]["NotReady"];
        };
    };
    up: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Process is up */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listApiKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiKeyInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ApiKeyInput"];
            };
        };
        responses: {
            /** @description The new key */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrTooManyApiKeys"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Key is revoked */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            404: components["responses"]["NotFound"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    renameApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiKeyChangesInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ApiKeyChangesInput"];
            };
        };
        responses: {
            /** @description The renamed key */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownApiKey"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    requestConfirmation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddressInput"];
                "application/x-www-form-urlencoded": components["schemas"]["AddressInput"];
            };
        };
        responses: {
            /** @description The same for every well-formed address */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    confirmAddress: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from the link in a mail */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Address is verified */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["LinkInvalid"];
            403: components["responses"]["CrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    introspect: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenInput"];
                "application/x-www-form-urlencoded": components["schemas"]["TokenInput"];
            };
        };
        responses: {
            /** @description The state of the token */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Introspection"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    requestPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddressInput"];
                "application/x-www-form-urlencoded": components["schemas"]["AddressInput"];
            };
        };
        responses: {
            /** @description The same for every well-formed address */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    showPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from the link in a mail */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Link is valid */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResetLink"];
                };
            };
            401: components["responses"]["LinkInvalid"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    resetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from the link in a mail */
                token: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPasswordInput"];
                "application/x-www-form-urlencoded": components["schemas"]["NewPasswordInput"];
            };
        };
        responses: {
            /** @description Password is set */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["LinkInvalid"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    patchPassword: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from the link in a mail */
                token: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPasswordInput"];
                "application/x-www-form-urlencoded": components["schemas"]["NewPasswordInput"];
            };
        };
        responses: {
            /** @description Password is set */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["LinkInvalid"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listProjects: {
        parameters: {
            query?: {
                /** @description How many at most */
                limit?: number;
                /** @description The last page's `next_cursor` */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createProject: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ProjectInput"];
            };
        };
        responses: {
            /** @description The new project */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownProject"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrTooManyProjects"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    showProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownProject"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            404: components["responses"]["NotFound"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    replaceProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectChangesInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ProjectChangesInput"];
            };
        };
        responses: {
            /** @description The changed project */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownProject"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Project deleted */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            404: components["responses"]["NotFound"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    updateProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectChangesInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ProjectChangesInput"];
            };
        };
        responses: {
            /** @description The changed project */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownProject"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    signUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignUpInput"];
                "application/x-www-form-urlencoded": components["schemas"]["SignUpInput"];
            };
        };
        responses: {
            /** @description The account */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedUp"];
                };
            };
            /** @description The same for a free and a taken address, where sign-up hides accounts */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            403: components["responses"]["CrossOriginOrForbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrAccountNotCreated"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    showSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description User and session */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Shown"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInInput"];
                "application/x-www-form-urlencoded": components["schemas"]["SignInInput"];
            };
        };
        responses: {
            /** @description A new session */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["InvalidCredentials"];
            403: components["responses"]["CrossOriginOrForbiddenOrEmailUnconfirmed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Session ended, cookie cleared */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    reauthenticate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordInput"];
                "application/x-www-form-urlencoded": components["schemas"]["PasswordInput"];
            };
        };
        responses: {
            /** @description The session with its new token */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    rotateSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session with its new token */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedIn"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The active sessions */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    endSessions: {
        parameters: {
            query?: {
                /** @description Keeps the session of the request */
                except?: "current";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sessions ended */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionsEnded"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Session ended */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            404: components["responses"]["NotFound"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["TokensInput"];
                "application/x-www-form-urlencoded": components["schemas"]["TokensInput"];
            };
        };
        responses: {
            /** @description The tokens */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            400: components["responses"]["InvalidRequestOrInvalidScope"];
            401: components["responses"]["InvalidCredentialsOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["CrossOriginOrForbiddenOrEmailUnconfirmed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    refreshTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshInput"];
                "application/x-www-form-urlencoded": components["schemas"]["RefreshInput"];
            };
        };
        responses: {
            /** @description The tokens */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            400: components["responses"]["InvalidRequestOrInvalidGrant"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenInput"];
                "application/x-www-form-urlencoded": components["schemas"]["TokenInput"];
            };
        };
        responses: {
            /** @description Token is revoked or was never valid */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    unlock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from the link in a mail */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sign-in is unlocked for the network of the request */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["LinkInvalid"];
            403: components["responses"]["CrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    showUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownUser"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteAccount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["DeleteAccountInput"];
                "application/x-www-form-urlencoded": components["schemas"]["DeleteAccountInput"];
            };
        };
        responses: {
            /** @description Account deleted */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChangesInput"];
                "application/x-www-form-urlencoded": components["schemas"]["UserChangesInput"];
            };
        };
        responses: {
            /** @description The updated user */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownUser"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeAddress: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeAddressInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChangeAddressInput"];
            };
        };
        responses: {
            /** @description The same for a free and a taken address */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePasswordInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChangePasswordInput"];
            };
        };
        responses: {
            /** @description Password changed */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    verify: {
        parameters: {
            query?: {
                /** @description Scopes that the credential must have, with a space between */
                scope?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Credential is valid and has the required scopes */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Message"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
}
