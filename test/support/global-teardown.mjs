/** Ends the servers that the run has started. */
export default async function tearDown() {
  await globalThis.stopTestServers?.();
}
