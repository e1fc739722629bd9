// Other providers in React: their buttons, and the page that the browser comes back to. An entry of its own, as
// `@cloakroom/client/providers` is.

import { useEffect, useRef, useState } from "react";
import { CloakroomError } from "../error.js";
import {
  finishProviderReturn,
  type Provider,
  type ProviderResult,
  type ProviderReturn,
  type ProviderSignInInput,
  signInWithProvider,
  takeProviderReturn,
} from "../providers/index.js";
import { useCountdown } from "./countdown.js";
import { useClient } from "./provider.js";

/** The server's providers; none until they are known, and none if the server cannot be asked. */
export function useProviders(): Provider[] {
  const client = useClient();
  const [providers, setProviders] = useState<Provider[]>([]);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    client.listProviders({}, { signal }).then(
      (list) => signal.aborted || setProviders(list.providers),
      () => {},
    );
    return () => controller.abort();
  }, [client]);
  return providers;
}

export interface ProviderSignIn {
  /** Sends the browser to the provider; ignored while a request is under way and while `retryIn` is above 0. */
  start: (provider: string) => void;
  /** The provider whose sign-in is being started. */
  pending: string | null;
  /** Why the server refused. */
  error: CloakroomError | null;
  /** Seconds until the server accepts another attempt; else 0. */
  retryIn: number;
}

export interface ProviderSignInHookOptions extends Omit<ProviderSignInInput, "provider" | "remember"> {
  /** Whether to stay signed in for longer; asked on a click. */
  remember?: (() => boolean) | undefined;
}

/** Sign-in by a provider behind buttons. */
export function useProviderSignIn({ remember, ...options }: ProviderSignInHookOptions = {}): ProviderSignIn {
  const client = useClient();
  const controllerRef = useRef<AbortController>(null);
  const [pending, setPending] = useState<string | null>(null);
  const [error, setError] = useState<CloakroomError | null>(null);
  const retryIn = useCountdown(error?.retryAfter ?? 0, error);
  useEffect(() => () => controllerRef.current?.abort(), []);

  async function leave(provider: string) {
    const controller = new AbortController();
    const { signal } = controller;
    controllerRef.current = controller;
    setPending(provider);
    setError(null);
    try {
      await signInWithProvider(client, { ...options, provider, remember: !!remember?.() }, { signal });
    } catch (thrown) {
      if (!signal.aborted) {
        setError(refusalOf(thrown));
      }
    } finally {
      // Also when the browser leaves: it may come back to this page as it is now.
      controllerRef.current = null;
      setPending(null);
    }
  }

  function start(provider: string) {
    if (!controllerRef.current && retryIn === 0) {
      void leave(provider);
    }
  }
  return { start, pending, error, retryIn };
}

/** What the page shows, and what the browser had left for. */
export type ProviderReturnState = Pick<ProviderReturn, "provider" | "links" | "return_to"> &
  (
    | { status: "loading" }
    /** The page was opened without a reply of a provider: by a reload, or by the back button. */
    | { status: "none" }
    /** The server refused, or cannot be reached; `retry` sends the code again. */
    | { status: "failed"; error: CloakroomError; retry: () => void }
    | ProviderResult
  );

/** Finishes, once, what the browser comes back with: for the page of `redirect_to`. */
export function useProviderReturn(): ProviderReturnState {
  const client = useClient();
  const returned = useRef<ProviderReturn | null>(undefined);
  const sent = useRef(-1);
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<ProviderReturnState>({ status: "loading" });
  useEffect(() => {
    // Effects may run twice, and a code works once.
    if (sent.current === attempt) {
      return;
    }
    sent.current = attempt;
    if (returned.current === undefined) {
      returned.current = takeProviderReturn();
    }
    if (!returned.current) {
      setState({ status: "none" });
      return;
    }
    const taken = returned.current;
    const { provider, links, return_to } = taken;
    const left = { provider, links, return_to };
    setState({ ...left, status: "loading" });
    // An exchange ends the session that the browser had: while that is being restored, it would look like a sign-out.
    const finished = client.restore().then(() => finishProviderReturn(client, taken));
    finished.then(
      (result) => setState({ ...left, ...result }),
      (thrown) => {
        const retry = () => setAttempt(attempt + 1);
        setState({ ...left, status: "failed", error: refusalOf(thrown), retry });
      },
    );
  }, [client, attempt]);
  return state;
}

function refusalOf(thrown: unknown): CloakroomError {
  if (!CloakroomError.is(thrown)) {
    throw thrown;
  }
  return thrown;
}
