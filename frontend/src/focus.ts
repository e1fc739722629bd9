import { useCallback, useEffect, useState } from "react";

/** Moves the focus to the element with that `id` once the change that is under way is on the page. */
export function useFocusLater(): (id: string) => void {
  const [goal, setGoal] = useState<{ id: string }>();
  useEffect(() => {
    if (goal) {
      document.getElementById(goal.id)?.focus();
    }
  }, [goal]);
  return useCallback((id) => setGoal({ id }), []);
}
