import type { ApiKey } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { ConfirmDialog } from "../components/ConfirmDialog.js";
import { unlessGone } from "../removal.js";

interface RevokeApiKeyProps {
  apiKey: ApiKey;
  onRevoked: () => void;
  onClose: () => void;
}

export function RevokeApiKey({ apiKey, onRevoked, onClose }: RevokeApiKeyProps) {
  const client = useClient();
  const form = useForm((_, options) => unlessGone(client.revokeApiKey({ id: apiKey.id }, options)), {
    onSuccess: onRevoked,
  });
  return (
    <ConfirmDialog
      title="Revoke this key?"
      text={
        <>
          Programs that use <b>{apiKey.name}</b> will be refused. This cannot be undone.
        </>
      }
      submit="Revoke key"
      form={form}
      onClose={onClose}
    />
  );
}
