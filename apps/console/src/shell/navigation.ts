import {
  IconActivity,
  IconArrowsExchange,
  IconBan,
  IconCertificate,
  IconFlask2,
  IconHistory,
  IconLayoutDashboard,
  IconPlugConnected,
  IconShieldCheck,
  IconSignature,
  IconUserKey,
  IconWebhook,
  type Icon,
} from '@tabler/icons-react';

export interface NavigationEntry {
  readonly to: string;
  readonly label: string;
  readonly icon: Icon;
}

export interface NavigationGroup {
  readonly title: string;
  readonly entries: readonly NavigationEntry[];
}

/** The pages, in the groups and under the names that administrators of PingAccess know. */
export const navigation: readonly NavigationGroup[] = [
  {
    title: 'Requests',
    entries: [
      { to: '/overview', label: 'Overview', icon: IconLayoutDashboard },
      { to: '/transactions', label: 'Transactions', icon: IconActivity },
      { to: '/test-rule', label: 'Test Rule', icon: IconFlask2 },
    ],
  },
  {
    title: 'Access',
    entries: [
      { to: '/access/rules', label: 'Rules', icon: IconShieldCheck },
      { to: '/access/rejection-handlers', label: 'Rejection Handlers', icon: IconBan },
    ],
  },
  {
    title: 'Security',
    entries: [
      { to: '/security/key-pairs', label: 'Key Pairs', icon: IconCertificate },
      { to: '/security/signing-keys', label: 'Signing Keys', icon: IconSignature },
    ],
  },
  {
    title: 'Settings',
    entries: [
      { to: '/settings/token-providers', label: 'Token Provider', icon: IconPlugConnected },
      { to: '/settings/webhooks', label: 'Webhooks', icon: IconWebhook },
      { to: '/settings/api-clients', label: 'API Clients', icon: IconUserKey },
      { to: '/settings/audit-log', label: 'Audit Log', icon: IconHistory },
      { to: '/settings/import-export', label: 'Import/Export', icon: IconArrowsExchange },
    ],
  },
];
