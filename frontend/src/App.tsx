import { useAuth } from "@cloakroom/client/react";
import { useEffect } from "react";
import { Route, Routes } from "react-router";
import { Account } from "./account/Account.js";
import { RequireSignedIn, RequireSignedOut } from "./layout/guards.js";
import { StripLinkToken, TakeLinkToken } from "./layout/linkToken.js";
import { Shell } from "./layout/Shell.js";
import { hasMailCodes } from "./mail-code/enabled.js";
import { OpenMailLink } from "./mail-code/OpenMailLink.js";
import { SignInByMail } from "./mail-code/SignInByMail.js";
import { ConfirmAddress } from "./pages/ConfirmAddress.js";
import { ForgotPassword } from "./pages/ForgotPassword.js";
import { Home } from "./pages/Home.js";
import { NotFound } from "./pages/NotFound.js";
import { ResetPassword } from "./pages/ResetPassword.js";
import { SignIn } from "./pages/SignIn.js";
import { SignUp } from "./pages/SignUp.js";
import { Unlock } from "./pages/Unlock.js";
import { clearDrafts } from "./projects/drafts.js";
import { OpenIdentityLink } from "./providers/OpenIdentityLink.js";
import { RETURN_PATH } from "./providers/page.js";
import { ReturnFromProvider } from "./providers/ReturnFromProvider.js";

export function App() {
  const auth = useAuth();
  const discardDrafts = auth.status === "signed-out" && auth.reason !== "expired";
  useEffect(() => {
    if (discardDrafts) {
      clearDrafts();
    }
  }, [discardDrafts]);

  return (
    <Routes>
      <Route element={<Shell />}>
        <Route element={<RequireSignedIn />}>
          <Route index element={<Home />} />
          <Route path="account" element={<Account />} />
        </Route>
        <Route element={<RequireSignedOut />}>
          <Route path="sign-in" element={<SignIn />} />
          {hasMailCodes() && <Route path="sign-in/code" element={<SignInByMail />} />}
          <Route path="sign-up" element={<SignUp />} />
        </Route>
        <Route path={RETURN_PATH} element={<ReturnFromProvider />} />
        <Route path="passwords/new" element={<ForgotPassword />} />
        <Route element={<TakeLinkToken />}>
          <Route path="passwords/edit" element={<ResetPassword />} />
          <Route path="confirmations" element={<ConfirmAddress />} />
          <Route path="unlocks" element={<Unlock />} />
          <Route path="sign-in/link" element={<OpenIdentityLink />} />
          {hasMailCodes() && <Route path="session/code" element={<OpenMailLink />} />}
        </Route>
        <Route path="passwords/:token/edit" element={<StripLinkToken to="/passwords/edit" />} />
        <Route path="confirmations/:token" element={<StripLinkToken to="/confirmations" />} />
        <Route path="unlocks/:token" element={<StripLinkToken to="/unlocks" />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
