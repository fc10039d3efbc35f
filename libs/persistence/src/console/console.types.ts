import type { ConsoleEntrance, ConsoleRole, Overview, OverviewWindow } from '#lib/contracts';
import type { Acting } from '../audit/acting.js';

/** Somebody who has just proved who they are, or from whom no proof is asked. */
export interface NewConsoleSession {
  /** SHA-256 of what the cookie holds. */
  readonly secretHash: Buffer;
  readonly via: ConsoleEntrance;
  readonly role: ConsoleRole;
  readonly user: { readonly id: string | null; readonly name: string };
  /** Of the API key that began it; null for every other session. */
  readonly keyHash: Buffer | null;
  readonly idleSeconds: number;
  /** How long it lasts at most. */
  readonly lifeSeconds: number;
}

/** A session that has not ended. */
export interface ConsoleSession {
  readonly id: string;
  readonly via: ConsoleEntrance;
  readonly role: ConsoleRole;
  readonly user: { readonly id: string | null; readonly name: string };
  readonly keyHash: Buffer | null;
  readonly idleUntil: Date;
  readonly expiresAt: Date;
}

/** Sessions of the console. All times are the database's. */
export interface ConsoleSessionStore {
  open(session: NewConsoleSession, acting: Acting): Promise<ConsoleSession>;
  /** Null when there is none, or it has ended. What ended elsewhere is found for a second more. */
  find(secretHash: Buffer): Promise<ConsoleSession | null>;
  /** Something was done: the session is idle from now on. Written about twice a minute. */
  touch(session: ConsoleSession, secretHash: Buffer, idleSeconds: number): Promise<void>;
  /** Ends it; false when there was none. */
  close(secretHash: Buffer, acting: (session: ConsoleSession) => Acting): Promise<boolean>;
}

/** Logins at the OpenID Provider that are under way; each is taken up once. */
export interface ConsoleLoginStore {
  begin(login: { readonly secretHash: Buffer; readonly returnTo: string; readonly lifeSeconds: number }): Promise<void>;
  /** Null when there is none, it was taken up before, or its time is over. */
  take(secretHash: Buffer): Promise<{ readonly returnTo: string } | null>;
}

/** What the overview of the console shows. */
export interface OverviewStore {
  read(window: OverviewWindow, nowMs: number): Promise<Overview>;
}
