import type { Output } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useEffect, useRef } from "react";
import { Field } from "../parts/Field.js";
import { FormAlert } from "../parts/FormAlert.js";
import { SubmitButton } from "../parts/SubmitButton.js";

const SCOPES = [
  ["projects:read", "Read projects"],
  ["projects:write", "Create, change and delete projects"],
] as const;
const LIVES = [
  ["30", "In 30 days"],
  ["90", "In 90 days"],
  ["365", "In a year"],
  ["", "Never"],
] as const;

interface Fields {
  name: string;
  /** A list where more than one box is ticked. */
  scopes?: string | string[];
  expires_at: string;
}

interface NewApiKeyProps {
  onMade: (made: Output<"createApiKey">) => void;
  onCancel: () => void;
}

export function NewApiKey({ onMade, onCancel }: NewApiKeyProps) {
  const client = useClient();
  const name = useRef<HTMLInputElement>(null);
  const form = useForm(
    ({ name, scopes = [], expires_at }: Fields, options) =>
      client.createApiKey({ name, scopes: [scopes].flat(), expires_at: inDays(expires_at) }, options),
    { onSuccess: onMade },
  );
  useEffect(() => name.current?.focus(), []);

  const { id, ...scope } = form.field("scopes");
  const life = form.field("expires_at");
  const noScope = form.messages("scopes");
  return (
    <form aria-label="New API key" onSubmit={form.onSubmit} noValidate>
      <FormAlert form={form} />
      <Field
        form={form}
        ref={name}
        name="name"
        label="Name"
        autoComplete="off"
        hint="What it is for, so that you know it again."
      />
      <fieldset>
        <legend>Scopes</legend>
        {SCOPES.map(([value, words]) => (
          <label key={value} className="check">
            <input type="checkbox" value={value} {...scope} /> {words}
          </label>
        ))}
        {noScope.length > 0 && (
          <p className="wrong" id={form.errorId("scopes")}>
            Scopes {noScope.join(". Scopes ")}
          </p>
        )}
      </fieldset>
      <div className="field">
        <label htmlFor={life.id}>Ends</label>
        <select {...life} defaultValue="90">
          {LIVES.map(([days, words]) => (
            <option key={days} value={days}>
              {words}
            </option>
          ))}
        </select>
      </div>
      <div className="actions">
        <SubmitButton form={form}>Make the key</SubmitButton>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function inDays(days: string): string | null {
  return days ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : null;
}
