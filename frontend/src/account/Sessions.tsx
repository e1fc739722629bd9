import type { Session } from "@cloakroom/client";
import { CloakroomError } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { Notice } from "../components/Alert.js";
import { Dialog } from "../components/Dialog.js";
import { FormAlert } from "../components/FormAlert.js";
import { LoadError } from "../components/LoadError.js";
import { Skeleton } from "../components/Skeleton.js";
import { SubmitButton } from "../components/SubmitButton.js";
import { Timestamp } from "../components/Timestamp.js";
import { describeUserAgent, pluralize } from "../format.js";
import { useFocusAfterRender } from "../useFocusAfterRender.js";
import type { Loaded } from "../useLoad.js";
import { Section } from "./Section.js";

/** The user's sessions: list and end. */
export function Sessions({ sessions: { data, error, reload, update } }: { sessions: Loaded<Session[]> }) {
  const client = useClient();
  const focus = useFocusAfterRender();
  const [confirming, setConfirming] = useState(false);
  const [notice, setNotice] = useState("");
  const [failed, setFailed] = useState<{ error: CloakroomError; session: Session } | null>(null);
  const others = data?.filter(({ current }) => !current) ?? [];

  async function endSession(session: Session) {
    setNotice("");
    setFailed(null);
    try {
      await client.endSession({ id: session.id });
    } catch (failure) {
      if (!CloakroomError.is(failure)) {
        throw failure;
      }
      // Ended in another tab already.
      if (failure.code !== "not_found") {
        setFailed({ error: failure, session });
        return;
      }
    }
    const at = others.indexOf(session);
    const next = others[at + 1] ?? others[at - 1];
    update((last) => last.filter(({ id }) => id !== session.id));
    setNotice(`The session of ${describeUserAgent(session.user_agent).name} has ended.`);
    focus(next ? `end-${next.id}` : "sessions-title");
  }

  function onOthersEnded(count: number) {
    update((last) => last.filter(({ current }) => current));
    setConfirming(false);
    setNotice(`${pluralize(count, "session")} ended.`);
    focus("sessions-title");
  }

  return (
    <Section
      id="sessions"
      title="Devices"
      lead="Where you are signed in. End any session you do not recognise."
    >
      <Notice>{notice}</Notice>
      {failed && <LoadError error={failed.error} retry={() => void endSession(failed.session)} />}
      {error && <LoadError error={error} retry={reload} />}
      {!data && !error && <Skeleton rows={2} />}
      {data && (
        <ul className="lines">
          {data.map((session) => (
            <Row key={session.id} session={session} onEnd={() => void endSession(session)} />
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <button type="button" onClick={() => setConfirming(true)}>
          End all others
        </button>
      )}
      {confirming && (
        <EndOthers count={others.length} onDone={onOthersEnded} onClose={() => setConfirming(false)} />
      )}
    </Section>
  );
}

function Row({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const { name, mobile } = describeUserAgent(session.user_agent);
  return (
    <li className="row">
      <svg
        className="line glyph"
        viewBox="0 0 24 24"
        width="24"
        height="24"
        aria-hidden="true"
        focusable="false"
      >
        {mobile ? <path d="M7 2.5h10v19H7zM11 18.5h2" /> : <path d="M4 5h16v11H4zM2 19h20" />}
      </svg>
      <div className="row-text">
        <p>
          <b>{name}</b> {session.current && <span className="badge">This device</span>}
        </p>
        <p className="meta">
          {session.ip_address} · last active <Timestamp at={session.last_active_at} />
        </p>
      </div>
      {!session.current && (
        <button type="button" id={`end-${session.id}`} onClick={onEnd}>
          End session <span className="visually-hidden">{`of ${name}, ${session.ip_address}`}</span>
        </button>
      )}
    </li>
  );
}

interface EndOthersProps {
  count: number;
  onDone: (ended: number) => void;
  onClose: () => void;
}

function EndOthers({ count, onDone, onClose }: EndOthersProps) {
  const client = useClient();
  const form = useForm((_, options) => client.endSessions({ except: "current" }, options), {
    onSuccess: ({ sessions_ended }) => onDone(sessions_ended),
  });
  return (
    <Dialog title="End all other sessions?" onClose={onClose}>
      <p>You will be signed out everywhere but here: {pluralize(count, "device")}.</p>
      <form onSubmit={form.onSubmit}>
        <FormAlert form={form} />
        <div className="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <SubmitButton form={form} className="danger">
            End them
          </SubmitButton>
        </div>
      </form>
    </Dialog>
  );
}
