import { useAuth } from "@cloakroom/client/react";
import { formatDate, formatTime } from "../format.js";

/** Tells users of whom a second factor is required until when they must set one up. */
export function EnrolmentNotice() {
  const auth = useAuth();
  const until = auth.status === "signed-in" && auth.session?.enrol_until;
  if (!until) {
    return null;
  }
  const date = new Date(until);
  return (
    <p className="notice">
      Your account needs a second factor. <a href="#sign-in-methods">Set up an authenticator app</a> or add a
      passkey by{" "}
      <time dateTime={until}>
        {formatDate(date)}, {formatTime(date)}
      </time>
      . Afterwards you cannot sign in without one.
    </p>
  );
}
