export * from './console.config.js';
export * from './process-parts.js';
export * from './run-alone.js';
