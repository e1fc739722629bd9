// Form state: submission, errors by field, and the wait after `Retry-After`.
//
// The inputs are uncontrolled, so that no password is kept in React state. `onSubmit` instead of a form action: React 19
// resets a form after its action even if it failed.

import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { CloakroomError } from "../error.js";
import { useCountdown } from "./countdown.js";

export interface FormOptions<Result> {
  /** Called with the result of `send`. */
  onSuccess?: (result: Result) => void;
}

export interface Form {
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  /** Whether a submit is in progress; further submits are ignored. */
  pending: boolean;
  /** Why the last submit failed. The message includes errors of fields without an input. */
  error: CloakroomError | null;
  /** Seconds until the server accepts another submit; else 0. */
  retryIn: number;
  /** Props that bind an input to a field. */
  field: (name: string) => {
    name: string;
    id: string;
    "aria-invalid": true | undefined;
    "aria-describedby": string | undefined;
    onInput: () => void;
  };
  /** The error messages of a field, until it is edited. */
  messages: (name: string) => string[];
  /** The `id` of the element that shows the field's messages. */
  errorId: (name: string) => string;
  /** Clears the inputs and the error. */
  reset: () => void;
}

interface Failure {
  error: CloakroomError | null;
  fields: Record<string, string[]>;
}

const NO_FAILURE: Failure = { error: null, fields: {} };

/**
 * @param send receives the values by input name: a string, a boolean for a checkbox without a value, or an array if
 *   the name occurs more than once.
 */
// biome-ignore lint/suspicious/noExplicitAny: lets `(fields) => client.signIn(fields)` compile without a type
export function useForm<Fields = any, Result = unknown>(
  send: (fields: Fields, options: { signal: AbortSignal }) => Promise<Result>,
  { onSuccess }: FormOptions<Result> = {},
): Form {
  const id = useId();
  const submitted = useRef<HTMLFormElement>(null);
  const controllerRef = useRef<AbortController>(null);
  const [pending, setPending] = useState(false);
  const [{ error, fields }, setFailure] = useState(NO_FAILURE);
  const retryIn = useCountdown(error?.retryAfter ?? 0, error);

  useEffect(() => () => controllerRef.current?.abort(), []);
  useEffect(() => {
    if (error) {
      const first = submitted.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
      (first ?? submitted.current?.querySelector<HTMLElement>('[role="alert"]'))?.focus();
    }
  }, [error]);

  async function submit(element: HTMLFormElement) {
    const controller = new AbortController();
    submitted.current = element;
    controllerRef.current = controller;
    setPending(true);
    try {
      const result = await send(formValues(element) as Fields, { signal: controller.signal });
      setFailure(NO_FAILURE);
      onSuccess?.(result);
    } catch (thrown) {
      if (controller.signal.aborted) {
        return;
      }
      if (!CloakroomError.is(thrown)) {
        throw thrown;
      }
      setFailure({ error: withUnboundFields(thrown, element), fields: thrown.fields });
    } finally {
      controllerRef.current = null;
      setPending(false);
    }
  }

  const messages = (name: string) => fields[name] ?? [];
  const errorId = (name: string) => `${id}-${name}-error`;

  return {
    onSubmit(event) {
      event.preventDefault();
      if (!controllerRef.current && retryIn === 0) {
        void submit(event.currentTarget);
      }
    },
    pending,
    error,
    retryIn,
    field: (name) => {
      const invalid = messages(name).length > 0;
      return {
        name,
        id: `${id}-${name}`,
        "aria-invalid": invalid || undefined,
        "aria-describedby": invalid ? errorId(name) : undefined,
        onInput() {
          if (invalid) {
            setFailure((failure) => ({ ...failure, fields: { ...failure.fields, [name]: [] } }));
          }
        },
      };
    },
    messages,
    errorId,
    reset() {
      submitted.current?.reset();
      setFailure(NO_FAILURE);
    },
  };
}

function formValues(form: HTMLFormElement): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const data = new FormData(form);
  for (const name of new Set(data.keys())) {
    const all = data.getAll(name);
    values[name] = all.length > 1 ? all : all[0];
  }
  for (const box of form.querySelectorAll<HTMLInputElement>("input[type=checkbox]:not([value])")) {
    values[box.name] = box.checked;
  }
  return values;
}

/** Adds the messages of fields that have no input to the message of the error. */
function withUnboundFields(error: CloakroomError, form: HTMLFormElement): CloakroomError {
  const unbound = Object.entries(error.fields)
    .filter(([name]) => !form.elements.namedItem(name))
    .flatMap(([name, all]) => all.map((text) => `${name.replaceAll("_", " ")} ${text}`));
  if (unbound.length === 0) {
    return error;
  }
  const { status, code, errors, fields, requestId, retryAfter } = error;
  const message = `${error.message}: ${unbound.join(", ")}`;
  return new CloakroomError(
    status,
    { error: message, code, errors, fields, ...(requestId && { request_id: requestId }) },
    retryAfter,
  );
}
