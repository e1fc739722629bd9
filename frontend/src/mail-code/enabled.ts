/** Whether the server takes codes by mail, by the page that the web server filled in. */
export function hasMailCodes(): boolean {
  return document.querySelector<HTMLMetaElement>('meta[name="cloakroom-mail-codes"]')?.content === "on";
}
