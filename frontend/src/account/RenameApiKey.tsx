import type { ApiKey } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useEffect, useRef } from "react";
import { Field } from "../components/Field.js";
import { FormAlert } from "../components/FormAlert.js";
import { SubmitButton } from "../components/SubmitButton.js";

interface RenameApiKeyProps {
  apiKey: ApiKey;
  onRenamed: (key: ApiKey) => void;
  onCancel: () => void;
}

export function RenameApiKey({ apiKey, onRenamed, onCancel }: RenameApiKeyProps) {
  const client = useClient();
  const input = useRef<HTMLInputElement>(null);
  const form = useForm(
    ({ name }: { name: string }, options) => client.renameApiKey({ id: apiKey.id, name }, options),
    { onSuccess: ({ api_key }) => onRenamed(api_key) },
  );
  useEffect(() => input.current?.focus(), []);
  return (
    <form aria-label={`Rename ${apiKey.name}`} onSubmit={form.onSubmit} noValidate>
      <FormAlert form={form} />
      <Field form={form} ref={input} name="name" label="Name" autoComplete="off" defaultValue={apiKey.name} />
      <div className="actions">
        <SubmitButton form={form}>Save</SubmitButton>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
