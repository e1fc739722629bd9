import { type ReactNode, useState } from "react";
import { Outlet } from "react-router";
import { Banner } from "./Banner.js";
import { Header } from "./Header.js";

/** The frame of every page: skip link, header, content and banner. */
export function Shell() {
  const [error, setError] = useState<ReactNode>(null);
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <Header onError={setError} />
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <Banner error={error} />
    </div>
  );
}
