import type { PasskeyPrompt } from "@cloakroom/client/react/passkeys";
import type { ReactNode, Ref } from "react";
import { Alert } from "./Alert.js";
import { FormAlert } from "./FormAlert.js";

type Outcome = NonNullable<PasskeyPrompt["outcome"]>;

const OUTCOMES: Record<Outcome, string> = {
  cancelled: "The passkey prompt was closed or timed out. You can try again.",
  unsupported: "This browser can't use a passkey here.",
  "already-registered": "This device already has a passkey for your account.",
};

interface PasskeyButtonProps {
  prompt: PasskeyPrompt;
  className?: string;
  ref?: Ref<HTMLButtonElement>;
  children: ReactNode;
}

/** A button that opens a passkey prompt, below what came of the last one. */
export function PasskeyButton({ prompt, className = "", ref, children }: PasskeyButtonProps) {
  return (
    <>
      <FormAlert form={prompt} />
      <PasskeyOutcome outcome={prompt.outcome} />
      <button
        type="button"
        ref={ref}
        className={className}
        aria-disabled={prompt.pending || prompt.retryIn > 0}
        data-busy={prompt.pending || undefined}
        onClick={prompt.start}
      >
        {children}
      </button>
    </>
  );
}

/** How a prompt ended without a passkey. */
export function PasskeyOutcome({ outcome }: { outcome: Outcome | null }) {
  return (
    outcome && (
      <Alert>
        <p>{OUTCOMES[outcome]}</p>
      </Alert>
    )
  );
}
