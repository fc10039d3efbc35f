import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

const iterations = 4096;

/**
 * What Postgres keeps of a password (SCRAM-SHA-256, RFC 5803): sent in its place, so that the password itself is in no
 * statement and in no log of the server.
 *
 * @throws Error when the password is not printable ASCII, which needs no normalisation
 */
export function passwordVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  if (!/^[\x21-\x7E]{1,256}$/.test(password))
    throw new Error('A password is 1 to 256 printable characters without blanks.');
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest();
  const encoded = (bytes: Buffer) => bytes.toString('base64');
  return `SCRAM-SHA-256$${iterations}:${encoded(salt)}$${encoded(storedKey)}:${encoded(hmac('Server Key'))}`;
}
