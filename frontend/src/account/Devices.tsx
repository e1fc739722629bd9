import type { Session } from "@cloakroom/client";
import { CloakroomError } from "@cloakroom/client";
import { useClient, useForm } from "@cloakroom/client/react";
import { useState } from "react";
import { useFocusLater } from "../focus.js";
import type { Loaded } from "../load.js";
import { Notice } from "../parts/Alert.js";
import { many } from "../parts/Countdown.js";
import { Dialog } from "../parts/Dialog.js";
import { FormAlert } from "../parts/FormAlert.js";
import { Problem } from "../parts/Problem.js";
import { Skeleton } from "../parts/Skeleton.js";
import { SubmitButton } from "../parts/SubmitButton.js";
import { Time } from "../parts/Time.js";
import { device } from "../words.js";
import { Section } from "./Section.js";

/** Where the user is signed in. */
export function Devices({ sessions: { data, error, reload, change } }: { sessions: Loaded<Session[]> }) {
  const client = useClient();
  const focus = useFocusLater();
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState("");
  const [failed, setFailed] = useState<{ error: CloakroomError; session: Session } | null>(null);
  const others = data?.filter(({ current }) => !current) ?? [];

  async function end(session: Session) {
    setSaid("");
    setFailed(null);
    try {
      await client.endSession({ id: session.id });
    } catch (failure) {
      if (!CloakroomError.is(failure)) {
        throw failure;
      }
      // What is gone already is what was wanted.
      if (failure.code !== "not_found") {
        setFailed({ error: failure, session });
        return;
      }
    }
    const at = others.indexOf(session);
    const next = others[at + 1] ?? others[at - 1];
    change((last) => last.filter(({ id }) => id !== session.id));
    setSaid(`The session of ${device(session.user_agent).name} has ended.`);
    focus(next ? `end-${next.id}` : "devices-title");
  }

  function endedOthers(count: number) {
    change((last) => last.filter(({ current }) => current));
    setAsking(false);
    setSaid(`${many(count, "session")} ended.`);
    focus("devices-title");
  }

  return (
    <Section id="devices" title="Devices" lead="Where you are signed in. End what you do not know.">
      <Notice>{said}</Notice>
      {failed && <Problem error={failed.error} retry={() => void end(failed.session)} />}
      {error && <Problem error={error} retry={reload} />}
      {!data && !error && <Skeleton rows={2} />}
      {data && (
        <ul className="lines">
          {data.map((session) => (
            <Row key={session.id} session={session} onEnd={() => void end(session)} />
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <button type="button" onClick={() => setAsking(true)}>
          End all others
        </button>
      )}
      {asking && <EndOthers count={others.length} onDone={endedOthers} onClose={() => setAsking(false)} />}
    </Section>
  );
}

function Row({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const { name, mobile } = device(session.user_agent);
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
      <div className="what">
        <p>
          <b>{name}</b> {session.current && <span className="badge">This device</span>}
        </p>
        <p className="meta">
          {session.ip_address} · last active <Time at={session.last_active_at} />
        </p>
      </div>
      {!session.current && (
        <button type="button" id={`end-${session.id}`} onClick={onEnd}>
          End session <span className="unseen">{`of ${name}, ${session.ip_address}`}</span>
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
      <p>You will be signed out everywhere but here: {many(count, "device")}.</p>
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
