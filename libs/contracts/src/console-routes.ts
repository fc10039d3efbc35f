import { consoleLoginQuery } from './console.http.js';
import { overviewQuery } from './overview.http.js';
import type { Route } from './routes.js';

/** A route that is there for our own console, and no promise to anybody else: it is in no API description. */
export interface ConsoleRoute extends Pick<Route, 'operationId' | 'method' | 'path' | 'scope'> {
  /** `any`: what comes is written by somebody else's server. */
  readonly query?: Route['query'] | 'any';
}

/** The console's files, and everything under `/console/api`; the guard demands the scope that stands here. */
export const consoleRoutes: readonly ConsoleRoute[] = [
  // Its addresses are those of pages, with filters of their own.
  { operationId: 'getConsoleFile', method: 'GET', path: '/console/{path}', scope: null, query: 'any' },
  { operationId: 'getConsoleSession', method: 'GET', path: '/console/api/session', scope: null },
  { operationId: 'startConsoleSession', method: 'POST', path: '/console/api/session', scope: null },
  { operationId: 'endConsoleSession', method: 'DELETE', path: '/console/api/session', scope: null },
  {
    operationId: 'beginConsoleLogin',
    method: 'GET',
    path: '/console/api/login',
    scope: null,
    query: consoleLoginQuery,
  },
  { operationId: 'finishConsoleLogin', method: 'GET', path: '/console/api/callback', scope: null, query: 'any' },
  {
    operationId: 'getOverview',
    method: 'GET',
    path: '/console/api/overview',
    scope: 'admin:read',
    query: overviewQuery,
  },
  {
    operationId: 'listDeliveriesOfRequest',
    method: 'GET',
    path: '/console/api/authorization-requests/{id}/deliveries',
    scope: 'admin:read',
  },
];
