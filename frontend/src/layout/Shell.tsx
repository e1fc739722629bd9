import { type ReactNode, useState } from "react";
import { Outlet } from "react-router";
import { Banner } from "./Banner.js";
import { Header } from "./Header.js";

/** What stands around every page. */
export function Shell() {
  const [trouble, setTrouble] = useState<ReactNode>(null);
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header onTrouble={setTrouble} />
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <Banner trouble={trouble} />
    </div>
  );
}
