import { AccessTokens, CibaClient, ProviderDoctor } from '#lib/ciba';
import { configuredLimits, type AccessTokenConfig, type PromptLimitConfig } from '#lib/contracts';
import type { EventBus } from '#lib/messaging';
import { Database } from '#lib/persistence';
import { asFunction, CallOrigins, type Log, type OutboundGuard } from '#lib/runtime';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import { AccessGuard } from './access/access.guard.js';
import { Authenticate } from './access/authenticate.js';
import { BearerTokens } from './access/bearer-tokens.js';
import { KeyUse } from './access/key-use.js';
import { AddressGuard } from './access/address.guard.js';
import { RefusedCalls } from './access/refused-calls.js';
import { ApiClientsController } from './api-clients/api-clients.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { ViewAuditLog } from './audit/view-audit-log.js';
import { AuthorizationRequestViewsController } from './authorization-requests/authorization-request-views.controller.js';
import { AuthorizationRequestsController } from './authorization-requests/authorization-requests.controller.js';
import { AwaitRequest } from './authorization-requests/await-request.js';
import { CancelAuthorizationRequest } from './authorization-requests/cancel-authorization-request.js';
import { ConsumeAuthorizationRequest } from './authorization-requests/consume-authorization-request.js';
import { GetAuthorizationRequest } from './authorization-requests/get-authorization-request.js';
import { GetTimeline } from './authorization-requests/get-timeline.js';
import { ListAuthorizationRequests } from './authorization-requests/list-authorization-requests.js';
import { RequestDeliveriesController } from './authorization-requests/request-deliveries.controller.js';
import { RequestChangedController } from './authorization-requests/request-changed.controller.js';
import { StreamAuthorizationRequest } from './authorization-requests/stream-authorization-request.js';
import { SubmitAuthorizationRequest } from './authorization-requests/submit-authorization-request.js';
import { Waiters } from './authorization-requests/waiters.js';
import { deadLetterOffice } from './dead-letters/dead-letter-office.token.js';
import { DeadLettersController } from './dead-letters/dead-letters.controller.js';
import { DropDeadLetter } from './dead-letters/drop-dead-letter.js';
import { ReplayDeadLetters } from './dead-letters/replay-dead-letters.js';
import { ViewDeadLetters } from './dead-letters/view-dead-letters.js';
import { ErasePerson } from './erasures/erase-person.js';
import { ErasuresController } from './erasures/erasures.controller.js';
import { ApplyConfiguration } from './configuration/apply-configuration.js';
import { ConfigurationController } from './configuration/configuration.controller.js';
import { ExportConfiguration } from './configuration/export-configuration.js';
import { ImportPingAccess } from './configuration/import-pingaccess.js';
import { PlanConfiguration } from './configuration/plan-configuration.js';
import { ConsoleFilesController } from './console/console-files.controller.js';
import { DocumentsController } from './documents/documents.controller.js';
import { HttpSurface } from './http/http-surface.js';
import { JwksController } from './jwks/jwks.controller.js';
import { KeyPairsController } from './key-pairs/key-pairs.controller.js';
import { MasterKeysController } from './master-keys/master-keys.controller.js';
import { CallAllowance } from './notifications/call-allowance.js';
import { NotificationBearer } from './notifications/notification-bearer.js';
import { NotificationListener, type NotificationListenerConfig } from './notifications/notification-listener.js';
import { NotificationSurface } from './notifications/notification-surface.js';
import { NotificationTransport } from './notifications/notification-transport.js';
import { NotificationsController } from './notifications/notifications.controller.js';
import { RecordLatePush } from './notifications/record-late-push.js';
import { ReceiveNotification } from './notifications/receive-notification.js';
import { outboundGuard } from './outbound-guard.token.js';
import { OverviewController } from './overview/overview.controller.js';
import { RejectionHandlersController } from './rejection-handlers/rejection-handlers.controller.js';
import type { RulesServiceConfig } from './rules-service.config.js';
import { PreviewRule } from './rules/preview-rule.js';
import { RulesController } from './rules/rules.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { sessions, type SessionConfig } from './sessions/sessions.providers.js';
import { CheckTokenProvider } from './token-providers/check-token-provider.js';
import { SigningKeysController } from './signing-keys/signing-keys.controller.js';
import { TokenProvidersController } from './token-providers/token-providers.controller.js';
import { ListDeliveries } from './webhook-endpoints/list-deliveries.js';
import { ReplayDeliveries } from './webhook-endpoints/replay-deliveries.js';
import { SendTestEvent } from './webhook-endpoints/send-test-event.js';
import { WebhookEndpointsController } from './webhook-endpoints/webhook-endpoints.controller.js';

