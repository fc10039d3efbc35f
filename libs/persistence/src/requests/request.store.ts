import type { Page } from '#lib/contracts';
import type { Attributes, Command, Evidence, Fence, Snapshot, Transition } from '#lib/domain';
import { NotificationTokens } from '../notification-tokens.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import type { RuleVersions } from '../stores/rule-versions.js';
import { ApplyTransition } from './apply-transition.js';
import { ChangeRequest } from './change-request.js';
import { PendingWorkReader, type PendingSelection } from './pending-work.js';
import type {
  ApplyResult,
  AskedRequest,
  ChangeResult,
  ConsumedApproval,
  NewAttempt,
  NewRequest,
  NotifiedAttempt,
  OpenAttemptResult,
  PendingReading,
  RequestFilter,
  RequestState,
  RequestStore,
  RequestView,
  SealedStart,
  StartWork,
  Repetition,
  SubmitResult,
  TimelineRow,
  UnstartedOptions,
} from './request.types.js';
import { ReceivedNotifications } from './received-notifications.js';
import { SlowDown } from './slow-down.js';
import { StartAttempts } from './start-attempts.js';
import { SubmitRequest } from './submit-request.js';
import { ViewRequests } from './view-requests.js';

/** Authorization requests in Postgres: one subject per member, gathered behind one name. */
export class PostgresRequestStore implements RequestStore {
  private readonly submitRequest: SubmitRequest;
  private readonly applyTransition: ApplyTransition;
  private readonly changeRequest: ChangeRequest;
  private readonly viewRequests: ViewRequests;
  private readonly startAttempts: StartAttempts;
  private readonly pendingWork: PendingWorkReader;
  private readonly receivedNotifications: ReceivedNotifications;
  private readonly notificationTokens: NotificationTokens;
  private readonly slowDown: SlowDown;

  constructor(
    private readonly context: StoreContext,
    ruleVersions: RuleVersions,
  ) {
    this.submitRequest = new SubmitRequest(context);
    this.applyTransition = new ApplyTransition(context);
    this.changeRequest = new ChangeRequest(context.sql, this.applyTransition);
    this.viewRequests = new ViewRequests(context);
    this.startAttempts = new StartAttempts(context);
    this.pendingWork = new PendingWorkReader(context, ruleVersions);
    this.slowDown = new SlowDown(context.sql);
    this.receivedNotifications = new ReceivedNotifications(context, ruleVersions);
    this.notificationTokens = new NotificationTokens(context.sealing);
  }

  submit(request: NewRequest): Promise<SubmitResult> {
    return this.submitRequest.run(request);
  }

  submitted(apiClientId: string, idempotencyKey: string, bodyHash: Buffer): Promise<Repetition | null> {
    return this.submitRequest.submitted(apiClientId, idempotencyKey, bodyHash);
  }

  apply(transition: Transition): Promise<ApplyResult> {
    return this.applyTransition.run(transition);
  }

  change(requestId: string, command: Command): Promise<ChangeResult> {
    return this.changeRequest.run(requestId, command);
  }

  recordLateEvidence(requestId: string, evidence: Evidence): Promise<void> {
    return this.changeRequest.recordLateEvidence(requestId, evidence);
  }

  async snapshot(id: string): Promise<(Snapshot & { readonly stateVersion: number }) | null> {
    return (await this.changeRequest.snapshot(id))?.snapshot ?? null;
  }

  view(id: string, apiClientId: string | null): Promise<RequestView | null> {
    return this.viewRequests.view(id, apiClientId);
  }

  views(ids: readonly string[]): Promise<RequestView[]> {
    return this.viewRequests.views(ids);
  }

  states(ids: readonly string[]): Promise<RequestState[]> {
    return this.viewRequests.states(ids);
  }

  list(filter: RequestFilter): Promise<Page<RequestView>> {
    return this.viewRequests.list(filter);
  }

  timeline(id: string, apiClientId: string | null): Promise<TimelineRow[] | null> {
    return this.viewRequests.timeline(id, apiClientId);
  }

  attributes(id: string, apiClientId: string | null): Promise<Attributes | null> {
    return this.viewRequests.attributes(id, apiClientId);
  }

  consumed(id: string, apiClientId: string | null): Promise<ConsumedApproval | null> {
    return this.viewRequests.consumed(id, apiClientId);
  }

  startWork(id: string): Promise<StartWork | SealedStart | null> {
    return this.startAttempts.work(id);
  }

  unstarted(options: UnstartedOptions): Promise<string[]> {
    return this.startAttempts.unstarted(options);
  }

  openAttempt(attempt: NewAttempt): Promise<OpenAttemptResult> {
    return this.startAttempts.open(attempt);
  }

  closeAttempt(attemptId: string, outcome: 'not-accepted' | 'unknown', nextInMs = 0): Promise<void> {
    return this.startAttempts.close(attemptId, outcome, nextInMs);
  }

  acknowledgedOtherwise(attemptId: string, authReqId: string): Promise<boolean> {
    return this.startAttempts.acknowledgedOtherwise(attemptId, authReqId);
  }

  pending(which: PendingSelection): Promise<PendingReading> {
    return this.pendingWork.read(which);
  }

  pushed(ids: readonly string[]): Promise<string[]> {
    return this.pendingWork.pushed(ids);
  }

  asked(id: string): Promise<AskedRequest | null> {
    return this.pendingWork.asked(id);
  }

  holdAnswer(requestId: string, answer: object): Promise<void> {
    return this.pendingWork.hold(requestId, answer);
  }

  issueNotificationToken(): string {
    return this.notificationTokens.issue();
  }

  issuedNotificationToken(notificationToken: string): boolean {
    return this.notificationTokens.isOurs(notificationToken);
  }

  raiseInterval(requestId: string, intervalSeconds: number, fence: Fence): Promise<void> {
    return this.slowDown.run({ requestId, intervalSeconds, fence });
  }

  notified(notificationToken: string): Promise<NotifiedAttempt | null> {
    return this.receivedNotifications.find(notificationToken);
  }

  noteNotification(requestId: string, pushed: object | null): Promise<boolean> {
    return this.receivedNotifications.note(requestId, pushed);
  }

  async undecided(options: { readonly olderThanSeconds: number; readonly limit: number }): Promise<string[]> {
    const rows = await this.context.sql.rows<{ id: string }>(selectUndecided, [
      options.olderThanSeconds,
      options.limit,
    ]);
    return rows.map(({ id }) => id);
  }
}

const selectUndecided = statement(
  'select_undecided',
  /* sql */ `
  select id from authorization_requests
  where ended_at is not null and decision_id is null and ended_at < clock_timestamp() - make_interval(secs => $1)
  order by ended_at limit $2::integer`,
);
