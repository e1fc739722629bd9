import type { Output } from "@cloakroom/client";
import { useClient, useForm, useUser } from "@cloakroom/client/react";
import { useEffect, useRef } from "react";
import { Field } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { CurrentPassword } from "./CurrentPassword.js";

const SCOPES = [
  ["projects:read", "Read projects"],
  ["projects:write", "Create, change and delete projects"],
  ["user:read", "Read your name and email address"],
] as const;
const LIFETIMES = [
  ["30", "In 30 days"],
  ["90", "In 90 days"],
  ["365", "In a year"],
  ["never", "Never"],
] as const;

interface Fields {
  name: string;
  /** An array if more than one box is checked. */
  scopes?: string | string[];
  expires_at: string;
  password_challenge?: string;
}

interface CreateApiKeyProps {
  onCreated: (created: Output<"createApiKey">) => void;
  onCancel: () => void;
}

export function CreateApiKey({ onCreated, onCancel }: CreateApiKeyProps) {
  const client = useClient();
  const user = useUser();
  const name = useRef<HTMLInputElement>(null);
  const form = useForm(
    ({ name, scopes = [], expires_at, password_challenge }: Fields, options) =>
      client.createApiKey(
        {
          name,
          scopes: [scopes].flat(),
          expires_at: expiry(expires_at),
          // Left out if it is empty: then the server reports it as blank, together with other fields.
          ...(password_challenge && { password_challenge }),
        },
        options,
      ),
    { onSuccess: onCreated },
  );
  useEffect(() => name.current?.focus(), []);

  const { id, ...scope } = form.field("scopes");
  const expiresAt = form.field("expires_at");
  const scopeErrors = form.messages("scopes");
  return (
    <form aria-label="New API key" onSubmit={form.onSubmit} noValidate>
      <FormAlert form={form} />
      <Field form={form} ref={name} name="name" label="Name" autoComplete="off" hint="What the key is for." />
      <fieldset>
        <legend>Scopes</legend>
        {SCOPES.map(([value, label]) => (
          <label key={value} className="check">
            <input type="checkbox" value={value} {...scope} /> {label}
          </label>
        ))}
        {scopeErrors.length > 0 && (
          <p className="field-error" id={form.errorId("scopes")}>
            Scopes {scopeErrors.join(". Scopes ")}
          </p>
        )}
      </fieldset>
      <div className="field">
        <label htmlFor={expiresAt.id}>Expires</label>
        <select {...expiresAt} defaultValue="90">
          {LIFETIMES.map(([days, label]) => (
            <option key={days} value={days}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <CurrentPassword
        form={form}
        username={user.email_address}
        hint="A key works without your password, so creating one needs it."
      />
      <div className="actions">
        <SubmitButton form={form}>Create key</SubmitButton>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function expiry(days: string): string {
  return days === "never" ? days : new Date(Date.now() + Number(days) * 86_400_000).toISOString();
}
