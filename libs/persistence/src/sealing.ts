/** Makes a master key, `k1:<base64>`, for a new installation. */
export function generateMasterKey(): string {
  throw new Error('not built yet');
}
