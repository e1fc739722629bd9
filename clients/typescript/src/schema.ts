// Written by `npm run generate` from openapi.json, which `cloakroom openapi` prints.

export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the keys that verify access tokens (RFC 7517) */
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
        /** List API keys */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Create an API key
         * @description The key is shown once. It may do what its scopes name and cannot manage the account. A changed or reset password revokes it.
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
        /** Verify an email address */
        put: operations["confirmAddress"];
        /** Request a verification email */
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
        /**
         * Verify an email address
         * @description Proxies log paths: prefer `PUT /v1/confirmations`.
         */
        put: operations["confirmAddressByPath"];
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
         * @description The key of a user sees that user's tokens, the key of a service all.
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
        /**
         * Reset the password
         * @description The link is valid once. Ends all sessions of the user.
         */
        put: operations["resetPassword"];
        /** Request a password reset email */
        post: operations["requestPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Reset the password
         * @description Like `PUT`.
         */
        patch: operations["patchPassword"];
        trace?: never;
    };
    "/v1/passwords/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check a password reset link
         * @description Changes nothing.
         */
        post: operations["checkPasswordReset"];
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
        /**
         * Check a password reset link
         * @description Proxies log paths: prefer `POST /v1/passwords/check`.
         */
        get: operations["checkPasswordResetByPath"];
        /**
         * Reset the password
         * @description Proxies log paths: prefer `PUT /v1/passwords`.
         */
        put: operations["resetPasswordByPath"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Reset the password
         * @description Like `PUT`.
         */
        patch: operations["patchPasswordByPath"];
        trace?: never;
    };
    "/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List projects */
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
        /** Get a project */
        get: operations["showProject"];
        /**
         * Update a project
         * @description Like `PATCH`: absent fields keep their values.
         */
        put: operations["replaceProject"];
        post?: never;
        /** Delete a project */
        delete: operations["deleteProject"];
        options?: never;
        head?: never;
        /** Update a project */
        patch: operations["updateProject"];
        trace?: never;
    };
    "/v1/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the providers by which users sign in */
        get: operations["listProviders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
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
         * Create an account
         * @description Also signs in, unless the email address must be verified first.
         */
        post: operations["signUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/registrations/passkey/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start to create an account with a passkey
         * @description Returns the options for `navigator.credentials.create`, the same for a taken address. `POST /v1/registrations` takes what the browser returns as `passkey`, for the same address within five minutes.
         */
        post: operations["startPasskeySignUp"];
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
        /** Get the current user and session */
        get: operations["showSession"];
        put?: never;
        /**
         * Sign in
         * @description Takes `email_address` and `password`; or, where `sign_in.mail_code` is true, `request_token` and `code`, or `link_token`, by which only the browser or the app that asked is signed in. Always starts a new session and ends the session of the request's cookie. For a user with a second factor the reply is 401 `second_factor_required`, and `POST /v1/session/second_factor` starts the session.
         */
        post: operations["signIn"];
        /** Sign out */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/code": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Request a code to sign in by mail
         * @description If an account has the address, mails it a code and a link, which `POST /v1/session` takes for ten minutes. A browser of the application also gets a cookie, by which the link signs it in.
         */
        post: operations["requestMailCode"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/code/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open the link of a mailed code
         * @description Returns the code of the mail. Signs in no one and changes nothing.
         */
        post: operations["checkMailLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/exchange": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a sign-in by another provider for a session
         * @description A code works once, within 60 seconds, in the browser or app that started the sign-in. The first sign-in by an identity creates an account, unless its address has one; that one is mailed a link, which `POST /v1/session/identity_link` takes.
         */
        post: operations["exchangeProviderSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/identity/{provider}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start a sign-in by another provider
         * @description Send the browser to `authorization_url` within ten minutes. A page of the application's own sends the request with credentials: the reply sets a cookie that binds the sign-in to the browser. An app, or a page of another site, sends `code_challenge` instead, and its verifier with the exchange code.
         */
        post: operations["startProviderSignIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/identity/{provider}/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Take the browser back from another provider
         * @description Providers redirect to it. It redirects to the page of `redirect_to`, with `exchange_code` or `error` in the fragment.
         */
        get: operations["finishProviderSignIn"];
        put?: never;
        /**
         * Take the browser back from a provider that answers in a form
         * @description Apple posts to it from a page of its own. It redirects as `GET` does. Providers that answer in the address have no such callback.
         */
        post: operations["receiveProviderForm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/identity_link": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Link an account at another provider by a mailed link, and sign in
         * @description After 409 `account_exists` of the exchange. A link works once, within 15 minutes, in the browser or app that started the sign-in.
         */
        post: operations["finishIdentityLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/identity_link/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Open the mailed link that links an account at another provider
         * @description Shows what the link links. Signs in no one and changes nothing.
         */
        post: operations["checkIdentityLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/passkey": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a passkey
         * @description Always starts a new session and ends the session of the request's cookie. A passkey is two factors, so no second one is due.
         */
        post: operations["signInWithPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/passkey/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start to use a passkey
         * @description Returns the options for `navigator.credentials.get`, also with conditional mediation. What the browser returns is used once within five minutes: to sign in, as a second factor, or to reauthenticate.
         */
        post: operations["startPasskeySignIn"];
        delete?: never;
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
         * Reauthenticate
         * @description For 15 minutes, sensitive changes on this session need no `password_challenge`. Revokes the session's token and returns a new one, by the same transport. Also revokes the session's refresh tokens; access tokens stay valid until they expire.
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
         * Rotate the session token
         * @description Revokes the old token and returns a new one, by the same transport. Also revokes the session's refresh tokens and ends its reauthentication; access tokens stay valid until they expire.
         */
        post: operations["rotateSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/session/second_factor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finish a sign-in with a second factor
         * @description Takes the `pending_token` of a 401 `second_factor_required` and one of `totp_code`, `recovery_code` and `passkey`. A pending sign-in is valid for ten minutes and five tries.
         */
        post: operations["presentSecondFactor"];
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
        /** List sessions */
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
         * Create an access token and a refresh token
         * @description For email address and password, or for the session of the request. With the session cookie there is no refresh token, because scripts could read it. A user with a second factor signs in first, with both, and sends the session.
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
         * Refresh an access token
         * @description Exchanges the refresh token for a new pair. Within 10 seconds the same one returns the same pair again; later its session ends, because the token may have been stolen.
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
    "/v1/unlocks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Unlock sign-in to an email address */
        put: operations["unlock"];
        post?: never;
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
        /**
         * Unlock sign-in to an email address
         * @description Proxies log paths: prefer `PUT /v1/unlocks`.
         */
        put: operations["unlockByPath"];
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
        /** Get the user */
        get: operations["showUser"];
        put?: never;
        post?: never;
        /** Delete the account */
        delete: operations["deleteAccount"];
        options?: never;
        head?: never;
        /** Update the user */
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
         * @description Mails a link to the new address; nothing changes before it is used. The user's own address withdraws an earlier request. Revokes the session's token and returns a new one, by the same transport.
         */
        put: operations["changeAddress"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List events of the account
         * @description Sign-ins, failed ones too, and changes of the account and its credentials, the newest first.
         */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/factors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List second factors */
        get: operations["listSecondFactors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/identities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the linked accounts at other providers */
        get: operations["listIdentities"];
        put?: never;
        /** Link an account at another provider */
        post: operations["linkIdentity"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/identities/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start to link an account at another provider
         * @description As `POST /v1/session/identity/{provider}`; `POST /v1/user/identities` finishes it. The user's own address must be verified.
         */
        post: operations["startLinking"];
        /**
         * Unlink an account at another provider
         * @description Ends all other sessions of the user.
         */
        delete: operations["unlinkIdentity"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/passkeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List passkeys */
        get: operations["listPasskeys"];
        put?: never;
        /**
         * Add a passkey
         * @description For a user with a second factor the session must have used it: at sign-in, or by `POST /v1/session/reauthenticate`.
         */
        post: operations["addPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/passkeys/options": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start to add a passkey
         * @description Returns the options for `navigator.credentials.create`. `POST /v1/user/passkeys` takes what the browser returns, on the same session within five minutes.
         */
        post: operations["startPasskey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/passkeys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove a passkey
         * @description Sessions that it started stay: `DELETE /v1/sessions` ends them. The last way to sign in cannot be removed. For a user with a second factor the session must have used it.
         */
        delete: operations["removePasskey"];
        options?: never;
        head?: never;
        /** Rename a passkey */
        patch: operations["renamePasskey"];
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
         * @description Ends all other sessions and revokes the API keys, unless `keep_api_keys` is true. Revokes the session's token and returns a new one, by the same transport.
         */
        put: operations["changePassword"];
        post?: never;
        /**
         * Remove the password
         * @description Only for a user with a passkey. Ends all other sessions and revokes the API keys, unless `keep_api_keys` is true. Revokes the session's token and returns a new one, by the same transport. For a user with a second factor the session must have used it.
         */
        delete: operations["removePassword"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/recovery_codes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace the recovery codes
         * @description The new codes are shown once. The old ones no longer work. The session must have used a second factor: at sign-in, or by `POST /v1/session/reauthenticate`.
         */
        post: operations["replaceRecoveryCodes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/user/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Finish to set up an authenticator app
         * @description From then on each sign-in needs a second factor. The recovery codes are shown once.
         */
        put: operations["enrolTotp"];
        /**
         * Start to set up an authenticator app
         * @description The secret is shown once, as text, as URL and as QR code. `PUT /v1/user/totp` with a code of the app within an hour makes it a second factor.
         */
        post: operations["startTotp"];
        /**
         * Remove the authenticator app
         * @description Also removes the recovery codes. Sign-in then needs the password alone. The session must have used a second factor: at sign-in, or by `POST /v1/session/reauthenticate`.
         */
        delete: operations["removeTotp"];
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
         * @description For nginx's `auth_request` and the forward auth of Caddy and Traefik; accepts every method. The result is in `X-User-Id`, `X-User-Email`, `X-User-Email-Confirmed`, `X-User-Claims`, `X-Credential`, `X-Session-Id` and `X-Scopes`. Without the scope `user:read` address and claims are empty. The claims of `tokens.claims` are a JSON object in base64url without padding; empty where there are none.
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
        /** @description An event of the account. */
        AccountEvent: {
            /** @description Who acted: `user`, `api_key`, `operator` or `system`; `null` for a client without a credential. */
            actor: string | null;
            /** Format: int64 */
            api_key_id: number | null;
            /**
             * Format: date-time
             * @description When it happened.
             */
            at: string;
            /** @description Further fields of the event, such as the `methods` of a sign-in. */
            details: Record<string, never>;
            /** @description What happened, such as `signed_in`. Clients should expect further kinds. */
            event: string;
            /** Format: int64 */
            id: number;
            /** @description Of the client; `null` for operators, and if there was none. */
            ip_address: string | null;
            /** @description `success` or `refused`. */
            outcome: string;
            /**
             * Format: int64
             * @description How many refusals alike this event stands for; else 1.
             */
            repeats: number;
            /** @description Of the request, as in `X-Request-Id`. */
            request_id: string | null;
            /** Format: int64 */
            session_id: number | null;
            /** @description As `ip_address`. */
            user_agent: string | null;
        };
        /** @description The address that the mail goes to. */
        AddressInput: {
            /** Format: email */
            email_address: string;
        };
        /** @description A key as its owner and operators see it, without the secret. */
        ApiKey: {
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            /** Format: int64 */
            id: number;
            /** @description What the key ends with. */
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
        /** @description Changes to an API key. */
        ApiKeyChangesInput: {
            name: string;
        };
        /** @description A new API key. */
        ApiKeyInput: {
            /** @description A time within ten years, or `never`. Absent or `null`: in a year. */
            expires_at?: string | null;
            name: string;
            /**
             * Format: password
             * @description The current password. Needed unless it was given on this session within the last 15 minutes.
             */
            password_challenge?: string;
            /** @description Of the scopes in `tokens.scopes`, and `introspect`; also one text with spaces between them. */
            scopes: string[];
        };
        /** @description The user's API keys. */
        ApiKeyList: {
            /** @description The newest first; revoked and expired ones stay in the list for a while. */
            api_keys: components["schemas"]["ApiKey"][];
        };
        /** @description The reply to `navigator.credentials.get`, as `PublicKeyCredential.toJSON()` returns it. */
        AuthenticationResponse: {
            /** @description The credential's id in base64url, as all bytes here. */
            id: string;
            /** @description The same. */
            rawId: string;
            response: {
                authenticatorData: string;
                clientDataJSON: string;
                signature: string;
                /** @description The handle of the user that the passkey was made for. */
                userHandle?: string;
            };
            /** @description `public-key`. */
            type: string;
        };
        /** @description A body with the challenge alone. */
        ChallengeInput: {
            /**
             * Format: password
             * @description The current password. Needed unless the session was reauthenticated within the last 15 minutes.
             */
            password_challenge?: string;
        };
        /** @description A new address, and the current password. */
        ChangeAddressInput: {
            /** Format: email */
            email_address: string;
            /**
             * Format: password
             * @description The current password. Needed unless it was given on this session within the last 15 minutes.
             */
            password_challenge?: string;
        };
        /** @description A new password, and the current one. */
        ChangePasswordInput: {
            /** @description Whether the user's API keys stay valid; they are revoked by default. */
            keep_api_keys?: boolean;
            /** Format: password */
            password: string;
            /**
             * Format: password
             * @description The current password. Needed unless it was given on this session within the last 15 minutes.
             */
            password_challenge?: string;
            /**
             * Format: password
             * @description Not checked when absent.
             */
            password_confirmation?: string;
        };
        /** @description Options for `navigator.credentials.create`. */
        CreationOptions: {
            attestation: string;
            authenticatorSelection: {
                requireResidentKey: boolean;
                residentKey: string;
                userVerification: string;
            };
            /** @description In base64url, as all bytes here. It is valid for five minutes and one passkey. */
            challenge: string;
            /** @description The passkeys that the user has. */
            excludeCredentials: {
                id: string;
                transports: string[];
                type: string;
            }[];
            /** @description EdDSA, ES256 and RS256, by the numbers of COSE. */
            pubKeyCredParams: {
                /** Format: int32 */
                alg: number;
                type: string;
            }[];
            rp: {
                /** @description The domain that the passkey is for. */
                id: string;
                name: string;
            };
            /**
             * Format: int64
             * @description Milliseconds.
             */
            timeout: number;
            user: {
                displayName: string;
                /** @description What authenticators know the user by: 32 random bytes. */
                id: string;
                /** @description The email address. */
                name: string;
            };
        };
        /** @description A change of credentials, and the session with its new token. */
        CredentialsChanged: components["schemas"]["SignedIn"] & {
            /** @description Confirms the change in one sentence. */
            message: string;
        };
        /** @description One page of the account's events. */
        EventList: {
            /** @description The newest first. */
            events: components["schemas"]["AccountEvent"][];
            /** @description The `cursor` of the next page; `null` on the last one. */
            next_cursor: string | null;
        };
        /** @description A code to be exchanged. */
        ExchangeInput: {
            /** @description Of the `code_challenge` that started the sign-in, if one did. */
            code_verifier?: string;
            /** @description From the fragment of the page. */
            exchange_code: string;
            /** @description Requests the longer lifetime. */
            remember?: boolean;
            /**
             * @description Where the reply carries a new token.
             * @enum {string}
             */
            transport?: "bearer" | "cookie";
        };
        /** @description A second factor. */
        Factor: {
            /** Format: date-time */
            created_at: string;
            /** @enum {string} */
            kind: "totp" | "passkey";
            /** @description Of a passkey. */
            name?: string;
        };
        /** @description The second factors of the user. */
        FactorList: {
            factors: components["schemas"]["Factor"][];
            /** @description Whether the user can sign in by a password. */
            has_password: boolean;
            /**
             * Format: int64
             * @description Recovery codes that were not used yet.
             */
            recovery_codes_left: number;
        };
        /** @description The body of every error response. */
        Failure: {
            /** @description Stable, for programs. */
            code: string;
            /** @description One sentence for people. */
            error: string;
            /** @description Full sentences, for invalid input (422) and links (401 `link_invalid`). */
            errors?: string[];
            /** @description The faults of each field, for invalid input (422). */
            fields?: {
                [key: string]: string[];
            };
            /** @description Identifies the request in the server's log. */
            request_id: string;
        };
        /** @description The state of the server. */
        Health: {
            /** @description `up` or `ready`. */
            status: string;
        };
        /** @description A mailed link to be used. */
        IdentityLinkInput: {
            /** @description Of the `code_challenge` that started the sign-in, if one did. */
            code_verifier?: string;
            /** @description The token from the mailed link. */
            token: string;
            /**
             * @description Where the reply carries a new token.
             * @enum {string}
             */
            transport?: "bearer" | "cookie";
        };
        /** @description The identities of the user. */
        IdentityList: {
            /** @description The oldest first. */
            identities: components["schemas"]["LinkedIdentity"][];
        };
        /** @description What is known of a credential (RFC 7662, 2.2); of one that is not active, only that. */
        Introspection: {
            /** @description `aal2` where two factors were used. */
            acr?: string;
            active: boolean;
            /** @description How the user authenticated (RFC 8176); absent for API keys. */
            amr?: string[];
            aud?: string;
            /**
             * Format: int64
             * @description When the user last authenticated.
             */
            auth_time?: number;
            /** @description The claims of the user now, by `tokens.claims`; an access token may hold earlier ones. Absent where there are none. */
            claims?: {
                [key: string]: unknown;
            };
            /** @description `session`, `api_key`, `access_token` or `refresh_token`. */
            credential?: string;
            /** @description Whether that address is verified. */
            email_verified?: boolean;
            /** Format: int64 */
            exp?: number;
            /**
             * Format: int64
             * @description Seconds since 1970, like all times here.
             */
            iat?: number;
            iss?: string;
            jti?: string;
            /** @description What operators record about the user; absent for a service's key. */
            metadata?: {
                [key: string]: unknown;
            };
            /** Format: int64 */
            nbf?: number;
            /** @description With spaces between. */
            scope?: string;
            /** @description The session: its id, a dot and a random value, as in its access tokens. */
            sid?: string;
            /** @description The user's id; absent for a service's key. */
            sub?: string;
            /** @description `Bearer`, for sessions and access tokens. */
            token_type?: string;
            /**
             * @description The user's email address, once it is verified. A user's key needs the scope `user:read` to see it and the members
             *     below that describe the user.
             */
            username?: string;
        };
        /** @description The keys that verify access tokens (RFC 7517, 5). */
        KeySet: {
            /** @description The current one first, then the previous ones. */
            keys: components["schemas"]["VerifyingKey"][];
        };
        /** @description A body that consists of the token of a mailed link. */
        LinkInput: {
            /** @description The token from the mailed link. */
            token: string;
        };
        /** @description The code of an identity to be linked. */
        LinkedCodeInput: {
            /** @description Of the `code_challenge` that started it, if one did. */
            code_verifier?: string;
            /** @description From the fragment of the page. */
            exchange_code: string;
        };
        /** @description An identity that is linked to a user, as the user sees it. */
        LinkedIdentity: {
            /**
             * Format: date-time
             * @description When it was linked.
             */
            created_at: string;
            /** @description The address that the provider stated last. */
            email: string | null;
            /**
             * Format: int64
             * @description The id.
             */
            id: number;
            /**
             * Format: date-time
             * @description When it last signed the user in.
             */
            last_used_at: string;
            /** @description The id of the provider, as `GET /v1/providers` lists it. */
            provider: string;
        };
        /** @description An identity to be linked. */
        LinkingInput: {
            /** @description For apps, in place of the cookie: the SHA-256 of a random `code_verifier` in base64url (RFC 7636). */
            code_challenge?: string;
            /**
             * Format: password
             * @description The current password. Needed unless the session was reauthenticated within the last 15 minutes.
             */
            password_challenge?: string;
            /** @description The page that it returns to, one of `identities.redirects`; the first of these by default. */
            redirect_to?: string;
        };
        /** @description The address that the mail goes to. */
        MailCodeInput: {
            /** Format: email */
            email_address: string;
            /** @description Requests the longer lifetime of the session. */
            remember?: boolean;
        };
        /** @description A request for a mailed code. */
        MailCodeRequest: {
            /**
             * Format: date-time
             * @description When code and link expire.
             */
            expires_at: string;
            /** @description Belongs to the code that is mailed. It is no credential. */
            request_token: string;
        };
        /** @description Confirms a change in one sentence. */
        Message: {
            message: string;
        };
        /** @description A new API key and its secret. */
        NewApiKey: {
            api_key: components["schemas"]["ApiKey"];
            /** @description The key itself, shown only in this reply. */
            key: string;
        };
        /** @description A new password. */
        NewPasswordInput: {
            /** Format: password */
            password: string;
            /**
             * Format: password
             * @description Not checked when absent.
             */
            password_confirmation?: string;
        };
        /** @description A mailed link that is valid, and what it links. */
        OpenedIdentityLink: {
            /**
             * Format: date-time
             * @description When the account here was created.
             */
            account_created_at: string;
            /** @description The address of the account here. */
            email_address: string;
            /**
             * Format: date-time
             * @description When the link expires.
             */
            expires_at: string;
            identity: components["schemas"]["StatedIdentity"];
            provider: components["schemas"]["Provider"];
            /** @description Whether this browser signed in at the provider: `POST /v1/session/identity_link` takes the link from it. */
            signs_in: boolean;
        };
        /** @description A mailed link that is valid. */
        OpenedLink: {
            /** @description The eight digits of the mail, to be typed in where the mail was asked for. */
            code: string;
            /**
             * Format: date-time
             * @description When code and link expire.
             */
            expires_at: string;
            /** @description Whether this browser asked: `POST /v1/session` signs it in by the link. */
            signs_in: boolean;
        };
        /** @description A passkey as its user sees it. */
        Passkey: {
            /** @description Whether it was synced when it was last used, so that the loss of one device does not lose it. */
            backed_up: boolean;
            /** Format: date-time */
            created_at: string;
            /** @description What its authenticator calls it, in base64url. */
            credential_id: string;
            /** Format: int64 */
            id: number;
            /** Format: date-time */
            last_used_at: string | null;
            name: string;
        };
        /** @description Changes to a passkey. */
        PasskeyChangesInput: {
            name: string;
            /**
             * Format: password
             * @description The current password. Needed unless the session was reauthenticated within the last 15 minutes.
             */
            password_challenge?: string;
        };
        /** @description A new passkey. */
        PasskeyInput: {
            /** @description What the browser returned for the options of `POST /v1/user/passkeys/options`. */
            credential: components["schemas"]["RegistrationResponse"];
            /** @description "Passkey" when absent or blank. */
            name?: string;
            /**
             * Format: password
             * @description The current password. Needed unless the session was reauthenticated within the last 15 minutes.
             */
            password_challenge?: string;
        };
        /**
         * @description The user's passkeys, and what a page tells the browser's password manager about them
         *     (`PublicKeyCredential.signalAllAcceptedCredentials`).
         */
        PasskeyList: {
            /** @description Whether the user has a password as well. */
            has_password: boolean;
            /** @description The newest first. */
            passkeys: components["schemas"]["Passkey"][];
            /** @description The domain that they are for. */
            rp_id: string;
            /** @description What authenticators know the user by, in base64url; `null` before the first passkey. */
            user_handle: string | null;
        };
        /** @description A passkey. */
        PasskeySignInInput: {
            /** @description What the browser returned for the options. */
            credential: components["schemas"]["AuthenticationResponse"];
            /** @description Requests the longer lifetime. */
            remember?: boolean;
            /**
             * @description Where the reply carries a new token.
             * @enum {string}
             */
            transport?: "bearer" | "cookie";
        };
        /** @description A project. */
        Project: {
            /**
             * Format: date-time
             * @description When it was created.
             */
            created_at: string;
            /** @description Free text. */
            description: string | null;
            /**
             * Format: int64
             * @description The id.
             */
            id: number;
            /** @description One line of at most 255 characters. */
            title: string;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
        };
        /** @description Changes to a project; absent fields keep their values. */
        ProjectChangesInput: {
            description?: string | null;
            title?: string;
        };
        /** @description A new project. */
        ProjectInput: {
            description?: string | null;
            title: string;
        };
        /** @description One page of the user's projects. */
        ProjectList: {
            /** @description The `cursor` of the next page; `null` on the last one. */
            next_cursor: string | null;
            /** @description The newest first. */
            projects: components["schemas"]["Project"][];
        };
        /** @description One of the proofs. */
        ProofInput: {
            /** @description Eight digits from a mail, for a user without a password and a second factor, where `sign_in.mail_code` is true. */
            mail_code?: string;
            /** @description What a passkey of the user returned for the options of `POST /v1/session/passkey/options`. */
            passkey?: components["schemas"]["AuthenticationResponse"];
            /**
             * Format: password
             * @description The current password.
             */
            password?: string;
            /** @description A recovery code; it works once. */
            recovery_code?: string;
            /** @description From the reply to the request for the mail; it belongs to `mail_code`. */
            request_token?: string;
            /** @description Six digits that the authenticator app shows. */
            totp_code?: string;
        };
        /** @description A provider. */
        Provider: {
            /** @description Its name in paths. */
            id: string;
            /** @description What it is, for its icon: `oidc`, `google`, `microsoft`, `apple`, `gitlab`, `discord` or `github`. */
            kind: string;
            /** @description Its name for users. */
            name: string;
        };
        /** @description What a provider puts into its form. */
        ProviderForm: {
            /** @description The authorization code. */
            code?: string;
            /** @description Why there is no code (RFC 6749, 4.1.2.1). */
            error?: string;
            /** @description The issuer (RFC 9207). */
            iss?: string;
            /** @description As it was in `authorization_url`. */
            state?: string;
            /** @description The user in JSON, at the first sign-in by Apple. */
            user?: string;
        };
        /** @description The providers by which users sign in. */
        ProviderList: {
            /** @description In the order of their ids. */
            providers: components["schemas"]["Provider"][];
        };
        /** @description A sign-in to be started. */
        ProviderSignInInput: {
            /** @description For apps, in place of the cookie: the SHA-256 of a random `code_verifier` in base64url (RFC 7636). */
            code_challenge?: string;
            /** @description The page that the sign-in returns to, one of `identities.redirects`; the first of these by default. */
            redirect_to?: string;
        };
        /** @description A sign-in that was started. */
        ProviderSignInStarted: {
            /** @description The page of the provider, for the browser. */
            authorization_url: string;
        };
        /** @description Recovery codes, shown only in this reply. */
        RecoveryCodes: {
            /** @description Each replaces a code of the authenticator app once. */
            recovery_codes: string[];
        };
        /** @description The token that renews an access token. */
        RefreshInput: {
            refresh_token: string;
        };
        /** @description The reply to `navigator.credentials.create`, as `PublicKeyCredential.toJSON()` returns it. */
        RegistrationResponse: {
            /** @description The credential's id in base64url, as all bytes here. */
            id: string;
            /** @description The same. */
            rawId: string;
            response: {
                attestationObject: string;
                clientDataJSON: string;
                /** @description How the browser reaches the authenticator: `internal`, `hybrid`, `usb`, … */
                transports?: string[];
            };
            /** @description `public-key`. */
            type: string;
        };
        /** @description The current password, before it is removed. */
        RemovePasswordInput: {
            /** @description Whether the user's API keys stay valid; they are revoked by default. */
            keep_api_keys?: boolean;
            /**
             * Format: password
             * @description The current password. Needed unless the session was reauthenticated within the last 15 minutes.
             */
            password_challenge?: string;
        };
        /** @description Options for `navigator.credentials.get`. */
        RequestOptions: {
            /** @description In base64url. It is valid for five minutes and one response. */
            challenge: string;
            rpId: string;
            /**
             * Format: int64
             * @description Milliseconds.
             */
            timeout: number;
            userVerification: string;
        };
        /** @description A new password, and the link that permits it. */
        ResetInput: {
            /** Format: password */
            password: string;
            /**
             * Format: password
             * @description Not checked when absent.
             */
            password_confirmation?: string;
            /** @description The token from the mailed link. */
            token: string;
        };
        /** @description A reset link that is valid. */
        ResetLink: {
            /** @description Masked: `o…@example.com`. */
            email_address: string;
            /** Format: date-time */
            expires_at: string;
        };
        /**
         * @description A way to present a second factor, by the name of its field.
         * @enum {string}
         */
        SecondFactor: "totp_code" | "recovery_code" | "passkey";
        /** @description What the client of a sign-in gets while a second factor is due, beside the error. */
        SecondFactorDue: {
            /**
             * Format: date-time
             * @description When `pending_token` expires.
             */
            expires_at: string;
            /** @description The second factors that the user can present. */
            methods: components["schemas"]["SecondFactor"][];
            /** @description Finishes the sign-in with a second factor; no route accepts it as a credential. */
            pending_token: string;
        };
        /** @description The second step of a sign-in. */
        SecondFactorInput: {
            /** @description What a passkey of the user returned for the options of `POST /v1/session/passkey/options`. */
            passkey?: components["schemas"]["AuthenticationResponse"];
            /** @description From the reply to the first step. */
            pending_token: string;
            /** @description In place of `totp_code`; it works once. */
            recovery_code?: string;
            /** @description Six digits that the authenticator app shows. */
            totp_code?: string;
            /**
             * @description Where the reply carries a new token.
             * @enum {string}
             */
            transport?: "bearer" | "cookie";
        };
        /** @description A session as its user sees it. */
        Session: {
            /** @description How the user authenticated: values of RFC 8176. `mfa` stands beside the methods where there were two factors. */
            auth_methods: string[];
            /**
             * Format: date-time
             * @description When the user last authenticated: at sign-in, or again since.
             */
            authenticated_at: string;
            /** Format: date-time */
            created_at: string;
            /** @description Whether the request came with this session. */
            current: boolean;
            /**
             * Format: date-time
             * @description Until when the user must set up a second factor; absent where there is one, or none is required.
             */
            enrol_until?: string;
            /**
             * Format: date-time
             * @description When it expires at the latest, used or not.
             */
            expires_at: string;
            /** Format: int64 */
            id: number;
            /** @description The client's address at sign-in. */
            ip_address: string;
            /**
             * Format: date-time
             * @description When it was last used, to the minute.
             */
            last_active_at: string;
            /** @description The client's `User-Agent` at sign-in. */
            user_agent: string | null;
        };
        /** @description The user's sessions. */
        SessionList: {
            /** @description The most recently used first. */
            sessions: components["schemas"]["Session"][];
        };
        /** @description How many sessions ended. */
        SessionsEnded: {
            message: string;
            /** Format: int64 */
            sessions_ended: number;
        };
        /** @description The user, and the session if there is one. */
        Shown: {
            session: components["schemas"]["Session"] | null;
            user: components["schemas"]["User"];
        };
        /** @description One API key. */
        ShownApiKey: {
            api_key: components["schemas"]["ApiKey"];
        };
        /** @description An identity of the user. */
        ShownIdentity: {
            identity: components["schemas"]["LinkedIdentity"];
        };
        /** @description One passkey. */
        ShownPasskey: {
            passkey: components["schemas"]["Passkey"];
        };
        /** @description One project. */
        ShownProject: {
            project: components["schemas"]["Project"];
        };
        /** @description The user's account. */
        ShownUser: {
            user: components["schemas"]["User"];
        };
        /** @description Address and password, or a mailed code, or a mailed link. */
        SignInInput: {
            /** @description Eight digits from the mail. */
            code?: string;
            /** Format: email */
            email_address?: string;
            /** @description From the link in the mail. */
            link_token?: string;
            /** Format: password */
            password?: string;
            /** @description Requests the longer lifetime. By mail, that of the request for it counts. */
            remember?: boolean;
            /**
             * @description From the reply to the request for the mail; it belongs to `code`. With `link_token` an app sends it, a browser its
             *     cookie.
             */
            request_token?: string;
            /**
             * @description Where the reply carries a new token.
             * @enum {string}
             */
            transport?: "bearer" | "cookie";
        };
        /** @description A new account. */
        SignUpInput: {
            /** Format: email */
            email_address: string;
            /** @description In place of `password`. */
            passkey?: components["schemas"]["SignUpPasskeyInput"];
            /**
             * Format: password
             * @description Needed without `passkey`.
             */
            password?: string;
            /**
             * Format: password
             * @description Not checked when absent.
             */
            password_confirmation?: string;
            /**
             * @description Where the reply carries a new token.
             * @enum {string}
             */
            transport?: "bearer" | "cookie";
        };
        /** @description The passkey of a new account. */
        SignUpPasskeyInput: {
            /** @description What the browser returned for the options of `POST /v1/registrations/passkey/options`. */
            credential: components["schemas"]["RegistrationResponse"];
            /** @description "Passkey" when absent or blank. */
            name?: string;
        };
        /** @description A session and its new token. */
        SignedIn: {
            /**
             * Format: date-time
             * @description When the session expires.
             */
            expires_at: string;
            session: components["schemas"]["Session"];
            /** @description Shown only in this reply; absent where the token went into the cookie. */
            token?: string;
            user: components["schemas"]["User"];
        };
        /** @description A new account and its first session, if it has one yet. */
        SignedUp: {
            /**
             * Format: date-time
             * @description Absent where the address must be verified first.
             */
            expires_at?: string;
            /** @description Absent where the address must be verified first. */
            session?: components["schemas"]["Session"];
            /** @description Absent with `"transport": "cookie"`, and where the address must be verified first. */
            token?: string;
            user: components["schemas"]["User"];
        };
        /** @description The account at the provider, as the provider states it. */
        StatedIdentity: {
            email: string | null;
            name: string | null;
        };
        /** @description A token of any kind. */
        TokenInput: {
            token: string;
            /** @description Accepted and not used. */
            token_type_hint?: string | null;
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
             * @description Seconds until the refresh token expires unless it is used: its session then ends or has been idle for too long.
             */
            refresh_expires_in?: number;
            /** @description Valid once. Absent where the session came in the cookie, which gets another access token instead. */
            refresh_token?: string;
            /** @description What the access token may do, with spaces between. */
            scope: string;
            /** @description `Bearer`. */
            token_type: string;
        };
        /** @description Address and password, or neither where a session is presented. */
        TokensInput: {
            /**
             * @description The service that the access token is for, as its `aud`: one of those that the settings allow; absent: this server.
             *     This server's routes refuse a token for another, and so does each service that verifies tokens as documented.
             */
            audience?: string;
            /** Format: email */
            email_address?: string;
            /** Format: password */
            password?: string;
            /** @description Requests the longer lifetime. */
            remember?: boolean;
            /** @description The scopes of the access token, with spaces between; absent: all that the settings allow. */
            scope?: string;
        };
        /** @description A code of the app that is being set up. */
        TotpInput: {
            /** @description Six digits that the app shows. */
            code: string;
            /**
             * Format: password
             * @description The current password. Needed unless the session was reauthenticated within the last 15 minutes.
             */
            password_challenge?: string;
        };
        /** @description The secret of an authenticator app, shown only in this reply. */
        TotpSetup: {
            /** @description The same as a URL that authenticator apps open. */
            otpauth_url: string;
            /** @description The URL as a QR code: an SVG image. */
            qr_svg: string;
            /** @description In base32, to be typed into an app. */
            secret: string;
        };
        /** @description A user without credentials, so that no reply can contain one. */
        User: {
            /**
             * Format: date-time
             * @description When the user signed up.
             */
            created_at: string;
            /** @description The address for sign-in and mail, in lower case. */
            email_address: string;
            /** @description Whether the user proved to own the address; inside the server, when. */
            email_confirmed: boolean;
            /**
             * Format: int64
             * @description The id.
             */
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
            /**
             * Format: date-time
             * @description When a field of the user or a credential last changed.
             */
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
        /** @description An Ed25519 public key (RFC 8037, 2). */
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
        /** @description `account_exists`: the address that the provider states has an account, to which the identity is not linked: a mailed link links it. */
        AccountExists: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "account_exists";
                };
            };
        };
        /** @description `cross_origin`: a page of another application sent it. */
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
        /** @description `cross_origin`: a page of another application sent it. `email_unconfirmed`: the address must be confirmed first, by the link that was mailed to it. */
        CrossOriginOrEmailUnconfirmed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "cross_origin" | "email_unconfirmed";
                };
            };
        };
        /** @description `cross_origin`: a page of another application sent it. `forbidden`: sign-up is closed, or a credential of this kind may not do this. */
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
        /** @description `cross_origin`: a page of another application sent it. `second_factor_enrolment_required`: the password is right, but the user must have a second factor and had time to set one up: a reset by mail opens an hour for it. */
        CrossOriginOrSecondFactorEnrolmentRequired: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "cross_origin" | "second_factor_enrolment_required";
                };
            };
        };
        /** @description `cross_origin`: a page of another application sent it. `second_factor_enrolment_required`: the password is right, but the user must have a second factor and had time to set one up: a reset by mail opens an hour for it. `email_unconfirmed`: the address must be confirmed first, by the link that was mailed to it. */
        CrossOriginOrSecondFactorEnrolmentRequiredOrEmailUnconfirmed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "cross_origin" | "second_factor_enrolment_required" | "email_unconfirmed";
                };
            };
        };
        /** @description `cross_origin`: a page of another application sent it. `second_factor_enrolment_required`: the password is right, but the user must have a second factor and had time to set one up: a reset by mail opens an hour for it. `forbidden`: sign-up is closed, or a credential of this kind may not do this. `email_unconfirmed`: the address must be confirmed first, by the link that was mailed to it. */
        CrossOriginOrSecondFactorEnrolmentRequiredOrForbiddenOrEmailUnconfirmed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "cross_origin" | "second_factor_enrolment_required" | "forbidden" | "email_unconfirmed";
                };
            };
        };
        /** @description `exchange_code_invalid`: the exchange code is unknown, used or older than a minute, or not for this browser or app. `second_factor_required`: the password is right: present a second factor with `pending_token`. */
        ExchangeCodeInvalidOrSecondFactorRequired: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": (components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "second_factor_required";
                } & components["schemas"]["SecondFactorDue"]) | (components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "exchange_code_invalid";
                });
            };
        };
        /** @description `forbidden`: sign-up is closed, or a credential of this kind may not do this. `cross_origin`: a page of another application sent it. */
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
        /** @description `forbidden`: sign-up is closed, or a credential of this kind may not do this. `cross_origin`: a page of another application sent it. `email_unconfirmed`: the address must be confirmed first, by the link that was mailed to it. */
        ForbiddenOrCrossOriginOrEmailUnconfirmed: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "forbidden" | "cross_origin" | "email_unconfirmed";
                };
            };
        };
        /** @description `forbidden`: sign-up is closed, or a credential of this kind may not do this. `cross_origin`: a page of another application sent it. `insufficient_scope`: the credential lacks a scope: see `WWW-Authenticate`. */
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
        /** @description `identity_taken`: the identity is linked already, to this user or another. */
        IdentityTaken: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "identity_taken";
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
        /** @description `invalid_credentials`: address and password do not match. `invalid_code`: the code is wrong, was used before, or its request has ended. `link_invalid`: the link from a mail is forged, used or expired. `second_factor_required`: the password is right: present a second factor with `pending_token`. */
        InvalidCredentialsOrInvalidCodeOrLinkInvalidOrSecondFactorRequired: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": (components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "second_factor_required";
                } & components["schemas"]["SecondFactorDue"]) | (components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_credentials" | "invalid_code" | "link_invalid";
                });
            };
        };
        /** @description `invalid_credentials`: address and password do not match. `token_invalid`: the token is malformed, unknown or revoked. `token_expired`: the token has expired. `second_factor_required`: the password is right: present a second factor with `pending_token`. `invalid_api_key`: the API key is malformed, unknown, revoked or expired. */
        InvalidCredentialsOrTokenInvalidOrTokenExpiredOrSecondFactorRequiredOrInvalidApiKey: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": (components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "second_factor_required";
                } & components["schemas"]["SecondFactorDue"]) | (components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_credentials" | "token_invalid" | "token_expired" | "invalid_api_key";
                });
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
        /** @description `invalid_request`: the body or query cannot be read, or there are two credentials. `invalid_scope`: the scope is malformed, or more than the settings allow. `invalid_target`: the audience is none that the settings allow. */
        InvalidRequestOrInvalidScopeOrInvalidTarget: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_request" | "invalid_scope" | "invalid_target";
                };
            };
        };
        /** @description `invalid_request`: the body or query cannot be read, or there are two credentials. `state_invalid`: a provider sent the browser back with a `state` that is not of this server. */
        InvalidRequestOrStateInvalid: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "invalid_request" | "state_invalid";
                };
            };
        };
        /** @description `last_sign_in_method`: the user has no password, no other passkey and no other linked identity: add one first. */
        LastSignInMethod: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "last_sign_in_method";
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
        /** @description `link_invalid`: the link from a mail is forged, used or expired. `second_factor_required`: the password is right: present a second factor with `pending_token`. */
        LinkInvalidOrSecondFactorRequired: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": (components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "second_factor_required";
                } & components["schemas"]["SecondFactorDue"]) | (components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "link_invalid";
                });
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
        /** @description `passkey_invalid`: what the authenticator returned is invalid, expired or was used before. `passkey_unknown`: no account has the passkey: it was removed, or its account deleted. */
        PasskeyInvalidOrPasskeyUnknown: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "passkey_invalid" | "passkey_unknown";
                };
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
        /** @description `pending_sign_in_invalid`: the pending sign-in is unknown, expired or finished, or five second factors were wrong. `invalid_code`: the code is wrong, was used before, or its request has ended. `passkey_invalid`: what the authenticator returned is invalid, expired or was used before. `passkey_unknown`: no account has the passkey: it was removed, or its account deleted. */
        PendingSignInInvalidOrInvalidCodeOrPasskeyInvalidOrPasskeyUnknown: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "pending_sign_in_invalid" | "invalid_code" | "passkey_invalid" | "passkey_unknown";
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
        /** @description `unauthorized`: no credential. `token_invalid`: the token is malformed, unknown or revoked. `token_expired`: the token has expired. `invalid_api_key`: the API key is malformed, unknown, revoked or expired. `exchange_code_invalid`: the exchange code is unknown, used or older than a minute, or not for this browser or app. */
        UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrExchangeCodeInvalid: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "unauthorized" | "token_invalid" | "token_expired" | "invalid_api_key" | "exchange_code_invalid";
                };
            };
        };
        /** @description `unauthorized`: no credential. `token_invalid`: the token is malformed, unknown or revoked. `token_expired`: the token has expired. `invalid_api_key`: the API key is malformed, unknown, revoked or expired. `insufficient_user_authentication`: the user authenticated too long ago, or with one factor: see `WWW-Authenticate`. */
        UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrInsufficientUserAuthentication: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "unauthorized" | "token_invalid" | "token_expired" | "invalid_api_key" | "insufficient_user_authentication";
                };
            };
        };
        /** @description `unauthorized`: no credential. `token_invalid`: the token is malformed, unknown or revoked. `token_expired`: the token has expired. `invalid_api_key`: the API key is malformed, unknown, revoked or expired. `passkey_unknown`: no account has the passkey: it was removed, or its account deleted. */
        UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrPasskeyUnknown: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "unauthorized" | "token_invalid" | "token_expired" | "invalid_api_key" | "passkey_unknown";
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
        /** @description `unavailable`: password hashing is saturated, the database is busy or the disk is full: see `Retry-After`. `provider_unavailable`: the provider does not answer, or its discovery document cannot be used. */
        UnavailableOrProviderUnavailable: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "unavailable" | "provider_unavailable";
                };
            };
        };
        /** @description `unsupported_media_type`: the body is neither JSON nor a form, or it is compressed. */
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
        /** @description `validation_failed`: the input cannot be used: see `fields`. `address_unverified`: the provider states no email address, or not as verified, and a new account needs one. `too_many_identities`: the user has the maximum number of linked identities. */
        ValidationFailedOrAddressUnverifiedOrTooManyIdentities: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "address_unverified" | "too_many_identities";
                };
            };
        };
        /** @description `validation_failed`: the input cannot be used: see `fields`. `no_second_factor`: the user has no second factor. */
        ValidationFailedOrNoSecondFactor: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "no_second_factor";
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
        /** @description `validation_failed`: the input cannot be used: see `fields`. `too_many_identities`: the user has the maximum number of linked identities. */
        ValidationFailedOrTooManyIdentities: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "too_many_identities";
                };
            };
        };
        /** @description `validation_failed`: the input cannot be used: see `fields`. `too_many_passkeys`: the user has the maximum number of passkeys. */
        ValidationFailedOrTooManyPasskeys: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "too_many_passkeys";
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
        /** @description `validation_failed`: the input cannot be used: see `fields`. `totp_enrolled`: the user has an authenticator app: remove it first. */
        ValidationFailedOrTotpEnrolled: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "totp_enrolled";
                };
            };
        };
        /** @description `validation_failed`: the input cannot be used: see `fields`. `totp_enrolled`: the user has an authenticator app: remove it first. `totp_not_started`: there is no secret to prove, or it is older than an hour. */
        ValidationFailedOrTotpEnrolledOrTotpNotStarted: {
            headers: {
                "X-Request-Id": components["headers"]["X-Request-Id"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"] & {
                    /** @enum {string} */
                    code: "validation_failed" | "totp_enrolled" | "totp_not_started";
                };
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description The methods of the path */
        Allow: string;
        /** @description Seconds to wait before the next attempt */
        "Retry-After": number;
        /** @description The fault of the credential (RFC 6750, 3) */
        "WWW-Authenticate": string;
        /** @description Identifies the request in the server's log */
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
            /** @description Not ready; `code` is the reason, such as `disk_full` */
            503: {
                headers: {
                    "Retry-After": components["headers"]["Retry-After"];
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
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
            /** @description The API keys */
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
            /** @description The new API key */
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
                /** @description The id of the resource */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description API key revoked */
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
                /** @description The id of the resource */
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
            /** @description The renamed API key */
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
    confirmAddress: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkInput"];
                "application/x-www-form-urlencoded": components["schemas"]["LinkInput"];
            };
        };
        responses: {
            /** @description Email address verified */
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
            /** @description Same reply for every well-formed address */
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
    confirmAddressByPath: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from a mailed link */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Email address verified */
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
            /** @description State of the token */
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
    resetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ResetInput"];
            };
        };
        responses: {
            /** @description Password reset */
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
            /** @description Same reply for every well-formed address */
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
    patchPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ResetInput"];
            };
        };
        responses: {
            /** @description Password reset */
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
    checkPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkInput"];
                "application/x-www-form-urlencoded": components["schemas"]["LinkInput"];
            };
        };
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
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["LinkInvalid"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    checkPasswordResetByPath: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from a mailed link */
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
    resetPasswordByPath: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from a mailed link */
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
            /** @description Password reset */
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
    patchPasswordByPath: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from a mailed link */
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
            /** @description Password reset */
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
                /** @description Maximum number of projects. */
                limit?: number;
                /** @description The previous page's `next_cursor`. */
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
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    showProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource */
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
                /** @description The id of the resource */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ProjectChangesInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ProjectChangesInput"];
            };
        };
        responses: {
            /** @description The updated project */
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
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource */
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
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    updateProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ProjectChangesInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ProjectChangesInput"];
            };
        };
        responses: {
            /** @description The updated project */
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
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listProviders: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The providers */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderList"];
                };
            };
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
            /** @description Account created */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedUp"];
                };
            };
            /** @description With `registration.private`: same reply for a taken address */
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
    startPasskeySignUp: {
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
            /** @description Options for the browser */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreationOptions"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            403: components["responses"]["CrossOriginOrForbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
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
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
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
        requestBody?: {
            content: {
                "application/json": components["schemas"]["SignInInput"];
                "application/x-www-form-urlencoded": components["schemas"]["SignInInput"];
            };
        };
        responses: {
            /** @description Session started */
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
            401: components["responses"]["InvalidCredentialsOrInvalidCodeOrLinkInvalidOrSecondFactorRequired"];
            403: components["responses"]["CrossOriginOrSecondFactorEnrolmentRequiredOrEmailUnconfirmed"];
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
            /** @description Session ended and cookie cleared */
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
    requestMailCode: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MailCodeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["MailCodeInput"];
            };
        };
        responses: {
            /** @description Same reply for every address */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailCodeRequest"];
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
    checkMailLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkInput"];
                "application/x-www-form-urlencoded": components["schemas"]["LinkInput"];
            };
        };
        responses: {
            /** @description Link is valid */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenedLink"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["LinkInvalid"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    exchangeProviderSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExchangeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ExchangeInput"];
            };
        };
        responses: {
            /** @description Session started */
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
            401: components["responses"]["ExchangeCodeInvalidOrSecondFactorRequired"];
            403: components["responses"]["CrossOriginOrSecondFactorEnrolmentRequiredOrForbiddenOrEmailUnconfirmed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["AccountExists"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrAddressUnverifiedOrTooManyIdentities"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    startProviderSignIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ProviderSignInInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ProviderSignInInput"];
            };
        };
        responses: {
            /** @description Where to send the browser */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderSignInStarted"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            403: components["responses"]["CrossOrigin"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["UnavailableOrProviderUnavailable"];
        };
    };
    finishProviderSignIn: {
        parameters: {
            query?: {
                /** @description As it was in `authorization_url`. */
                state?: string | null;
                /** @description The authorization code. */
                code?: string | null;
                /** @description The issuer (RFC 9207). */
                iss?: string | null;
                /** @description Why there is no code (RFC 6749, 4.1.2.1). */
                error?: string | null;
            };
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the page of `redirect_to` */
            303: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequestOrStateInvalid"];
            404: components["responses"]["NotFound"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    receiveProviderForm: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                provider: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ProviderForm"];
                "application/x-www-form-urlencoded": components["schemas"]["ProviderForm"];
            };
        };
        responses: {
            /** @description To the page of `redirect_to` */
            303: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequestOrStateInvalid"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    finishIdentityLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IdentityLinkInput"];
                "application/x-www-form-urlencoded": components["schemas"]["IdentityLinkInput"];
            };
        };
        responses: {
            /** @description Account linked and session started */
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
            401: components["responses"]["LinkInvalidOrSecondFactorRequired"];
            403: components["responses"]["CrossOriginOrSecondFactorEnrolmentRequired"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["IdentityTaken"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrTooManyIdentities"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    checkIdentityLink: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkInput"];
                "application/x-www-form-urlencoded": components["schemas"]["LinkInput"];
            };
        };
        responses: {
            /** @description Link is valid */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenedIdentityLink"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["LinkInvalid"];
            403: components["responses"]["CrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    signInWithPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeySignInInput"];
                "application/x-www-form-urlencoded": components["schemas"]["PasskeySignInInput"];
            };
        };
        responses: {
            /** @description Session started */
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
            401: components["responses"]["PasskeyInvalidOrPasskeyUnknown"];
            403: components["responses"]["CrossOriginOrEmailUnconfirmed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    startPasskeySignIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Options for the browser, the same for every caller */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RequestOptions"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            403: components["responses"]["CrossOrigin"];
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
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ProofInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ProofInput"];
            };
        };
        responses: {
            /** @description Session with its new token */
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
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrPasskeyUnknown"];
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
            /** @description Session with its new token */
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
    presentSecondFactor: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SecondFactorInput"];
                "application/x-www-form-urlencoded": components["schemas"]["SecondFactorInput"];
            };
        };
        responses: {
            /** @description Session started */
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
            401: components["responses"]["PendingSignInInvalidOrInvalidCodeOrPasskeyInvalidOrPasskeyUnknown"];
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
    listSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Active sessions */
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
                /** @description Keeps the session of the request. */
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
                /** @description The id of the resource */
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
            400: components["responses"]["InvalidRequestOrInvalidScopeOrInvalidTarget"];
            401: components["responses"]["InvalidCredentialsOrTokenInvalidOrTokenExpiredOrSecondFactorRequiredOrInvalidApiKey"];
            403: components["responses"]["CrossOriginOrSecondFactorEnrolmentRequiredOrForbiddenOrEmailUnconfirmed"];
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
            /** @description The new tokens */
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
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkInput"];
                "application/x-www-form-urlencoded": components["schemas"]["LinkInput"];
            };
        };
        responses: {
            /** @description Sign-in unlocked for the network of the client */
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
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    unlockByPath: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The token from a mailed link */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sign-in unlocked for the network of the client */
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
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
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
                "application/json": components["schemas"]["ChallengeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChallengeInput"];
            };
        };
        responses: {
            /** @description Account and all its data deleted */
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
        requestBody?: {
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
            /** @description Same reply for a taken address; session with its new token */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialsChanged"];
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
    listEvents: {
        parameters: {
            query?: {
                /** @description Maximum number of events. */
                limit?: number;
                /** @description The previous page's `next_cursor`. */
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
                    "application/json": components["schemas"]["EventList"];
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
    listSecondFactors: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The second factors */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FactorList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listIdentities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The identities */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IdentityList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    linkIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LinkedCodeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["LinkedCodeInput"];
            };
        };
        responses: {
            /** @description The identity */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownIdentity"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrExchangeCodeInvalid"];
            403: components["responses"]["ForbiddenOrCrossOriginOrEmailUnconfirmed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["IdentityTaken"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrTooManyIdentities"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    startLinking: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the provider */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["LinkingInput"];
                "application/x-www-form-urlencoded": components["schemas"]["LinkingInput"];
            };
        };
        responses: {
            /** @description Where to send the browser */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderSignInStarted"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOriginOrEmailUnconfirmed"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["UnavailableOrProviderUnavailable"];
        };
    };
    unlinkIdentity: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChallengeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChallengeInput"];
            };
        };
        responses: {
            /** @description Identity unlinked */
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
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["LastSignInMethod"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listPasskeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The passkeys */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasskeyList"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    addPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyInput"];
                "application/x-www-form-urlencoded": components["schemas"]["PasskeyInput"];
            };
        };
        responses: {
            /** @description The new passkey */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownPasskey"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrInsufficientUserAuthentication"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrTooManyPasskeys"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    startPasskey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChallengeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChallengeInput"];
            };
        };
        responses: {
            /** @description Options for the browser */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CreationOptions"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrInsufficientUserAuthentication"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrTooManyPasskeys"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    removePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChallengeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChallengeInput"];
            };
        };
        responses: {
            /** @description Passkey removed */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrInsufficientUserAuthentication"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["LastSignInMethod"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    renamePasskey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasskeyChangesInput"];
                "application/x-www-form-urlencoded": components["schemas"]["PasskeyChangesInput"];
            };
        };
        responses: {
            /** @description The renamed passkey */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ShownPasskey"];
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
            /** @description Password changed; session with its new token */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialsChanged"];
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
    removePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RemovePasswordInput"];
                "application/x-www-form-urlencoded": components["schemas"]["RemovePasswordInput"];
            };
        };
        responses: {
            /** @description Password removed; session with its new token */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialsChanged"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrInsufficientUserAuthentication"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["LastSignInMethod"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    replaceRecoveryCodes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChallengeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChallengeInput"];
            };
        };
        responses: {
            /** @description The new recovery codes */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrInsufficientUserAuthentication"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrNoSecondFactor"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    enrolTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TotpInput"];
                "application/x-www-form-urlencoded": components["schemas"]["TotpInput"];
            };
        };
        responses: {
            /** @description Authenticator app set up */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecoveryCodes"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrTotpEnrolledOrTotpNotStarted"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    startTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChallengeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChallengeInput"];
            };
        };
        responses: {
            /** @description The new secret */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TotpSetup"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKey"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ValidationFailedOrTotpEnrolled"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    removeTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ChallengeInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ChallengeInput"];
            };
        };
        responses: {
            /** @description Authenticator app removed */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["X-Request-Id"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrInsufficientUserAuthentication"];
            403: components["responses"]["ForbiddenOrCrossOrigin"];
            404: components["responses"]["NotFound"];
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
                /** @description Scopes that the credential must have, with spaces between. */
                scope?: string;
                /** @description `aal2`: the user must have authenticated with two factors. */
                acr?: string;
                /** @description How many seconds ago the user may have authenticated at most. */
                max_age?: number;
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
            401: components["responses"]["UnauthorizedOrTokenInvalidOrTokenExpiredOrInvalidApiKeyOrInsufficientUserAuthentication"];
            403: components["responses"]["ForbiddenOrCrossOriginOrInsufficientScope"];
            405: components["responses"]["MethodNotAllowed"];
            422: components["responses"]["ValidationFailed"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
}
