import { Initial1760000000000 } from './1760000000000-initial.js';
import { ApiClientEntitlements1760100000000 } from './1760100000000-api-client-entitlements.js';
import { HeldAnswersEnd1760200000000 } from './1760200000000-held-answers-end.js';
import { SchemaFloor1760300000000 } from './1760300000000-schema-floor.js';
import { PromptLimits1760400000000 } from './1760400000000-prompt-limits.js';
import { Retention1760500000000 } from './1760500000000-retention.js';
import { ApiKeyRotation1760600000000 } from './1760600000000-api-key-rotation.js';
import { ClientRefusals1764410400000 } from './1764410400000-client-refusals.js';
import { SignedFapiRules1764410700000 } from './1764410700000-signed-fapi-rules.js';
import { EncryptionKeys1764411000000 } from './1764411000000-encryption-keys.js';
import { OauthClients1764423000000 } from './1764423000000-oauth-clients.js';
import { UnsignedFapiRules1764424200000 } from './1764424200000-unsigned-fapi-rules.js';
import { ResealedMasterKeys1764425100000 } from './1764425100000-resealed-master-keys.js';
import { WebhookControl1764425400000 } from './1764425400000-webhook-control.js';
import { DeliveriesByNotice1764425460000 } from './1764425460000-deliveries-by-notice.js';
import { ForgottenKeys1764425520000 } from './1764425520000-forgotten-keys.js';
import { AuditLog1764425700000 } from './1764425700000-audit-log.js';
import { ConsoleSessions1764435600000 } from './1764435600000-console-sessions.js';
import { KeyPairWarnings1764436200000 } from './1764436200000-key-pair-warnings.js';
import { WebhookNames1764436500000 } from './1764436500000-webhook-names.js';
import { RequestLists1764441600000 } from './1764441600000-request-lists.js';
import { LimitsLeft1764442200000 } from './1764442200000-limits-left.js';
import { AdmissionByIndex1764443400000 } from './1764443400000-admission-by-index.js';
import { AdmissionPlannedOnce1764444300000 } from './1764444300000-admission-planned-once.js';

/** Every migration in the order in which they run; nothing is found by a glob. */
export const migrations = [
  Initial1760000000000,
  ApiClientEntitlements1760100000000,
  HeldAnswersEnd1760200000000,
  SchemaFloor1760300000000,
  PromptLimits1760400000000,
  Retention1760500000000,
  ApiKeyRotation1760600000000,
  ClientRefusals1764410400000,
  SignedFapiRules1764410700000,
  EncryptionKeys1764411000000,
  OauthClients1764423000000,
  UnsignedFapiRules1764424200000,
  ResealedMasterKeys1764425100000,
  WebhookControl1764425400000,
  DeliveriesByNotice1764425460000,
  ForgottenKeys1764425520000,
  AuditLog1764425700000,
  ConsoleSessions1764435600000,
  KeyPairWarnings1764436200000,
  WebhookNames1764436500000,
  RequestLists1764441600000,
  LimitsLeft1764442200000,
  AdmissionByIndex1764443400000,
  AdmissionPlannedOnce1764444300000,
];
