/** What the bytes of a state stand for. */
import { failureReasons, statuses, type Command, type FailureReason, type Status as StatusName } from '#lib/domain';
import { dateOf, tickSeconds } from './world.js';

export const statusOf = (code: number): StatusName => statuses[code]!;
export const Status = Object.fromEntries(statuses.map((status, code) => [status, code])) as Record<StatusName, number>;

export const reasons = [null, 'provider_policy', ...failureReasons] as const;
export const reasonCode = (reason: (typeof reasons)[number] | undefined): number => reasons.indexOf(reason ?? null);

export const AttemptState = {
  none: 0,
  open: 1,
  lapsed: 2,
  acknowledged: 3,
  refused: 4,
  failed: 5,
  unknown: 6,
  notAccepted: 7,
};
export const Person = { none: 0, asked: 1, approved: 2, denied: 3 };
/** What a grant was used up by: an answer to a poll, or a push. */
export const Used = { no: 0, tokens: 1, denial: 2, expiry: 3, push: 4 };
export const WorkerPhase = {
  idle: 0,
  loaded: 1,
  opened: 2,
  answered: 3,
  changing: 4,
  closing: 5,
  rewording: 6,
  givingUp: 7,
};
export const MemoryPhase = {
  absent: 0,
  waiting: 1,
  held: 2,
  sending: 3,
  answered: 4,
  verifying: 5,
  holding: 6,
  concluding: 7,
};
export const Leaving = { no: 0, stopped: 1, clean: 2, unclean: 3 };
export const CallPhase = { none: 0, under: 1, told: 2, refused: 3, unanswered: 4 };
export const NotifierPhase = { idle: 0, received: 1, acknowledging: 2, noting: 3, ending: 4 };
/** What a pushed notification says. */
export const Content = { ping: 0, tokens: 1, denial: 2, expiry: 3 };

/** Tokens are numbered like the grants that they were issued for; this one proves nothing. */
export const forgedToken = 15;

const acknowledge = ['acknowledge', 'acknowledge by notification'] as const;
const commandKeys: readonly string[] = [
  'none',
  ...acknowledge,
  ...failureReasons.map((reason) => `fail-start ${reason}`),
  'reword',
  'refuse-start',
  'give-up-start',
  'approve',
  'approve held',
  'deny',
  'expire',
  'provider-expired',
  ...failureReasons.map((reason) => `fail ${reason}`),
  'cancel',
  'consume',
];

/** A command as bytes: its kind, what it is about (a grant, a token, an attempt, a caller), and its fence's epoch. */
export interface CommandBytes {
  command: number;
  arg: number;
  epoch: number;
}

const keyOf = (command: Command): string => {
  switch (command.type) {
    case 'acknowledge':
      return acknowledge[command.byNotification === true ? 1 : 0];
    case 'fail-start':
    case 'fail':
      return `${command.type} ${command.reason}`;
    case 'approve':
      return command.held ? 'approve held' : 'approve';
    case 'reword':
    case 'refuse-start':
    case 'give-up-start':
    case 'deny':
    case 'expire':
    case 'provider-expired':
    case 'cancel':
    case 'consume':
      return command.type;
  }
};

/** Writes a command into a job, which then begins. `attempt` of an acknowledgement is looked up by its grant. */
export function writeCommand(job: CommandBytes & { snapshot: number }, command: Command): void {
  const code = commandKeys.indexOf(keyOf(command));
  if (code < 0) throw new Error(`No code for the command ${keyOf(command)}.`);
  job.command = code;
  job.arg = argOf(command);
  job.epoch = 'fence' in command && command.fence ? command.fence.epoch : 0;
  job.snapshot = 0;
}

function argOf(command: Command): number {
  switch (command.type) {
    case 'acknowledge':
      return numberIn(command.authReqId) * 16 + numberIn(command.attemptId);
    case 'approve':
      return numberIn(command.evidence.idTokenSha256);
    case 'fail-start':
    case 'reword':
    case 'refuse-start':
      return command.attemptId === null ? 0 : numberIn(command.attemptId);
    case 'consume':
      return numberIn(command.by);
    case 'give-up-start':
    case 'deny':
    case 'expire':
    case 'provider-expired':
    case 'fail':
    case 'cancel':
      return 0;
  }
}

/** The number at the end of a name such as `token-3`. */
export const numberIn = (name: string): number => Number(name.slice(name.indexOf('-') + 1));

/** Reads a command as production would have made it. `owner` is the process whose job it is. */
export function readCommand(
  { command, arg, epoch }: CommandBytes,
  owner: string,
  sentTick: (attempt: number) => number,
  consumeWithinTicks: number,
): Command {
  const [type, second] = commandKeys[command]!.split(' ') as [Command['type'], string | undefined];
  const fence = epoch === 0 ? null : { shard: 0, owner, epoch };
  const providerError = null;
  switch (type) {
    case 'acknowledge': {
      const attempt = arg % 16;
      return {
        type,
        attemptId: `attempt-${attempt}`,
        authReqId: `grant-${arg >> 4}`,
        sentAt: dateOf(sentTick(attempt)),
        expiresInSeconds: tickSeconds,
        intervalSeconds: 5,
        ...(second !== undefined && { byNotification: true }),
      };
    }
    case 'fail-start':
      return { type, attemptId: arg === 0 ? null : `attempt-${arg}`, reason: second as FailureReason, providerError };
    case 'reword':
      return { type, attemptId: `attempt-${arg}`, bindingMessage: 'text-1', requestHash: 'text-1' };
    case 'refuse-start':
      return { type, attemptId: `attempt-${arg}`, providerError };
    case 'give-up-start':
      return { type };
    case 'approve':
      return {
        type,
        evidence: evidenceOf(arg),
        grantedScope: 'openid',
        consumeWithinSeconds: consumeWithinTicks * tickSeconds,
        releasedToken: null,
        held: second !== undefined,
        polls: 0,
      };
    case 'deny':
      return { type, providerError, polls: 0 };
    case 'expire':
      return { type, polls: 0, ...(fence && { fence }) };
    case 'provider-expired':
      return { type, fence, polls: 0 };
    case 'fail':
      return { type, reason: second as FailureReason, providerError, fence, polls: 0 };
    case 'cancel':
      return { type, by: 'caller-1' };
    case 'consume':
      return { type, by: `caller-${arg}`, key: `caller-${arg}` };
  }
}

const evidences = Array.from({ length: 16 }, (_, token) => ({
  issuer: 'https://op.example',
  subject: 'alice',
  acr: null,
  amr: null,
  authTime: null,
  idTokenSha256: `token-${token}`,
}));
export const evidenceOf = (token: number) => evidences[token]!;

/** A decision is recorded: `decision` is the outcome's code, which is never 0. */
export const isOutcomeRecorded = ({ decision }: { readonly decision: number }): boolean => decision !== 0;

export const describeCommand = (code: number): string => commandKeys[code]!;
