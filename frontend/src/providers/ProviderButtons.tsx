import { useProviderSignIn, useProviders } from "@cloakroom/client/react/providers";
import { useLocation } from "react-router";
import { Alert } from "../components/Alert.js";
import { FormAlert } from "../components/FormAlert.js";
import { returnPath } from "../layout/guards.js";
import { returnUrl } from "./page.js";

interface ProviderButtonsProps {
  /** Whether to stay signed in for longer; asked on a click. */
  remember?: () => boolean;
  onStart?: () => void;
  /** Set when other buttons stand above. */
  follows?: boolean;
}

/** A button for each of the server's providers: they sign in, and sign up whom they do not know yet. */
export function ProviderButtons({ remember, onStart, follows = false }: ProviderButtonsProps) {
  const providers = useProviders();
  const { state } = useLocation();
  const { start, pending, ...signIn } = useProviderSignIn({
    redirect_to: returnUrl(),
    return_to: returnPath(state),
    remember,
  });
  if (providers.length === 0) {
    return null;
  }
  return (
    <div className="providers">
      {!follows && <p className="or">or</p>}
      {signIn.error?.fields.redirect_to ? (
        <Alert>
          <p>Sign-in by other providers is not set up for this page.</p>
        </Alert>
      ) : (
        <FormAlert form={signIn} />
      )}
      {providers.map(({ id, name }) => (
        <button
          key={id}
          type="button"
          aria-disabled={pending !== null || signIn.retryIn > 0}
          data-busy={pending === id || undefined}
          onClick={() => {
            onStart?.();
            start(id);
          }}
        >
          Continue with {name}
        </button>
      ))}
    </div>
  );
}
