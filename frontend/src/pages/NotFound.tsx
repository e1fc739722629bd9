import { NextLink } from "../components/NextLink.js";
import { FormPage } from "../layout/FormPage.js";

export function NotFound() {
  return (
    <FormPage title="Page not found">
      <p>The address may be mistyped, or the page no longer exists.</p>
      <NextLink to="/">Go home</NextLink>
    </FormPage>
  );
}
