import type { RetentionConfig } from '#lib/contracts';
import type { Database } from '#lib/persistence';
import type { Log, OutboundGuard } from '#lib/runtime';
import { Module, type DynamicModule } from '@nestjs/common';
import { AuthorizationEndedController } from './authorization-ended.controller.js';
import { DecisionRecordedController } from './callbacks/decision-recorded.controller.js';
import { DeliverDecisions } from './callbacks/deliver-decisions.js';
import { CallbackSender } from './callbacks/send.js';
import {
  decisionServiceTuning,
  type DecisionServiceConfig,
  type DecisionServiceTuning,
} from './decision-service.config.js';
import { KeepHouse, retentionOf } from './keep-house.js';
import { RecordDecision } from './record-decision.js';
import { ResealSecrets } from './reseal-secrets.js';
import { RotateSigningKeys } from './rotate-signing-keys.js';
import { SealAuditLog } from './seal-audit-log.js';
import { SweepUndecided } from './sweep-undecided.js';

/** What the process gives to the service. */
export interface DecisionServiceParts {
  readonly config: Pick<DecisionServiceConfig, 'ASSENT_PUBLIC_URL'> & Partial<DecisionServiceTuning & RetentionConfig>;
  readonly database: Database;
  readonly log: Log;
  readonly guard: OutboundGuard;
}

/** Records one decision per request and delivers it. */
@Module({})
export class DecisionServiceModule {
  static register({ config, database, log, guard }: DecisionServiceParts): DynamicModule {
    const tuning = { ...decisionServiceTuning.parse({}), ...config };
    const hours = tuning.ASSENT_SIGNING_KEY_ROTATION_HOURS;
    const disableAfterSeconds = tuning.ASSENT_WEBHOOK_DISABLE_AFTER_HOURS * 3600;
    return {
      module: DecisionServiceModule,
      controllers: [AuthorizationEndedController, DecisionRecordedController],
      providers: [
        {
          provide: DeliverDecisions,
          useFactory: () =>
            new DeliverDecisions({ database, sender: new CallbackSender({ guard }), log, disableAfterSeconds }),
        },
        {
          provide: RecordDecision,
          useFactory: (deliver: DeliverDecisions) =>
            new RecordDecision({
              database,
              issuer: config.ASSENT_PUBLIC_URL,
              hold: (callbackUrl) => deliver.hold(callbackUrl),
              onRecorded: () => deliver.wake(),
            }),
          inject: [DeliverDecisions],
        },
        {
          provide: SweepUndecided,
          useFactory: (record: RecordDecision) => new SweepUndecided(database, record, log),
          inject: [RecordDecision],
        },
        { provide: KeepHouse, useFactory: () => new KeepHouse(database, retentionOf(config), log) },
        { provide: ResealSecrets, useFactory: () => new ResealSecrets(database.masterKeys, log) },
        { provide: SealAuditLog, useFactory: () => new SealAuditLog(database, log) },
        { provide: RotateSigningKeys, useFactory: () => new RotateSigningKeys(database, hours * 3600, log) },
      ],
    };
  }
}
