/** What the values and members of a rule are called, as administrators of PingAccess know them. */

export const credentialsNames = {
  secret: 'Secret',
  'mutual-tls': 'Mutual TLS',
  'private-key-jwt': 'Private Key JWT',
} as const;

const memberNames: Readonly<Record<string, string>> = {
  name: 'Name',
  tokenProviderId: 'Token Provider',
  clientId: 'Client ID',
  clientCredentials: 'Client Credentials',
  loginHintAttribute: 'Login Hint Request Attribute',
  scopes: 'Scopes',
  bindingMessage: 'Binding Message',
  requestedExpirySeconds: 'Requested Expiry (s)',
  timeoutRejectionHandlerId: 'Timeout Rejection Handler',
  denyRejectionHandlerId: 'Deny Rejection Handler',
  errorRejectionHandlerId: 'Error Rejection Handler',
  deliveryMode: 'Delivery Mode',
  hintKind: 'Hint Kind',
  hintTemplate: 'Hint Template',
  subjectPolicy: 'Subject Policy',
  subjectAttribute: 'Subject Attribute',
  acrValues: 'ACR Values',
  authorizationDetails: 'Authorization Details',
  extraParameters: 'Extra Parameters',
  signedRequest: 'Signed Request',
  fapi: 'FAPI-CIBA',
  dpop: 'DPoP',
  releaseAccessToken: 'Release Access Token',
  consumeWithinSeconds: 'Use Within (s)',
  onInitiationUnknown: 'When the Start Is Unknown',
  promptLimits: 'Prompt Limits',
  joinIdentical: 'Join Identical Requests',
  enabled: 'Enabled',
};

/** The label of a member of a rule. */
export const labelOfMember = (member: string): string => memberNames[member] ?? member;

/** What follows when a rule is deleted, after its name. */
export const whatRemovalMeans =
  'will be gone, and applications that name it are refused. To keep it and take no requests, disable it instead.';
