// Unsaved project forms by user id, so that they survive a session that expires. Kept in memory until the form is saved
// or cancelled, or the user signs out.

export interface Draft {
  /** The id of the edited project; `null` for a new one. */
  project: number | null;
  title: string;
  description: string;
}

const drafts = new Map<number, Draft>();

export function getDraft(user: number): Draft | undefined {
  return drafts.get(user);
}

export function saveDraft(user: number, draft: Draft): void {
  drafts.set(user, draft);
}

export function deleteDraft(user: number): void {
  drafts.delete(user);
}

export function clearDrafts(): void {
  drafts.clear();
}
