import type { Scope } from '#lib/contracts';

/** How a route keeps API clients apart (I23). */
export type Apartness =
  /** Names a request: to anybody else it is not there. */
  | 'one request'
  /** Shows the caller's own. */
  | 'own requests'
  /** Makes something that is the caller's own. */
  | 'makes'
  /** For administrators, whose scope other clients lack. */
  | 'administration'
  /** Shows nothing of any client's. */
  | 'public';

/**
 * Who may do what: the scope that a route needs, said a second time and by hand, and how it keeps clients apart. A route
 * without a row here fails, and so does a scope that was changed in one place only.
 */
export const accessMatrix: Readonly<Record<string, readonly [Scope | null, Apartness]>> = {
  submitAuthorizationRequest: ['requests:write', 'makes'],
  listAuthorizationRequests: ['requests:read', 'own requests'],
  getAuthorizationRequest: ['requests:read', 'one request'],
  streamAuthorizationRequest: ['requests:read', 'one request'],
  getTimeline: ['requests:read', 'one request'],
  cancelAuthorizationRequest: ['requests:write', 'one request'],
  consumeAuthorizationRequest: ['requests:write', 'one request'],
  listRules: ['admin:read', 'administration'],
  createRule: ['admin:write', 'administration'],
  getRule: ['admin:read', 'administration'],
  replaceRule: ['admin:write', 'administration'],
  updateRule: ['admin:write', 'administration'],
  deleteRule: ['admin:write', 'administration'],
  listTokenProviders: ['admin:read', 'administration'],
  createTokenProvider: ['admin:write', 'administration'],
  getTokenProvider: ['admin:read', 'administration'],
  replaceTokenProvider: ['admin:write', 'administration'],
  updateTokenProvider: ['admin:write', 'administration'],
  deleteTokenProvider: ['admin:write', 'administration'],
  listKeyPairs: ['admin:read', 'administration'],
  createKeyPair: ['admin:write', 'administration'],
  getKeyPair: ['admin:read', 'administration'],
  updateKeyPair: ['admin:write', 'administration'],
  getCertificateRequest: ['admin:read', 'administration'],
  replaceCertificate: ['admin:write', 'administration'],
  deleteKeyPair: ['admin:write', 'administration'],
  listRejectionHandlers: ['admin:read', 'administration'],
  createRejectionHandler: ['admin:write', 'administration'],
  getRejectionHandler: ['admin:read', 'administration'],
  replaceRejectionHandler: ['admin:write', 'administration'],
  updateRejectionHandler: ['admin:write', 'administration'],
  deleteRejectionHandler: ['admin:write', 'administration'],
  listWebhookEndpoints: ['admin:read', 'administration'],
  createWebhookEndpoint: ['admin:write', 'administration'],
  getWebhookEndpoint: ['admin:read', 'administration'],
  replaceWebhookEndpoint: ['admin:write', 'administration'],
  updateWebhookEndpoint: ['admin:write', 'administration'],
  deleteWebhookEndpoint: ['admin:write', 'administration'],
  listApiClients: ['admin:read', 'administration'],
  createApiClient: ['admin:write', 'administration'],
  getApiClient: ['admin:read', 'administration'],
  updateApiClient: ['admin:write', 'administration'],
  deleteApiClient: ['admin:write', 'administration'],
  listSigningKeys: ['admin:read', 'administration'],
  exportConfiguration: ['admin:read', 'administration'],
  diffConfiguration: ['admin:write', 'administration'],
  applyConfiguration: ['admin:write', 'administration'],
  importPingAccess: ['admin:write', 'administration'],
  listMasterKeys: ['admin:read', 'administration'],
  forgetMasterKey: ['admin:write', 'administration'],
  listDeadLetters: ['admin:read', 'administration'],
  replayDeadLetters: ['admin:write', 'administration'],
  getDeadLetter: ['admin:read', 'administration'],
  dropDeadLetter: ['admin:write', 'administration'],
  replayDeadLetter: ['admin:write', 'administration'],
  rotateApiKey: ['admin:write', 'administration'],
  erasePerson: ['admin:write', 'administration'],
  listAuditEvents: ['admin:read', 'administration'],
  listAuditHeads: ['admin:read', 'administration'],
  checkTokenProvider: ['admin:write', 'administration'],
  rotateWebhookSecret: ['admin:write', 'administration'],
  testWebhookEndpoint: ['admin:write', 'administration'],
  listDeliveries: ['admin:read', 'administration'],
  getDelivery: ['admin:read', 'administration'],
  replayDelivery: ['admin:write', 'administration'],
  replayDeliveries: ['admin:write', 'administration'],
  getConsoleSession: [null, 'public'],
  startConsoleSession: [null, 'public'],
  endConsoleSession: [null, 'public'],
  beginConsoleLogin: [null, 'public'],
  finishConsoleLogin: [null, 'public'],
  getOverview: ['admin:read', 'administration'],
  receiveCibaNotification: [null, 'public'],
  getKeys: [null, 'public'],
  getLiveness: [null, 'public'],
  getReadiness: [null, 'public'],
  getMetrics: [null, 'public'],
  getOpenApi: [null, 'public'],
  getAsyncApi: [null, 'public'],
  getConfigurationSchema: [null, 'public'],
  getConsole: [null, 'public'],
  getConsoleFile: [null, 'public'],
  getReference: [null, 'public'],
  getReferenceStyle: [null, 'public'],
  getErrorCatalogue: [null, 'public'],
  getErrorPage: [null, 'public'],
  getEventCatalogue: [null, 'public'],
};
