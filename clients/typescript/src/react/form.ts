// A form that sends its fields, and shows what the server says to them.
//
// Its inputs are uncontrolled and sent by `onSubmit`: a form action of React 19 empties them after a failure, too. What
// is typed stays in the document, so that no password rests in a state.

import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { CloakroomError } from "../error.js";
import { useCountdown } from "./countdown.js";

export interface FormOptions<Result> {
  /** Called with what the call resolved to. */
  onDone?: (result: Result) => void;
}

export interface Form {
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  /** Whether it is being sent; another submit does nothing meanwhile. */
  pending: boolean;
  /** Why it failed; its message is for the form as a whole, and covers the fields that have no input. */
  error: CloakroomError | null;
  /** Seconds until it can be sent again, while the server wants it so; else 0. */
  retryIn: number;
  /** Ties an input to its field. */
  field: (name: string) => {
    name: string;
    id: string;
    "aria-invalid": true | undefined;
    "aria-describedby": string | undefined;
    onInput: () => void;
  };
  /** What is wrong with a field, until it is edited. */
  messages: (name: string) => string[];
  /** The `id` for the element that shows the messages of a field. */
  errorId: (name: string) => string;
  /** Empties the inputs and forgets the failure. */
  reset: () => void;
}

interface Failed {
  error: CloakroomError | null;
  fields: Record<string, string[]>;
}

const FINE: Failed = { error: null, fields: {} };

/**
 * @param send gets the values by the names of the inputs: a text, `true` or `false` for a check box without a value,
 *   a list where a name occurs more than once.
 */
// biome-ignore lint/suspicious/noExplicitAny: so that `(fields) => client.signIn(fields)` needs no type
export function useForm<Fields = any, Result = unknown>(
  send: (fields: Fields, options: { signal: AbortSignal }) => Promise<Result>,
  { onDone }: FormOptions<Result> = {},
): Form {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const sending = useRef<AbortController>(null);
  const [pending, setPending] = useState(false);
  const [{ error, fields }, setFailed] = useState(FINE);
  const retryIn = useCountdown(error?.retryAfter ?? 0, error);

  useEffect(() => () => sending.current?.abort(), []);
  useEffect(() => {
    if (error) {
      const first = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
      (first ?? form.current?.querySelector<HTMLElement>('[role="alert"]'))?.focus();
    }
  }, [error]);

  async function submit(element: HTMLFormElement) {
    const controller = new AbortController();
    form.current = element;
    sending.current = controller;
    setPending(true);
    try {
      const result = await send(valuesOf(element) as Fields, { signal: controller.signal });
      setFailed(FINE);
      onDone?.(result);
    } catch (failure) {
      if (controller.signal.aborted) {
        return;
      }
      if (!CloakroomError.is(failure)) {
        throw failure;
      }
      setFailed({ error: forTheForm(failure, element), fields: failure.fields });
    } finally {
      sending.current = null;
      setPending(false);
    }
  }

  const messages = (name: string) => fields[name] ?? [];
  const errorId = (name: string) => `${id}-${name}-error`;

  return {
    onSubmit(event) {
      event.preventDefault();
      if (!sending.current && retryIn === 0) {
        void submit(event.currentTarget);
      }
    },
    pending,
    error,
    retryIn,
    field: (name) => {
      const wrong = messages(name).length > 0;
      return {
        name,
        id: `${id}-${name}`,
        "aria-invalid": wrong || undefined,
        "aria-describedby": wrong ? errorId(name) : undefined,
        onInput() {
          if (wrong) {
            setFailed((failed) => ({ ...failed, fields: { ...failed.fields, [name]: [] } }));
          }
        },
      };
    },
    messages,
    errorId,
    reset() {
      form.current?.reset();
      setFailed(FINE);
    },
  };
}

function valuesOf(form: HTMLFormElement): Record<string, unknown> {
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

/** The failure with a sentence about the fields that no input is for, if there are any. */
function forTheForm(error: CloakroomError, form: HTMLFormElement): CloakroomError {
  const orphans = Object.entries(error.fields)
    .filter(([name]) => !form.elements.namedItem(name))
    .flatMap(([name, all]) => all.map((message) => `${name.replaceAll("_", " ")} ${message}`));
  if (orphans.length === 0) {
    return error;
  }
  const { status, code, errors, fields, requestId, retryAfter } = error;
  const sentence = `${error.message}: ${orphans.join(", ")}`;
  return new CloakroomError(
    status,
    { error: sentence, code, errors, fields, ...(requestId && { request_id: requestId }) },
    retryAfter,
  );
}