/** What the process gives to the service. */
export interface RulesServiceParts {
  readonly config: Pick<RulesServiceConfig, 'ASSENT_API_KEY' | 'ASSENT_ALLOW_LOOPBACK' | 'ASSENT_TRUSTED_PROXIES'> &
    NotificationListenerConfig &
    Partial<PromptLimitConfig> &
    SessionConfig &
    Partial<AccessTokenConfig & Pick<RulesServiceConfig, 'ASSENT_PUBLIC_URL'>>;
  readonly database: Database;
  readonly bus: Pick<EventBus, 'attention' | 'deadLetters'>;
  readonly log: Log;
  readonly guard: OutboundGuard;
}

/** The HTTP API: administration, authorization requests, keys, documents. */
@Module({})
export class RulesServiceModule {
  static register(parts: RulesServiceParts): DynamicModule {
    return {
      module: RulesServiceModule,
      controllers: [
        AuthorizationRequestsController,
        AuthorizationRequestViewsController,
        RequestChangedController,
        RulesController,
        TokenProvidersController,
        KeyPairsController,
        RejectionHandlersController,
        WebhookEndpointsController,
        ApiClientsController,
        SigningKeysController,
        ConfigurationController,
        MasterKeysController,
        DeadLettersController,
        ErasuresController,
        AuditController,
        NotificationsController,
        JwksController,
        DocumentsController,
        SessionsController,
        OverviewController,
        ConsoleFilesController,
        RequestDeliveriesController,
      ],
      providers: [
        ...surface(parts),
        ...sessions(parts),
        ...administration(parts),
        ...authorizationRequests(parts),
        ...notifications(parts),
        ...deadLetters(parts),
      ],
    };
  }
}

const surface = ({ config, database, guard, log }: RulesServiceParts): Provider[] => [
  { provide: Database, useValue: database },
  { provide: outboundGuard, useValue: guard },
  HttpSurface,
  {
    provide: RefusedCalls,
    useFactory: (host: HttpAdapterHost) => {
      const lines = new CallAllowance({ name: 'lines', burst: 20, perSecond: 0.2, maxCallers: 1_000 }, () =>
        performance.now(),
      );
      return new RefusedCalls(host, new CallOrigins(config.ASSENT_TRUSTED_PROXIES), lines, log);
    },
    inject: [HttpAdapterHost],
  },
  { provide: KeyUse, useFactory: () => new KeyUse(database.apiClients, log) },
  {
    provide: BearerTokens,
    useFactory: () => new BearerTokens(accessTokens({ config, guard, log }), database.apiClients, log),
  },
  {
    provide: Authenticate,
    useFactory: (tokens: BearerTokens, keyUse: KeyUse) =>
      new Authenticate(config.ASSENT_API_KEY, database.apiClients, tokens, keyUse),
    inject: [BearerTokens, KeyUse],
  },
  { provide: APP_GUARD, useClass: AccessGuard },
  { provide: APP_GUARD, useClass: AddressGuard },
];

const accessTokens = ({ config, guard, log }: Pick<RulesServiceParts, 'config' | 'guard' | 'log'>): AccessTokens =>
  new AccessTokens({
    // Without an address of ours there is no audience that we could be meant by.
    issuers: (config.ASSENT_TOKEN_ISSUERS ?? []).flatMap(({ issuer, audience }) => {
      const ours = audience ?? config.ASSENT_PUBLIC_URL;
      return ours === undefined ? [] : [{ issuer, audience: ours }];
    }),
    connect: (tls) => guard.connector(tls),
    allowInsecureHttp: config.ASSENT_ALLOW_LOOPBACK,
    log: asFunction(log),
  });

