// Passkeys in React: a prompt behind a button, and sign-in with the suggestions of its form. An entry of its own, as
// `@cloakroom/client/passkeys` is.

import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { CloakroomError } from "../error.js";
import {
  autofillSupported,
  type NoPasskey,
  passkeysSupported,
  signInWithPasskey,
} from "../passkeys/index.js";
import type { SignedIn } from "../types.js";
import { useCountdown } from "./countdown.js";
import { useClient } from "./provider.js";

export interface PasskeyPrompt {
  /** Opens the prompt; ignored while one is open and while `retryIn` is above 0. */
  start: () => void;
  /** Whether the prompt is open or its result under way. */
  pending: boolean;
  /** How the last prompt ended without a passkey. */
  outcome: NoPasskey["status"] | null;
  /** Why the server refused. */
  error: CloakroomError | null;
  /** Seconds until the server accepts another attempt; else 0. */
  retryIn: number;
}

type End = Pick<PasskeyPrompt, "outcome" | "error">;
type Run<Result> = (options: { signal: AbortSignal }) => Promise<Result | NoPasskey>;

export interface PasskeyPromptOptions<Result> {
  /** Called when the passkey was accepted. */
  onSuccess?: ((result: Result) => void) | undefined;
}

export interface PasskeySignInHookOptions extends PasskeyPromptOptions<SignedIn> {
  /** Whether to stay signed in for longer; asked when the user has chosen a passkey. */
  remember?: (() => boolean) | undefined;
}

const NO_END: End = { outcome: null, error: null };

/**
 * A passkey prompt behind a button. It is closed on unmount.
 *
 * @param run calls a function of `@cloakroom/client/passkeys`
 */
export function usePasskeyPrompt<Result extends { status: string }>(
  run: Run<Result>,
  { onSuccess }: PasskeyPromptOptions<Result> = {},
): PasskeyPrompt {
  return usePrompt(run, onSuccess)[0];
}

/**
 * Sign-in by a passkey: behind a button, and among the suggestions of the input with `autocomplete="username webauthn"`
 * for as long as the component is mounted.
 */
export function usePasskeySignIn({ remember, onSuccess }: PasskeySignInHookOptions = {}): PasskeyPrompt {
  const client = useClient();
  const [prompt, setEnd] = usePrompt<SignedIn>(
    (options) => signInWithPasskey(client, { remember: remember ?? false, ...options }),
    onSuccess,
  );
  const latest = useRef({ remember, onSuccess });
  useEffect(() => {
    latest.current = { remember, onSuccess };
  });

  const { pending, error } = prompt;
  // biome-ignore lint/correctness/useExhaustiveDependencies: suggestions end with a prompt and with a refusal, and start again
  useEffect(() => {
    if (pending) {
      return;
    }
    const controller = new AbortController();
    const { signal } = controller;
    async function suggest() {
      if (!(await autofillSupported()) || signal.aborted) {
        return;
      }
      const result = await signInWithPasskey(client, {
        autofill: true,
        remember: () => !!latest.current.remember?.(),
        signal,
      });
      if (result.status === "signed-in") {
        latest.current.onSuccess?.(result);
      }
    }
    suggest().catch((thrown) => {
      if (!signal.aborted) {
        setEnd(endOf(thrown));
      }
    });
    return () => controller.abort();
  }, [client, pending, error]);
  return prompt;
}

/** Whether the browser has passkeys; `false` while rendering on a server. */
export function usePasskeysSupported(): boolean {
  return useSyncExternalStore(never, passkeysSupported, () => false);
}

function usePrompt<Result extends { status: string }>(
  run: Run<Result>,
  onSuccess: ((result: Result) => void) | undefined,
): [PasskeyPrompt, (end: End) => void] {
  const controllerRef = useRef<AbortController>(null);
  const [pending, setPending] = useState(false);
  const [{ outcome, error }, setEnd] = useState(NO_END);
  const retryIn = useCountdown(error?.retryAfter ?? 0, error);
  useEffect(() => () => controllerRef.current?.abort(), []);

  async function open() {
    const controller = new AbortController();
    controllerRef.current = controller;
    setPending(true);
    setEnd(NO_END);
    try {
      const result = await run({ signal: controller.signal });
      if (isNoPasskey(result)) {
        setEnd({ outcome: result.status, error: null });
      } else {
        onSuccess?.(result);
      }
    } catch (thrown) {
      if (!controller.signal.aborted) {
        setEnd(endOf(thrown));
      }
    } finally {
      controllerRef.current = null;
      setPending(false);
    }
  }

  function start() {
    if (!controllerRef.current && retryIn === 0) {
      void open();
    }
  }
  return [{ start, pending, outcome, error, retryIn }, setEnd];
}

function endOf(thrown: unknown): End {
  if (!CloakroomError.is(thrown)) {
    throw thrown;
  }
  return { outcome: null, error: thrown };
}

function isNoPasskey(result: { status: string }): result is NoPasskey {
  return ["cancelled", "unsupported", "already-registered"].includes(result.status);
}

const never = () => () => {};
