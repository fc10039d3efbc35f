import { lazy, Suspense, type ReactNode } from 'react';
import { createBrowserRouter, Navigate, type RouteObject } from 'react-router';
import { PageSkeleton } from '../parts/page-skeleton.js';
import { ConsoleShell } from './app-shell.js';
import { NoSuchPage, PageFailed } from './page-failed.js';

/** A page that is loaded when somebody goes there. */
function page<Name extends string>(load: () => Promise<Record<Name, () => ReactNode>>, name: Name): ReactNode {
  const Page = lazy(async () => ({ default: (await load())[name] as () => ReactNode }));
  return (
    <Suspense fallback={<PageSkeleton whole />}>
      <Page />
    </Suspense>
  );
}

/** Every page of the console, one line each. */
const pages: Readonly<Record<string, ReactNode>> = {
  overview: page(() => import('../pages/overview/overview-page.js'), 'OverviewPage'),
  transactions: page(() => import('../pages/transactions/transactions-page.js'), 'TransactionsPage'),
  'transactions/:id': page(() => import('../pages/transactions/transaction-page.js'), 'TransactionPage'),
  'test-rule/:ruleId?': page(() => import('../pages/test-rule/test-rule-page.js'), 'TestRulePage'),
  'access/rules': page(() => import('../pages/rules/rules-page.js'), 'RulesPage'),
  'access/rules/:id': page(() => import('../pages/rules/rule-page.js'), 'RulePage'),
  'access/rejection-handlers': page(
    () => import('../pages/rejection-handlers/rejection-handlers-page.js'),
    'RejectionHandlersPage',
  ),
  'access/rejection-handlers/:id': page(
    () => import('../pages/rejection-handlers/rejection-handler-page.js'),
    'RejectionHandlerPage',
  ),
  'security/key-pairs': page(() => import('../pages/key-pairs/key-pairs-page.js'), 'KeyPairsPage'),
  'security/key-pairs/:id': page(() => import('../pages/key-pairs/key-pair-page.js'), 'KeyPairPage'),
  'security/signing-keys': page(() => import('../pages/signing-keys/signing-keys-page.js'), 'SigningKeysPage'),
  'settings/token-providers': page(
    () => import('../pages/token-providers/token-providers-page.js'),
    'TokenProvidersPage',
  ),
  'settings/token-providers/:id': page(
    () => import('../pages/token-providers/token-provider-page.js'),
    'TokenProviderPage',
  ),
  'settings/webhooks': page(() => import('../pages/webhooks/webhooks-page.js'), 'WebhooksPage'),
  'settings/webhooks/:id': page(() => import('../pages/webhooks/webhook-page.js'), 'WebhookPage'),
  'settings/api-clients': page(() => import('../pages/api-clients/api-clients-page.js'), 'ApiClientsPage'),
  'settings/audit-log': page(() => import('../pages/audit-log/audit-log-page.js'), 'AuditLogPage'),
  'settings/import-export': page(() => import('../pages/import-export/import-export-page.js'), 'ImportExportPage'),
};

/** The routes below `/console`. */
export const createRouter = () =>
  createBrowserRouter(
    [
      {
        path: '/login',
        element: page(() => import('../pages/login/login-page.js'), 'LoginPage'),
        errorElement: <PageFailed whole />,
      },
      {
        path: '/logged-in',
        element: page(() => import('../pages/login/logged-in-page.js'), 'LoggedInPage'),
        errorElement: <PageFailed whole />,
      },
      {
        path: '/',
        element: <ConsoleShell />,
        errorElement: <PageFailed whole />,
        children: [
          {
            errorElement: <PageFailed />,
            children: [
              { index: true, element: <Navigate to="/overview" replace /> },
              ...Object.entries(pages).map(([path, element]): RouteObject => ({ path, element })),
              { path: '*', element: <NoSuchPage /> },
            ],
          },
        ],
      },
    ],
    { basename: '/console' },
  );
