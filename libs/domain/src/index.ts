export * from './authorization-request.js';
export * from './binding-message.js';
export * from './polling.js';
export * from './rejection.js';
export * from './retry.js';
export * from './rule.js';
export * from './start.js';
