export type { AccessTokenClaims, TokenIssuer } from './access-token.js';
export { AccessTokens, type AccessTokensOptions, type AccessTokenVerdict } from './access-tokens.js';
export { CibaClient, type CibaClientOptions } from './ciba-client.js';
export type { CibaLog } from './ciba-log.js';
export {
  CodeLogin,
  type CodeLoginOptions,
  type CodeLoginResult,
  type CodeLoginSecrets,
  type LoginClaims,
} from './code-login.js';
export type { ConnectorFactory, TlsMaterial } from './connections.js';
export type { ProviderFacts, RuleToExamine, RuleWishes } from './doctor-facts.js';
export type {
  Evidence,
  EvidenceExpectation,
  EvidenceProblem,
  EvidenceVerdict,
  PollOutcome,
  ProviderError,
  RevocationOutcome,
  StartOutcome,
  StartRequest,
  TokenAnswer,
  Verification,
} from './outcomes.js';
export { judgeProvider } from './judge-provider.js';
export { readNotification, readPushedAnswer, type ProviderNotification, type PushedAnswer } from './notification.js';
export { expectationOf, type AskedOfPerson, type ExpectedTerms } from './expectation.js';
export {
  hintProblem,
  hintSubject,
  isUnreadable,
  namedPerson,
  openHint,
  renderHint,
  takesHint,
  type HintForm,
} from './hints.js';
export { bindingMessageLimits } from './provider-binding-messages.js';
export { ProviderDoctor, type ProviderDoctorOptions } from './provider-doctor.js';
export { ProviderMisconfigured, ProviderUnavailable } from './provider-faults.js';
export type { ProviderDiscovery } from './provider-metadata.js';
export {
  providerProfiles,
  type AssertionRules,
  type BindingMessageRules,
  type ProviderProfile,
  type RequestObjectRules,
  type StartErrorMeaning,
} from './provider-profiles.js';
export type {
  ClientCredentials,
  ClientRegistration,
  DecryptionKeyMaterial,
  MutualTlsCredentials,
  PrivateKeyJwtCredentials,
  ProviderProfileName,
  ProviderSettings,
  RequestSigning,
  SecretCredentials,
  SigningKeyMaterial,
} from './registration.js';
export { startRequestOf, type Question } from './start-request.js';
export type { ShownCall, StartPreview } from './start-preview.js';
export { signJwt } from './sign-jwt.js';