const administration = ({ config, database, guard, log }: RulesServiceParts): Provider[] => [
  ListDeliveries,
  ReplayDeliveries,
  SendTestEvent,
  ViewAuditLog,
  ExportConfiguration,
  {
    provide: ApplyConfiguration,
    useFactory: () => new ApplyConfiguration(database, new PlanConfiguration({ database, guard })),
  },
  ImportPingAccess,
  {
    provide: PreviewRule,
    useFactory: () =>
      new PreviewRule(
        database,
        new CibaClient({
          connect: (tls) => guard.connector(tls),
          allowInsecureHttp: config.ASSENT_ALLOW_LOOPBACK,
          log: asFunction(log),
        }),
      ),
  },
  {
    provide: CheckTokenProvider,
    useFactory: () =>
      new CheckTokenProvider(
        database,
        new ProviderDoctor({
          connect: (tls) => guard.connector(tls),
          allowInsecureHttp: config.ASSENT_ALLOW_LOOPBACK,
          log: asFunction(log),
        }),
      ),
  },
];

const deadLetters = ({ bus, database, log }: RulesServiceParts): Provider[] => [
  { provide: deadLetterOffice, useValue: bus.deadLetters },
  ViewDeadLetters,
  { provide: ReplayDeadLetters, useFactory: () => new ReplayDeadLetters(bus.deadLetters, database.audit, log) },
  { provide: DropDeadLetter, useFactory: () => new DropDeadLetter(bus.deadLetters, database.audit, log) },
];

const notifications = ({ config, database, guard, log }: RulesServiceParts): Provider[] => [
  {
    provide: NotificationBearer,
    useFactory: () => {
      const allowance = (burst: number, perSecond: number) =>
        new CallAllowance({ name: 'notifications', burst, perSecond, maxCallers: 10_000 }, () => performance.now());
      // A provider has one thing to say with a token, and says it once.
      const allowances = { strangers: allowance(100, 10), holders: allowance(200, 5) };
      return new NotificationBearer(database.requests, allowances);
    },
  },
  {
    provide: NotificationTransport,
    useFactory: () =>
      new NotificationTransport({
        trustedProxies: config.ASSENT_TRUSTED_PROXIES,
        allowLoopback: config.ASSENT_ALLOW_LOOPBACK,
      }),
  },
  {
    provide: NotificationListener,
    useFactory: (host: HttpAdapterHost) => new NotificationListener(host, config),
    inject: [HttpAdapterHost],
  },
  NotificationSurface,
  {
    provide: RecordLatePush,
    useFactory: () => {
      const ciba = new CibaClient({
        connect: (tls) => guard.connector(tls),
        allowInsecureHttp: config.ASSENT_ALLOW_LOOPBACK,
        log: asFunction(log),
      });
      return new RecordLatePush(database, ciba, log);
    },
  },
  {
    provide: ReceiveNotification,
    useFactory: (recordLatePush: RecordLatePush) => new ReceiveNotification(database.requests, recordLatePush),
    inject: [RecordLatePush],
  },
];

const authorizationRequests = ({ bus, config, database, guard, log }: RulesServiceParts): Provider[] => [
  {
    provide: Waiters,
    useFactory: () => {
      const states = (ids: readonly string[]) => database.requests.states(ids);
      return new Waiters({ states, attend: (hearing) => bus.attention(hearing), log });
    },
  },
  AwaitRequest,
  {
    provide: SubmitAuthorizationRequest,
    useFactory: (awaitRequest: AwaitRequest) =>
      new SubmitAuthorizationRequest({ database, guard, limits: configuredLimits(config) }, awaitRequest),
    inject: [AwaitRequest],
  },
  GetAuthorizationRequest,
  ListAuthorizationRequests,
  GetTimeline,
  StreamAuthorizationRequest,
  CancelAuthorizationRequest,
  ConsumeAuthorizationRequest,
  {
    provide: ErasePerson,
    useFactory: (awaitRequest: AwaitRequest) => new ErasePerson(database, awaitRequest, log),
    inject: [AwaitRequest],
  },
];
