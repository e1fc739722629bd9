import { connection } from "next/server";
import { Providers } from "./providers.jsx";
import { cloakroom } from "./session.js";

export default async function Layout({ children }) {
  await connection(); // CLOAKROOM_URL is read when the server runs, not when it is built
  return (
    <html lang="en">
      <body>
        <Providers url={cloakroom}>{children}</Providers>
      </body>
    </html>
  );
}
