// What somebody was writing when their session ended, so that it is there when they are back. It lives in the memory
// of this page, by user, until it is saved or they sign out.

export interface Draft {
  /** Which project it changes; `null` for a new one. */
  project: number | null;
  title: string;
  description: string;
}

const drafts = new Map<number, Draft>();

export function draftOf(user: number): Draft | undefined {
  return drafts.get(user);
}

export function keepDraft(user: number, draft: Draft): void {
  drafts.set(user, draft);
}

export function dropDraft(user: number): void {
  drafts.delete(user);
}

export function dropDrafts(): void {
  drafts.clear();
}
