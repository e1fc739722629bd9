/** The logo, a brass number tag. Hidden from screen readers: the name is next to it. */
export function Logo() {
  return (
    <svg className="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" focusable="false">
      <path
        className="mark-tag"
        d="M11 2h10a3 3 0 0 1 2.4 1.2l4 5.3a3 3 0 0 1 .6 1.8V27a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3V10.3a3 3 0 0 1 .6-1.8l4-5.3A3 3 0 0 1 11 2Z"
      />
      <circle className="mark-hole" cx="16" cy="9" r="2.6" />
      <path className="mark-sign" d="M20.5 18.2a5 5 0 1 0 0 5.6" />
    </svg>
  );
}
