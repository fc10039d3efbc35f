export * from './process-parts.js';
export * from './run-alone.js';
