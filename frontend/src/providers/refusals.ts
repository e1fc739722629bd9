// Why a sign-in by a provider did not work, for users. docs/guides/providers.md says the same for operators.

import type { ProviderRefusal } from "@cloakroom/client/providers";

/** What users can do nothing about. */
const FAULT = "Try again, or use another way. If it happens again, tell the operator of this site.";

/** By the `error` that the page got in place of a code. */
export const REFUSALS: Record<ProviderRefusal, string> = {
  access_denied: "You cancelled at the provider, or did not allow it. Nothing has changed.",
  provider_error: `The provider reported an error. ${FAULT}`,
  provider_unavailable:
    "The provider does not answer at the moment. Try again in a minute, or use another way.",
  provider_reply_invalid: `The provider sent a reply that cannot be used. ${FAULT}`,
  provider_discovery_invalid: `The provider is not set up correctly. ${FAULT}`,
  provider_client_refused: `The provider does not accept this site. ${FAULT}`,
  code_refused: `The provider did not confirm the sign-in. ${FAULT}`,
  code_missing: `The provider did not confirm the sign-in. ${FAULT}`,
  state_expired: "It took more than ten minutes. Start again.",
  state_used: "The page was loaded again, and works once only. Start again.",
  browser_mismatch: "It was started in another browser, or your browser keeps no cookies. Start again here.",
  provider_mismatch: `The reply came from another provider than the one that you chose. ${FAULT}`,
  issuer_mismatch: `The reply came from another provider than the one that you chose. ${FAULT}`,
  id_token_missing: `The provider did not say who you are. ${FAULT}`,
  id_token_malformed: `The provider did not say who you are in a way that this site understands. ${FAULT}`,
  id_token_algorithm: `The provider signs in a way that this site does not accept. ${FAULT}`,
  id_token_key: `The signature of the provider could not be verified. ${FAULT}`,
  id_token_signature: `The signature of the provider could not be verified. ${FAULT}`,
  id_token_issuer: `The provider's confirmation is from another site. ${FAULT}`,
  id_token_audience: `The provider's confirmation is for another site. ${FAULT}`,
  id_token_party: `The provider's confirmation is for another site. ${FAULT}`,
  id_token_nonce: `The provider's confirmation is of another sign-in. ${FAULT}`,
  id_token_expired: `The provider's confirmation is out of date. ${FAULT}`,
  id_token_future: `The provider's clock is wrong, or the clock of this site. ${FAULT}`,
  access_token_mismatch: `The provider's confirmation contradicts itself. ${FAULT}`,
  userinfo_subject: `The provider's confirmation contradicts itself. ${FAULT}`,
  claims_invalid: `The provider sent facts about you that cannot be used. ${FAULT}`,
  domain_not_allowed:
    "This site admits only verified email addresses of certain domains. Use an account with such an address at the provider.",
  rate_limited: "There were too many sign-ins from your network. Try again in a few minutes.",
  internal_error: `Something went wrong on this site. ${FAULT}`,
};

/** By the code of the server's reply to a code from the address. */
export const ERRORS: Record<string, string> = {
  exchange_code_invalid: "The sign-in took too long, or was used already. Start again.",
  forbidden:
    "No account here is linked to this one, and new accounts cannot be created with it. Sign in as usual and link it in your account.",
  second_factor_enrolment_required:
    "The time to set up a second factor is over. Reset your password to sign in and set one up.",
  email_unconfirmed: "Confirm the email address of your account first: open the link that was mailed to you.",
  account_exists:
    "Your email address has an account here. Open the link that was mailed to it in this browser. Or sign in as usual, and link the provider on your account page under “Sign-in methods”.",
  address_unverified:
    "The provider states no verified email address of yours. Verify it there and try again, or sign up with a password.",
  too_many_identities: "Your account has as many linked accounts as it can have. Unlink one first.",
  identity_taken:
    "That account is linked already, to this account or another one here. To link it anew, unlink it first.",
};
